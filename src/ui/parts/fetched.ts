import type { LabErrorData } from "../../base/errors.ts";

/** What is asked of the engine when it is wanted: not yet, on its way (with what is known so far), there, or failed. */
export type Fetched<T> =
  | { readonly state: "none" }
  | { readonly state: "waiting"; readonly soFar: T | null }
  | { readonly state: "ready"; readonly result: T }
  | { readonly state: "failed"; readonly error: LabErrorData };

export const NOT_FETCHED = { state: "none" } as const;

/** What can be shown of it. */
export function fetchedPart<T>(fetched: Fetched<T>): T | null {
  if (fetched.state === "ready") return fetched.result;
  return fetched.state === "waiting" ? fetched.soFar : null;
}
