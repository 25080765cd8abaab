import { cancelledError } from "../base/errors.ts";

/** Throws `run/cancelled` once the user has stopped the job. Asked before each tile. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelledError("running this job");
}
