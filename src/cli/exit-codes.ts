import type { ErrorArea, ErrorCode } from "../base/errors.ts";

/** The one table of exit codes of every verb. */
export const EXIT = {
  done: 0,
  /** Refused or failed; the JSON's `outcome` says which. */
  failed: 1,
  usage: 2,
  device: 3,
  inputOutput: 4,
  notEnoughEvidence: 5,
  interrupted: 130,
} as const;

const BY_AREA: Partial<Record<ErrorArea, number>> = {
  usage: EXIT.usage,
  plan: EXIT.usage,
  device: EXIT.device,
  kernel: EXIT.device,
  source: EXIT.inputOutput,
};

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  "run/cancelled": EXIT.interrupted,
  "scheme/unknown": EXIT.usage,
  "scheme/bad-custom": EXIT.usage,
  "scheme/bad-kv-cache": EXIT.usage,
  "scheme/bad-method": EXIT.usage,
  "scheme/bad-pattern": EXIT.usage,
  "scheme/bad-pruning": EXIT.usage,
  "scheme/bad-recipe": EXIT.usage,
  "scheme/nothing-to-do": EXIT.usage,
  "scheme/unreachable-group": EXIT.usage,
  "export/write-failed": EXIT.inputOutput,
  "export/not-empty": EXIT.inputOutput,
  "export/output-is-input": EXIT.inputOutput,
};

/** The exit code of an error. */
export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code] ?? BY_AREA[code.slice(0, code.indexOf("/")) as ErrorArea] ?? EXIT.failed;
}
