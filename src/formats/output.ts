/**
 * Where a checkpoint is written. Files become visible together, by `commit`, or not at all.
 * Order of calls: `create` and writes for each file, then exactly one of `commit` and `discard`.
 */
export interface OutputFolder {
  /**
   * Starts a file of known size. Every byte of it is written exactly once, in any order.
   * @param path relative to the folder, `/` between parts
   */
  create(path: string, sizeBytes: number): Promise<OutputFile>;
  /** Makes all files visible under their final name. After it nothing can be discarded. */
  commit(): Promise<void>;
  /** Removes everything that was written. Safe to call at any time before `commit`, more than once. */
  discard(): Promise<void>;
}

/** One file of an output folder. */
export interface OutputFile {
  /** Puts `bytes` at `offset`. The bytes may be reused by the caller as soon as the promise settles. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
