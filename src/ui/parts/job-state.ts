import type { LabErrorData } from "../../base/errors.ts";

/** How a side job stands: not asked, running, failed, its result there, or its result there of other settings. */
export type JobState = "none" | "busy" | "failed" | "ready" | "stale";

/** What went wrong, and what to do. */
export function failureWords(error: LabErrorData | null): string {
  return error === null ? "It ended without a result." : `${error.found}. ${error.advice}.`;
}
