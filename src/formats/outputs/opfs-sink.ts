import { LabError, quote } from "../../base/errors.ts";
import {
  createGuardedFile,
  type GuardedFile,
  NoSyncAccessError,
  type OpfsHost,
  type SyncAccessHandle,
  workerOpfsHost,
} from "../opfs/guarded-file.ts";
import { writeFailed } from "./output-errors.ts";
import type { RandomAccessSink } from "./tar-output.ts";

/** An export in the browser's private storage. It lives until `discard`, or until a later visit clears it away. */
export interface OpfsSink extends RandomAccessSink {
  /**
   * The written file, after `finish`. Its name is a storage name: give the download another.
   * @throws LabError `export/write-failed`
   */
  getFile(): Promise<File>;
}

const FOLDER = "exports";

/**
 * Starts a file in the folder `exports` of the origin's private file system, and removes what earlier visits left there.
 * Works in dedicated workers only.
 * @throws LabError `export/write-failed` where there is no such storage or no room, `export/no-storage`
 */
export async function openOpfsSink(host: OpfsHost = workerOpfsHost()): Promise<OpfsSink> {
  try {
    return new OpfsFile(await createGuardedFile(host, FOLDER));
  } catch (thrown) {
    throw storageError(thrown);
  }
}

class OpfsFile implements OpfsSink {
  readonly #guarded: GuardedFile;
  #isFinished = false;

  constructor(guarded: GuardedFile) {
    this.#guarded = guarded;
  }

  write(offset: number, bytes: Uint8Array): void {
    const written = this.#attempt((access) => access.write(bytes, { at: offset }));
    // A full quota may show as fewer bytes instead of an error.
    if (written !== bytes.byteLength) {
      throw writeFailed(this.#guarded.file.name, `${written} of ${bytes.byteLength} bytes were taken`);
    }
  }

  finish(sizeBytes: number): void {
    this.#attempt((access) => {
      access.truncate(sizeBytes);
      access.flush();
      access.close();
    });
    this.#isFinished = true;
  }

  async getFile(): Promise<File> {
    const { file } = this.#guarded;
    if (!this.#isFinished) throw writeFailed(file.name, "it is not finished");
    return await file.getFile().catch((thrown: unknown) => {
      throw storageError(thrown);
    });
  }

  async discard(): Promise<void> {
    this.#isFinished = true;
    await this.#guarded.remove().catch((thrown: unknown) => {
      throw storageError(thrown);
    });
  }

  #attempt<T>(action: (access: SyncAccessHandle) => T): T {
    const { file, access } = this.#guarded;
    if (this.#isFinished) throw writeFailed(file.name, "it is finished already");
    try {
      return action(access);
    } catch (thrown) {
      throw storageError(thrown);
    }
  }
}

function storageError(thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown;
  if (thrown instanceof NoSyncAccessError) {
    return new LabError({
      code: "export/no-storage",
      doing: "preparing the export in the browser's storage",
      found: thrown.message,
      allowed: "a dedicated worker of a browser that has it (Chromium 108, Firefox 111, Safari 16.4 or later)",
      advice: "update the browser, or export with the command line",
      cause: thrown,
    });
  }
  const found = quote(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));
  return writeFailed("the export in the browser's storage", found, thrown);
}
