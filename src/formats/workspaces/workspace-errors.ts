import { LabError, quote } from "../../base/errors.ts";

/** Why a job has no room for what it makes on the way. */
export function noRoom(found: string, advice: string, cause?: unknown): LabError {
  return new LabError({
    code: "run/no-room",
    doing: "keeping what a calibrated method makes on the way",
    found: quote(found),
    allowed: "room for the weights that the method changes, and for what runs between two layers",
    advice,
    ...(cause === undefined ? {} : { cause }),
  });
}
