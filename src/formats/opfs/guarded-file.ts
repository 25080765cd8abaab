/** What files in the origin's private file system need of a worker's global scope. */
export interface OpfsHost {
  readonly storage: Pick<StorageManager, "getDirectory">;
  /** Keeps other tabs from clearing this tab's files away; null where there are none, and the file handle alone guards. */
  readonly locks: Pick<LockManager, "request"> | null;
  readonly randomName: () => string;
}

/** The part of `FileSystemSyncAccessHandle` in use; TypeScript declares it for workers only. */
export interface SyncAccessHandle {
  read(bytes: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(sizeBytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** An empty file that no other tab clears away while this one lives. */
export interface GuardedFile {
  readonly file: FileSystemFileHandle;
  readonly access: SyncAccessHandle;
  /** Closes and removes the file, and lets go of its guard. Whether it is closed or gone already does not matter. */
  remove(): Promise<void>;
}

/** The browser, or this thread of it, opens no files for reading and writing at once. */
export class NoSyncAccessError extends Error {}

/** The host of a browser's worker. */
export function workerOpfsHost(): OpfsHost {
  return { storage: navigator.storage, locks: navigator.locks ?? null, randomName: () => crypto.randomUUID() };
}

/**
 * Starts a file in a folder of the origin's private file system, and removes what earlier visits left there. Works in
 * dedicated workers only.
 * @throws NoSyncAccessError; what the browser says where it has no such file system, or no room
 */
export async function createGuardedFile(host: OpfsHost, folderName: string): Promise<GuardedFile> {
  await removeLeftovers(host, folderName);
  const folder = await folderOf(host, folderName);
  const name = host.randomName();
  // Before the file is there: another tab must never see it unguarded.
  const release = await holdLock(host, lockName(folderName, name));
  try {
    const file = await folder.getFileHandle(name, { create: true });
    if (!canOpenAccess(file)) throw new NoSyncAccessError("no synchronous file access");
    const access = await file.createSyncAccessHandle();
    return {
      file,
      access,
      async remove() {
        access.close();
        await folder.removeEntry(name).catch((thrown: unknown) => {
          if (!(thrown instanceof DOMException) || thrown.name !== "NotFoundError") throw thrown;
        });
        release();
      },
    };
  } catch (thrown) {
    await folder.removeEntry(name).catch(() => undefined);
    release();
    throw thrown;
  }
}

/**
 * Removes the files of a folder that no living tab holds. A file that cannot be removed is in use: it stays.
 * @throws what the browser says where it has no such file system
 */
export async function removeLeftovers(host: OpfsHost, folderName: string): Promise<void> {
  const folder = await folderOf(host, folderName);
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) {
    const remove = (): Promise<void> => folder.removeEntry(name).catch(() => undefined);
    const { locks } = host;
    if (locks === null) await remove();
    else {
      const look = (lock: Lock | null) => (lock === null ? undefined : remove());
      await locks.request(lockName(folderName, name), { ifAvailable: true }, look);
    }
  }
}

async function folderOf(host: OpfsHost, name: string): Promise<FileSystemDirectoryHandle> {
  const root = await host.storage.getDirectory();
  return root.getDirectoryHandle(name, { create: true });
}

/** Holds a lock until the returned function is called or the tab ends. */
async function holdLock({ locks }: OpfsHost, name: string): Promise<() => void> {
  if (locks === null) return () => undefined;
  return await new Promise((resolve, reject) => {
    const held = locks.request(name, () => new Promise<void>((release) => resolve(() => release())));
    held.catch(reject);
  });
}

function lockName(folder: string, name: string): string {
  return `quantization-lab/${folder}/${name}`;
}

function canOpenAccess(
  file: FileSystemFileHandle,
): file is FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> } {
  return "createSyncAccessHandle" in file;
}
