import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { LabError, quote } from "../../base/errors.ts";
import type { OutputFile, OutputFolder } from "../output.ts";
import { checkOutputPath, misuse, WriteGuard, writeFailed } from "./output-errors.ts";

/** What the export must stay clear of. */
export interface NodeOutputOptions {
  /** Input folders (or files). The export may neither be one of them, nor lie inside one, nor contain one. */
  readonly notInside: readonly string[];
}

/**
 * An export to a folder on disk. Everything is written to `<final>.partial-<random>` beside it, synced, and renamed at the
 * end: the final folder is absent or complete, also after a kill. What a killed export left is in nobody's way, and stays.
 * @param finalPath a folder that does not exist or is empty; folders above it are made
 * @throws LabError `export/output-is-input`, `export/not-empty`, `export/write-failed`
 */
export async function createNodeOutput(finalPath: string, options: NodeOutputOptions): Promise<OutputFolder> {
  const wanted = resolve(finalPath);
  const { existing, missing } = await foldersAbove(wanted);
  const final = join(existing, ...missing, basename(wanted));
  await refuseInputs(final, existing, options.notInside);
  const hasEmptyFolder = await refuseOccupied(final);
  await makeFolders(existing, missing);
  // Not the process id: in a container every run may have the same.
  const partial = `${final}.partial-${randomBytes(6).toString("hex")}`;
  await mkdir(partial).catch((thrown: unknown) => {
    throw writeFailed(partial, words(thrown), thrown);
  });
  return new DiskOutput(partial, final, hasEmptyFolder);
}

/** Bytes after which the disk is asked to begin. */
const SYNC_AHEAD_BYTES = 16 * 2 ** 20;

class DiskOutput implements OutputFolder {
  readonly #partial: string;
  readonly #final: string;
  readonly #replacesEmptyFolder: boolean;
  readonly #files = new Map<string, DiskFile>();
  readonly #folders: Set<string>;
  #state: "open" | "committed" | "discarded" = "open";

  constructor(partial: string, final: string, replacesEmptyFolder: boolean) {
    this.#partial = partial;
    this.#final = final;
    this.#replacesEmptyFolder = replacesEmptyFolder;
    this.#folders = new Set([partial]);
  }

  async create(path: string, sizeBytes: number): Promise<OutputFile> {
    checkOutputPath(path);
    if (this.#state !== "open") throw misuse(path, `the export was ${this.#state}`, "files before its end");
    if (this.#files.has(path)) throw misuse(path, "it was started before", "each file once");
    const guard = new WriteGuard(path, sizeBytes);
    const place = join(this.#partial, path);
    try {
      for (let folder = dirname(place); !this.#folders.has(folder); folder = dirname(folder)) this.#folders.add(folder);
      await mkdir(dirname(place), { recursive: true });
      const file = new DiskFile(path, guard, await open(place, "wx"));
      this.#files.set(path, file);
      return file;
    } catch (thrown) {
      throw writeFailed(path, words(thrown), thrown);
    }
  }

  async commit(): Promise<void> {
    if (this.#state !== "open") throw misuse(this.#final, `the export was ${this.#state}`, "one commit");
    for (const [path, file] of this.#files) {
      if (!file.isClosed) throw misuse(path, "it is still open", "commits of closed files");
    }
    try {
      for (const folder of this.#folders) await syncFolder(folder);
      // `rmdir` fails on a folder that has been filled since, and `rename` does not replace a folder on Windows.
      if (this.#replacesEmptyFolder) await rmdir(this.#final);
      await rename(this.#partial, this.#final);
    } catch (thrown) {
      throw writeFailed(this.#final, words(thrown), thrown);
    }
    this.#state = "committed";
    // The export is whole and in place; a failure here could only be reported, not undone.
    await syncFolder(dirname(this.#final)).catch(() => undefined);
  }

  async discard(): Promise<void> {
    if (this.#state === "committed") return;
    this.#state = "discarded";
    for (const file of this.#files.values()) await file.abandon();
    await rm(this.#partial, { recursive: true, force: true }).catch((thrown: unknown) => {
      throw writeFailed(this.#partial, `it could not be removed: ${words(thrown)}`, thrown);
    });
  }
}

class DiskFile implements OutputFile {
  readonly #path: string;
  readonly #guard: WriteGuard;
  #handle: FileHandle | null;
  /** Bytes since a sync was last begun, and the syncs that were. */
  #unsynced = 0;
  #syncing: Promise<void> | null = null;

  constructor(path: string, guard: WriteGuard, handle: FileHandle) {
    this.#path = path;
    this.#guard = guard;
    this.#handle = handle;
  }

  get isClosed(): boolean {
    return this.#guard.isClosed;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#guard.beforeWrite(offset, bytes.byteLength);
    try {
      for (let done = 0; done < bytes.byteLength; ) {
        const result = await this.#opened().write(bytes, done, bytes.byteLength - done, offset + done);
        done += result.bytesWritten;
      }
      this.#syncAhead(bytes.byteLength);
    } catch (thrown) {
      throw thrown instanceof LabError ? thrown : writeFailed(this.#path, words(thrown), thrown);
    }
  }

  /** Has the disk write while the next bytes are made: less is left for the sync at the end. */
  #syncAhead(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#unsynced < SYNC_AHEAD_BYTES) return;
    this.#unsynced = 0;
    // Linux tells a failure to one sync only, so that `close` asks this one too.
    const before = this.#syncing;
    const handle = this.#opened();
    this.#syncing = (async () => {
      await before;
      await handle.datasync();
    })();
    this.#syncing.catch(() => {});
  }

  async close(): Promise<void> {
    this.#guard.close();
    try {
      await this.#syncing;
      await this.#opened().sync();
    } catch (thrown) {
      throw thrown instanceof LabError ? thrown : writeFailed(this.#path, words(thrown), thrown);
    } finally {
      await this.abandon();
    }
  }

  /** Lets go of the file, whatever is in it. */
  async abandon(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    // The bytes are synced or about to be deleted: closing has nothing left to lose.
    await handle?.close().catch(() => undefined);
  }

  #opened(): FileHandle {
    if (this.#handle === null) throw misuse(this.#path, "it is closed", "writes before close and discard");
    return this.#handle;
  }
}

/** The lowest folder above `path` that is there, links resolved, and the names of those below it that are not. */
async function foldersAbove(path: string): Promise<{ existing: string; missing: readonly string[] }> {
  const missing: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      return { existing: await realpath(folder), missing };
    } catch (thrown) {
      if (codeOf(thrown) !== "ENOENT" || folder === dirname(folder)) throw writeFailed(path, words(thrown), thrown);
      missing.unshift(basename(folder));
    }
  }
}

/** One by one: where a file system takes no folders, such as /proc, Node's own recursion never ends. */
async function makeFolders(existing: string, names: readonly string[]): Promise<void> {
  let folder = existing;
  for (const name of names) {
    folder = join(folder, name);
    await mkdir(folder).catch((thrown: unknown) => {
      if (codeOf(thrown) !== "EEXIST") throw writeFailed(folder, words(thrown), thrown);
    });
  }
}

/**
 * Compares folders by device and inode, so that links and other letter case do not fool it, and by their text, for
 * inputs that are not there.
 */
async function refuseInputs(final: string, parent: string, inputs: readonly string[]): Promise<void> {
  const finalId = await identityOf(final);
  const above = [...(await identitiesAbove(parent)), ...(finalId === null ? [] : [finalId])];
  for (const input of inputs) {
    const real = await realpath(input).catch(() => resolve(input));
    const inputId = await identityOf(real);
    const isSame = real === final || (inputId !== null && inputId === finalId);
    const isInside = inputId !== null && above.includes(inputId);
    const contains = finalId !== null && (await identitiesAbove(dirname(real))).includes(finalId);
    if (!isSame && !isInside && !contains) continue;
    const relation = isSame ? "is the input" : isInside ? "lies inside the input" : "contains the input";
    throw new LabError({
      code: "export/output-is-input",
      doing: `preparing the export to ${quote(final)}`,
      found: `the output ${relation} ${quote(real)}`,
      allowed: "an output folder apart from the checkpoint that is read",
      advice: "choose another output folder",
      fields: { output: quote(final), input: quote(real) },
    });
  }
}

/** @returns whether an empty folder stands at `final` */
async function refuseOccupied(final: string): Promise<boolean> {
  let found = "something that is not a folder";
  try {
    const names = await readdir(final);
    const isLink = (await realpath(final)) !== final;
    if (names.length === 0 && !isLink) return true;
    found = isLink ? "a link to another place" : `a folder that is not empty (${names.length} entries)`;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return false;
    if (codeOf(thrown) !== "ENOTDIR") throw writeFailed(final, words(thrown), thrown);
  }
  throw new LabError({
    code: "export/not-empty",
    doing: `preparing the export to ${quote(final)}`,
    found,
    allowed: "a path where nothing is, or an empty folder",
    advice: "choose another output folder, or remove that one",
    fields: { output: quote(final) },
  });
}

async function identityOf(path: string): Promise<string | null> {
  return await stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
}

/** Identities of `path` and of every folder above it. */
async function identitiesAbove(path: string): Promise<readonly string[]> {
  const identities: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    const identity = await identityOf(folder);
    if (identity !== null) identities.push(identity);
    if (folder === dirname(folder)) return identities;
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; its file system journals renames by itself.
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}

function words(thrown: unknown): string {
  const known = new Map<unknown, string>([
    ["ENOSPC", "the disk is full"],
    ["EACCES", "no permission to write there"],
    ["EPERM", "no permission to write there"],
    ["EROFS", "the disk is read-only"],
  ]);
  return known.get(codeOf(thrown)) ?? quote(thrown instanceof Error ? thrown.message : String(thrown));
}
