import { LabError, quote } from "../../base/errors.ts";
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

/** What the sink needs of a worker's global scope. */
export interface OpfsHost {
  readonly storage: Pick<StorageManager, "getDirectory">;
  /** Keeps other tabs from clearing this tab's exports away; null where there are none, and the file handle alone guards. */
  readonly locks: Pick<LockManager, "request"> | null;
  readonly randomName: () => string;
}

/** The part of `FileSystemSyncAccessHandle` in use; TypeScript declares it for workers only. */
interface SyncAccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(sizeBytes: number): void;
  flush(): void;
  close(): void;
}

const FOLDER = "exports";

/** The host of a browser's worker. */
export function workerOpfsHost(): OpfsHost {
  return { storage: navigator.storage, locks: navigator.locks ?? null, randomName: () => crypto.randomUUID() };
}

/**
 * Starts a file in the folder `exports` of the origin's private file system, and removes what earlier visits left there.
 * Works in dedicated workers only.
 * @throws LabError `export/write-failed` where there is no such storage or no room, `export/no-storage`
 */
export async function openOpfsSink(host: OpfsHost = workerOpfsHost()): Promise<OpfsSink> {
  try {
    const root = await host.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    await removeLeftovers(folder, host);
    const name = host.randomName();
    const release = await holdLock(host, name);
    try {
      const file = await folder.getFileHandle(name, { create: true });
      return new OpfsFile(folder, file, await openAccess(file), release);
    } catch (thrown) {
      release();
      await folder.removeEntry(name).catch(() => undefined);
      throw thrown;
    }
  } catch (thrown) {
    throw storageError(thrown);
  }
}

class OpfsFile implements OpfsSink {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #file: FileSystemFileHandle;
  readonly #release: () => void;
  #access: SyncAccessHandle | null;

  constructor(
    folder: FileSystemDirectoryHandle,
    file: FileSystemFileHandle,
    access: SyncAccessHandle,
    release: () => void,
  ) {
    this.#folder = folder;
    this.#file = file;
    this.#access = access;
    this.#release = release;
  }

  write(offset: number, bytes: Uint8Array): void {
    const written = this.#attempt((access) => access.write(bytes, { at: offset }));
    // A full quota may show as fewer bytes instead of an error.
    if (written !== bytes.byteLength) {
      throw writeFailed(this.#file.name, `${written} of ${bytes.byteLength} bytes were taken`);
    }
  }

  finish(sizeBytes: number): void {
    this.#attempt((access) => {
      access.truncate(sizeBytes);
      access.flush();
      access.close();
    });
    this.#access = null;
  }

  async getFile(): Promise<File> {
    if (this.#access !== null) throw writeFailed(this.#file.name, "it is not finished");
    return await this.#file.getFile().catch((thrown: unknown) => {
      throw storageError(thrown);
    });
  }

  async discard(): Promise<void> {
    this.#access?.close();
    this.#access = null;
    await this.#folder.removeEntry(this.#file.name).catch((thrown: unknown) => {
      if (!(thrown instanceof DOMException) || thrown.name !== "NotFoundError") throw storageError(thrown);
    });
    this.#release();
  }

  #attempt<T>(action: (access: SyncAccessHandle) => T): T {
    if (this.#access === null) throw writeFailed(this.#file.name, "it is finished already");
    try {
      return action(this.#access);
    } catch (thrown) {
      throw storageError(thrown);
    }
  }
}

/** Removes the files that no living tab holds. A file that cannot be removed is in use: it stays. */
async function removeLeftovers(folder: FileSystemDirectoryHandle, host: OpfsHost): Promise<void> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) {
    const remove = (): Promise<void> => folder.removeEntry(name).catch(() => undefined);
    if (host.locks === null) await remove();
    else
      await host.locks.request(lockName(name), { ifAvailable: true }, (lock) => (lock === null ? undefined : remove()));
  }
}

/** Holds the lock of one file until the returned function is called or the tab ends. */
async function holdLock(host: OpfsHost, name: string): Promise<() => void> {
  const { locks } = host;
  if (locks === null) return () => undefined;
  return await new Promise((resolve, reject) => {
    const held = locks.request(lockName(name), () => new Promise<void>((release) => resolve(() => release())));
    held.catch(reject);
  });
}

function lockName(name: string): string {
  return `quantization-lab/${FOLDER}/${name}`;
}

async function openAccess(file: FileSystemFileHandle): Promise<SyncAccessHandle> {
  if (canOpenAccess(file)) return await file.createSyncAccessHandle();
  throw new LabError({
    code: "export/no-storage",
    doing: "preparing the export in the browser's storage",
    found: "no synchronous file access",
    allowed: "a dedicated worker of a browser that has it (Chromium 108, Firefox 111, Safari 16.4 or later)",
    advice: "update the browser, or export with the command line",
  });
}

function canOpenAccess(
  file: FileSystemFileHandle,
): file is FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> } {
  return "createSyncAccessHandle" in file;
}

function storageError(thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown;
  const found = quote(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));
  return writeFailed("the export in the browser's storage", found, thrown);
}
