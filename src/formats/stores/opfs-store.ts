import { MAX_ENTRY_BYTES, opened, SEAL_BYTES, sealed } from "./sealed-entry.ts";
import { checkKey, type Store, type StoredEntry } from "./store.ts";

/** Beside `exports`, which holds archives on their way to the user. */
const FOLDER = "store";

/**
 * A store in the origin's private file system, for pages and workers. A browser writes a file beside its place and puts it
 * there when it is closed: whoever reads meanwhile finds the old one or the new one.
 * @param storage the host's `navigator.storage`
 * @throws what the browser says where it has no such file system, as in some private windows
 */
export async function openOpfsStore(storage: Pick<StorageManager, "getDirectory">): Promise<Store> {
  const root = await storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  return {
    async get(key) {
      checkKey(key);
      return entryOf(folder, key).catch(() => null);
    },
    async put(key, bytes) {
      checkKey(key);
      const file = sealed(bytes);
      // No room, or a browser that writes in another way only: the entry is computed again some day.
      if (file) await write(folder, key, file).catch(() => undefined);
    },
    async list() {
      const entries: StoredEntry[] = [];
      try {
        for await (const [key, handle] of folder.entries()) {
          if (!isFile(handle)) continue;
          const { size } = await handle.getFile();
          entries.push({ key, sizeBytes: Math.max(0, size - SEAL_BYTES) });
        }
      } catch {
        // The rest went away while it was listed.
      }
      return entries;
    },
    async delete(key) {
      checkKey(key);
      await folder.removeEntry(key).catch(() => undefined);
    },
  };
}

async function entryOf(folder: FileSystemDirectoryHandle, key: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const file = await (await folder.getFileHandle(key)).getFile();
  if (file.size > SEAL_BYTES + MAX_ENTRY_BYTES) return null;
  return opened(new Uint8Array(await file.arrayBuffer()));
}

async function write(folder: FileSystemDirectoryHandle, key: string, file: Uint8Array<ArrayBuffer>): Promise<void> {
  const handle = await folder.getFileHandle(key, { create: true });
  const target = await handle.createWritable();
  try {
    await target.write(file);
    await target.close();
  } catch (thrown) {
    await target.abort().catch(() => undefined);
    throw thrown;
  }
}

function isFile(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === "file";
}
