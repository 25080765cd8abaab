import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { LabError, quote } from "../../base/errors.ts";
import type { ByteSource, Folder } from "../byte-source.ts";
import {
  MAX_READ_BYTES,
  sourceChanged,
  sourceNotFound,
  sourceUnreadable,
  viewForRange,
  wordsOf,
} from "./read-range.ts";

/** Most entries listed of a folder: the largest checkpoints have a few hundred files, a home folder has millions. */
const MAX_FOLDER_ENTRIES = 20_000;

/** Folders that hold a checkout's or a download's own records: tens of thousands of files, none of them the model's. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set([".git", ".cache"]);

/** A file on disk. */
export interface NodeFileSource extends ByteSource {
  /** Closes the file if it was opened. Later reads fail. Safe to call more than once. */
  close(): Promise<void>;
}

/** A folder on disk. */
export interface NodeFolder extends Folder {
  /** Closes every file that was opened. */
  close(): Promise<void>;
}

/**
 * A file on disk, opened at its first read. Each read compares size and modification time with those of now.
 * @throws LabError `source/not-found`, `source/unreadable` (permission, or not a regular file)
 */
export async function openNodeFile(path: string): Promise<NodeFileSource> {
  const status = await statOf(path);
  if (!status.isFile()) throw sourceUnreadable(basename(path), "something that is not a regular file");
  return new DiskFile(path, status);
}

/**
 * A folder on disk, listed with its subfolders; a file is a folder of one. Links to files are followed (Hugging Face caches
 * consist of them), links to folders are not, so that no circle is walked. Links to nothing and what is not a regular file
 * are left out, `.git` and `.cache` too.
 * @throws LabError `source/not-found`, `source/unreadable`, `source/too-many-files`
 */
export async function openNodeFolder(path: string): Promise<NodeFolder> {
  const root = resolve(path);
  const files = new Map<string, NodeFileSource>();
  if ((await statOf(root)).isFile()) files.set(basename(root), await openNodeFile(root));
  else await listInto(files, root, "", { entries: 0 });
  return {
    name: basename(root),
    files,
    async close() {
      for (const file of files.values()) await file.close();
    },
  };
}

async function listInto(
  files: Map<string, NodeFileSource>,
  root: string,
  prefix: string,
  count: { entries: number },
): Promise<void> {
  const listed = await readdir(join(root, prefix), { withFileTypes: true }).catch((thrown: unknown) => {
    throw diskError(prefix || root, thrown);
  });
  listed.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of listed) {
    count.entries++;
    if (count.entries > MAX_FOLDER_ENTRIES) {
      throw new LabError({
        code: "source/too-many-files",
        doing: `listing ${quote(basename(root))}`,
        found: `more than ${MAX_FOLDER_ENTRIES} files and folders`,
        allowed: `at most ${MAX_FOLDER_ENTRIES}`,
        advice: "open the folder of the checkpoint itself",
      });
    }
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDERS.has(entry.name)) await listInto(files, root, `${path}/`, count);
      continue;
    }
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const status = await stat(join(root, path), { bigint: true }).catch(() => null);
    if (status?.isFile()) files.set(path, new DiskFile(join(root, path), status));
  }
}

class DiskFile implements NodeFileSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #status: BigIntStats;
  #handle: Promise<FileHandle> | null = null;
  #isClosed = false;

  constructor(path: string, status: BigIntStats) {
    this.name = basename(path);
    this.sizeBytes = Number(status.size);
    this.#path = path;
    this.#status = status;
  }

  async read(start: number, end: number, into?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const view = viewForRange(this, start, end, into);
    if (this.#isClosed) throw sourceUnreadable(this.name, "a file that was closed");
    this.#handle ??= this.#open();
    const handle = await this.#handle;
    await this.#checkUnchanged(handle);
    for (let done = 0; done < view.byteLength; ) {
      const length = Math.min(view.byteLength - done, MAX_READ_BYTES);
      const { bytesRead } = await handle.read(view, done, length, start + done).catch((thrown: unknown) => {
        throw sourceUnreadable(this.name, wordsOf(thrown), thrown);
      });
      if (bytesRead === 0) throw sourceChanged(this.name, `it ends at byte ${start + done}`);
      done += bytesRead;
    }
    // Again, since it may have been written to between the check and the read.
    await this.#checkUnchanged(handle);
    return view;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const handle = this.#handle;
    this.#handle = null;
    // A file that never opened has nothing to close; its reader got the error.
    await handle?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }

  #open(): Promise<FileHandle> {
    return open(this.#path, constants.O_RDONLY).catch((thrown: unknown) => {
      throw codeOf(thrown) === "ENOENT" ? sourceChanged(this.name, "it is gone", thrown) : diskError(this.name, thrown);
    });
  }

  async #checkUnchanged(handle: FileHandle): Promise<void> {
    const { size, mtimeNs, ino, nlink } = await handle.stat({ bigint: true });
    if (nlink === 0n || ino !== this.#status.ino) throw sourceChanged(this.name, "it was removed or replaced");
    if (size !== this.#status.size) {
      throw sourceChanged(this.name, `its size was ${this.#status.size} bytes and is ${size}`);
    }
    if (mtimeNs !== this.#status.mtimeNs) throw sourceChanged(this.name, "it was written to since it was opened");
  }
}

async function statOf(path: string): Promise<BigIntStats> {
  return await stat(path, { bigint: true }).catch((thrown: unknown) => {
    throw diskError(basename(path), thrown);
  });
}

function diskError(name: string, thrown: unknown): LabError {
  const code = codeOf(thrown);
  if (code === "ENOENT" || code === "ENOTDIR") return sourceNotFound(name, thrown);
  const found = code === "EACCES" || code === "EPERM" ? "no permission to read it" : wordsOf(thrown);
  return sourceUnreadable(name, found, thrown);
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
