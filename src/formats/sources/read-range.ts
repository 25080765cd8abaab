import { LabError, quote } from "../../base/errors.ts";

/**
 * Most bytes that one request to a platform asks for. Chromium fails reads near 2 GiB with an error that blames the file,
 * and a read shares its memory with the tiles of a run.
 */
export const MAX_READ_BYTES = 64 * 1024 * 1024;

/**
 * The place for the bytes of one read: a view of exactly `end - start` bytes at offset 0 of `into` or of a new buffer.
 * @throws LabError `source/out-of-range` for a range outside the source or a buffer that is too small
 */
export function viewForRange(
  source: { readonly name: string; readonly sizeBytes: number },
  start: number,
  end: number,
  into: ArrayBuffer | undefined,
): Uint8Array<ArrayBuffer> {
  const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end;
  if (!isRange || end > source.sizeBytes) {
    throw outOfRange(source.name, `bytes ${start} to ${end}`, `ranges within its ${source.sizeBytes} bytes`);
  }
  if (into === undefined) return new Uint8Array(end - start);
  if (into.byteLength < end - start) {
    const found = `a buffer of ${into.byteLength} bytes for ${end - start} bytes`;
    throw outOfRange(source.name, found, "a buffer that holds the range and is not detached");
  }
  return new Uint8Array(into, 0, end - start);
}

/** A file that is no longer what it was when it was opened. */
export function sourceChanged(name: string, found: string, cause?: unknown): LabError {
  return new LabError({
    code: "source/changed",
    doing: `reading ${quote(name)}`,
    found: `file changed or was removed: ${found}`,
    allowed: "the same file from opening to the last read",
    advice: "let the download or the other program finish, then open the file again",
    fields: { file: quote(name) },
    cause,
  });
}

/** A file that cannot be read, for a reason other than a change. */
export function sourceUnreadable(name: string, found: string, cause?: unknown): LabError {
  return new LabError({
    code: "source/unreadable",
    doing: `reading ${quote(name)}`,
    found,
    allowed: "a file that can be read from start to end",
    advice: "check its permissions and the disk or connection it is on, then open it again",
    fields: { file: quote(name) },
    cause,
  });
}

/** A file that is not there. */
export function sourceNotFound(name: string, cause?: unknown): LabError {
  return new LabError({
    code: "source/not-found",
    doing: `opening ${quote(name)}`,
    found: "no such file or folder",
    allowed: "a file or folder that is there",
    advice: "check its name and place",
    fields: { file: quote(name) },
    cause,
  });
}

/** The words of any thrown value, safe to print. */
export function wordsOf(thrown: unknown): string {
  return quote(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));
}

/** The last part of a path with `/` between parts. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function outOfRange(name: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "source/out-of-range",
    doing: `reading ${quote(name)}`,
    found,
    allowed,
    advice: "this is a defect of the lab: please report it with these words",
    fields: { file: quote(name) },
  });
}
