/**
 * A file's bytes, read slice by slice, wherever they live: a browser `File`, a file on disk, a same-origin URL, a buffer.
 * Nothing is read before it is asked for.
 */
export interface ByteSource {
  /** File name without folders, for messages. Untrusted: quote it before showing it. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * Bytes `start` (inclusive) to `end` (exclusive).
   * @param into a buffer to reuse, at least `end - start` bytes long. It may be detached: go on with the `buffer` of the
   *   returned view. Without it a new one is made.
   * @returns a view of exactly `end - start` bytes, at offset 0 of its buffer
   * @throws LabError `source/unreadable`, `source/changed`, `source/out-of-range`
   */
  read(start: number, end: number, into?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
}

/** A folder of files by their path relative to it, `/` between parts. A single dropped file is a folder of one. */
export interface Folder {
  readonly name: string;
  readonly files: ReadonlyMap<string, ByteSource>;
}
