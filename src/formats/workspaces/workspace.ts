import type { ByteSource } from "../byte-source.ts";

/** A file of a workspace: read as any other, and written to. What was not written yet is zero. */
export interface WorkFile extends ByteSource {
  /** Puts `bytes` at `offset`, within the file. They may be reused as soon as the promise settles. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
}

/** Room for what a job makes and reads again, too large for memory. Nothing of it is left after `close`. */
export interface Workspace {
  /** @throws LabError `run/no-room` */
  create(sizeBytes: number): Promise<WorkFile>;
  close(): Promise<void>;
}
