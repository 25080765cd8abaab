/** The rooms of the lab that raise errors; first half of every error code. */
export type ErrorArea =
  | "json"
  | "safetensors"
  | "gguf"
  | "source"
  | "checkpoint"
  | "config"
  | "scheme"
  | "device"
  | "kernel"
  | "worker"
  | "run"
  | "export"
  | "plan"
  | "tokenizer"
  | "template"
  | "text"
  | "statistics"
  | "imatrix"
  | "tasks"
  | "usage";

/** A literal code such as `safetensors/header-too-long`: stable, for programs; the words beside it are for people. */
export type ErrorCode = `${ErrorArea}/${string}`;

/** What an error may carry beside its words. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** The four parts of every message, and the code and fields that programs read. */
export interface LabErrorInit {
  readonly code: ErrorCode;
  /** What the lab was doing, as a noun phrase or gerund: `reading the header of model.safetensors`. */
  readonly doing: string;
  /** What it met there. */
  readonly found: string;
  /** What would have been right. */
  readonly allowed: string;
  /** What the person can do now. */
  readonly advice: string;
  readonly fields?: ErrorFields;
  readonly cause?: unknown;
}

/** A `LabError` as plain data: survives `postMessage`, JSON and a report. */
export interface LabErrorData {
  readonly code: ErrorCode;
  readonly doing: string;
  readonly found: string;
  readonly allowed: string;
  readonly advice: string;
  readonly message: string;
  readonly fields: ErrorFields;
}

/** Text from a file is cut to this many characters before it enters a message, so that a hostile name cannot flood a screen. */
const MAX_QUOTED_LENGTH = 200;

/** Any failure that the lab foresees. Everything it cannot foresee arrives as `run/unexpected` with its `cause`. */
export class LabError extends Error {
  readonly code: ErrorCode;
  readonly doing: string;
  readonly found: string;
  readonly allowed: string;
  readonly advice: string;
  readonly fields: ErrorFields;

  constructor(init: LabErrorInit) {
    super(
      `${capitalize(init.doing)}: ${init.found}. Allowed: ${init.allowed}. ${capitalize(init.advice)}.`,
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.name = "LabError";
    this.code = init.code;
    this.doing = init.doing;
    this.found = init.found;
    this.allowed = init.allowed;
    this.advice = init.advice;
    this.fields = init.fields ?? {};
  }

  /** The error as plain data, without its stack and cause. */
  toData(): LabErrorData {
    const { code, doing, found, allowed, advice, message, fields } = this;
    return { code, doing, found, allowed, advice, message, fields };
  }

  /** The error that `data` was made from. */
  static fromData(data: LabErrorData): LabError {
    return new LabError(data);
  }
}

/**
 * Any thrown value as a `LabError`: one of ours as it is, everything else as `run/unexpected`.
 * @param doing what the lab was doing when it was thrown
 */
export function asLabError(thrown: unknown, doing: string): LabError {
  if (thrown instanceof LabError) return thrown;
  return new LabError({
    code: "run/unexpected",
    doing,
    found: quote(thrown instanceof Error ? thrown.message : String(thrown)),
    allowed: "no failure here",
    advice: "this is a defect of the lab: please report it with these words",
    cause: thrown,
  });
}

/** The error of a run that its user stopped. */
export function cancelledError(doing: string): LabError {
  return new LabError({
    code: "run/cancelled",
    doing,
    found: "it was cancelled",
    allowed: "running to the end, or stopping here",
    advice: "what was finished stands; start again to go on",
  });
}

/**
 * Untrusted text made safe to print: control, bidirectional and zero-width characters as `\u{…}`, cut to 200 characters.
 * The result may stand in a terminal, a page or a message; it is for eyes and never parsed again.
 */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
