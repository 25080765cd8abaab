import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { MAX_ENTRY_BYTES, opened, SEAL_BYTES, sealed } from "./sealed-entry.ts";
import { checkKey, type Store, type StoredEntry } from "./store.ts";

/** What a file of an entry ends with; others in the folder are on their way there, or not ours. */
const ENDING = ".entry";

/** The lab's folder among the caches of this user: `$XDG_CACHE_HOME/quantization-lab`, or `~/.cache/quantization-lab`. */
export function nodeCacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_CACHE_HOME: chosen = "" } = environment;
  // A relative one is to be passed over, says the XDG Base Directory Specification.
  return join(isAbsolute(chosen) ? chosen : join(homedir(), ".cache"), "quantization-lab");
}

/**
 * A store in a folder on disk, which is made. Entries are written beside their place and renamed: whoever reads meanwhile,
 * or comes after a kill, finds the old one or the new one.
 * @throws what the file system says where the folder cannot be made
 */
export async function openNodeStore(folder: string = nodeCacheFolder()): Promise<Store> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const place = (key: string) => {
    checkKey(key);
    return join(folder, `${key}${ENDING}`);
  };
  return {
    get: async (key) => entryAt(place(key)).catch(() => null),
    async put(key, bytes) {
      const target = place(key);
      const file = sealed(bytes);
      if (!file) return;
      const partial = `${target}.${randomBytes(6).toString("hex")}`;
      try {
        await writeFile(partial, file, { flag: "wx" });
        await rename(partial, target);
      } catch {
        // A full disk, or a folder that has gone: the entry is computed again some day.
        await rm(partial, { force: true }).catch(() => undefined);
      }
    },
    async list() {
      const names = await readdir(folder).catch(() => []);
      const entries = await Promise.all(names.map((name) => listed(folder, name)));
      return entries.filter((entry) => entry !== null);
    },
    async delete(key) {
      await rm(place(key), { force: true }).catch(() => undefined);
    },
  };
}

async function entryAt(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > SEAL_BYTES + MAX_ENTRY_BYTES) return null;
    const bytes = new Uint8Array(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return opened(bytes.slice(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** A file of the folder as an entry; null where it is none. */
async function listed(folder: string, name: string): Promise<StoredEntry | null> {
  if (!name.endsWith(ENDING)) return null;
  try {
    const { size } = await stat(join(folder, name));
    return { key: name.slice(0, -ENDING.length), sizeBytes: Math.max(0, size - SEAL_BYTES) };
  } catch {
    // Removed since.
    return null;
  }
}
