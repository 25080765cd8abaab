import { LabError, quote } from "../../base/errors.ts";

/**
 * An output path that is safe on every system: relative, `/` between parts.
 * @throws LabError `export/bad-path` for anything that could leave the folder or be read as something else
 */
export function checkOutputPath(path: string): string {
  const parts = path.split("/");
  const isSafe = parts.every((part) => part !== "" && part !== "." && part !== ".." && !/[\\:\p{Cc}]/u.test(part));
  if (isSafe) return path;
  throw new LabError({
    code: "export/bad-path",
    doing: "starting a file of the export",
    found: `the path "${quote(path)}"`,
    allowed: "relative paths without .., \\, : and control characters",
    advice: "rename that file in the checkpoint's folder, or take it out",
    fields: { file: quote(path) },
  });
}

/** A failure of the disk or the browser's storage, whatever it was called there. */
export function writeFailed(file: string, found: string, cause?: unknown): LabError {
  return new LabError({
    code: "export/write-failed",
    doing: `writing ${quote(file)}`,
    found,
    allowed: "a place with enough room and the permission to write",
    advice: "free some space or choose another place, then export again; nothing half-written is kept",
    fields: { file: quote(file) },
    cause,
  });
}

/** A breach of the contract of `OutputFolder`. */
export function misuse(file: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "export/misuse",
    doing: `writing ${quote(file)}`,
    found,
    allowed,
    advice: "this is a defect of the lab: please report it with these words",
    fields: { file: quote(file) },
  });
}

/**
 * Holds one file of an export to its contract: bytes within its size, as many as it has by its end, none after it.
 * Overlapping writes that come to the right sum are not found.
 */
export class WriteGuard {
  readonly #path: string;
  readonly #sizeBytes: number;
  #written = 0;
  #isClosed = false;

  constructor(path: string, sizeBytes: number) {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw misuse(path, `a size of ${sizeBytes}`, "whole bytes");
    this.#path = path;
    this.#sizeBytes = sizeBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws LabError `export/misuse` before the bytes are written */
  beforeWrite(offset: number, length: number): void {
    if (this.#isClosed) throw misuse(this.#path, "a write after its end", "writes before close");
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > this.#sizeBytes) {
      const found = `${length} bytes at ${offset} of ${this.#sizeBytes}`;
      throw misuse(this.#path, found, "bytes within the size that was announced");
    }
    this.#written += length;
  }

  /** @throws LabError `export/misuse` when bytes are missing or were written twice */
  close(): void {
    this.#isClosed = true;
    if (this.#written !== this.#sizeBytes) {
      throw misuse(this.#path, `${this.#written} bytes written of ${this.#sizeBytes}`, "each byte written once");
    }
  }
}
