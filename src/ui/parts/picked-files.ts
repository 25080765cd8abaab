import { LabError } from "../../base/errors.ts";
import type { ModelChoice } from "../../engine/worker-api.ts";

/** A checkpoint has tens of files. A dropped home folder has more than this, and is refused before it is walked. */
const MAX_FILES = 5_000;
/** Deeper than any checkpoint; a loop of links would go on for ever. */
const MAX_DEPTH = 12;

/** A file with its path as the browser tells it. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** The files of an `<input type="file">`, folders and all. */
export function filesOf(list: Iterable<File>): readonly PickedFile[] {
  return [...list].map((file) => ({
    path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath,
    file,
  }));
}

/**
 * The choice that picked files make: the folder's name without it in the paths, or the first file's name for loose files.
 * @throws LabError `source/nothing-picked`, `source/too-many-files`
 */
export function choiceOf(picked: readonly PickedFile[]): ModelChoice {
  if (picked.length > MAX_FILES) throw tooMany();
  const visible = picked.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  const [first] = visible;
  if (first === undefined) {
    throw new LabError({
      code: "source/nothing-picked",
      doing: "opening a folder",
      found: "no files in it",
      allowed: "a Hugging Face folder with .safetensors files, or such a file",
      advice: "choose the folder that holds model.safetensors and config.json",
    });
  }
  const root = commonFolder(visible.map(({ path }) => path));
  const cut = root === "" ? 0 : root.length + 1;
  const name = root === "" ? first.file.name.replace(/\.safetensors$/, "") : (root.split("/").at(-1) ?? root);
  return { kind: "files", name, files: visible.map(({ path, file }) => ({ path: path.slice(cut), file })) };
}

/** The longest folder that all paths lie in, without a slash at its end. */
function commonFolder(paths: readonly string[]): string {
  const [first = "", ...others] = paths.map((path) => path.split("/").slice(0, -1));
  const parts = [...first];
  for (const other of others) {
    const differs = parts.findIndex((part, index) => other[index] !== part);
    if (differs >= 0) parts.length = differs;
  }
  return parts.join("/");
}

/**
 * The files of a drop. Has to be called in the drop event itself: its items are gone afterwards.
 * @throws LabError `source/too-many-files`, `source/unreadable`
 */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly PickedFile[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.() ?? null)
    .filter((entry) => entry !== null);
  const loose = filesOf(transfer.files);
  if (entries.length === 0) return loose;
  const found: PickedFile[] = [];
  for (const entry of entries) await walk(entry, found, 0);
  return found;
}

async function walk(entry: FileSystemEntry, found: PickedFile[], depth: number): Promise<void> {
  if (depth > MAX_DEPTH || found.length > MAX_FILES) throw tooMany();
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject)).catch((cause) => {
      throw unreadable(cause);
    });
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader hands out a hundred entries at a time, and an empty list at its end.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject)).catch(
      (cause) => {
        throw unreadable(cause);
      },
    );
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, found, depth + 1);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function tooMany(): LabError {
  return new LabError({
    code: "source/too-many-files",
    doing: "opening a folder",
    found: `more than ${MAX_FILES} files, or folders nested deeper than ${MAX_DEPTH}`,
    allowed: `at most ${MAX_FILES} files in a checkpoint`,
    advice: "choose the folder that holds model.safetensors itself",
  });
}

function unreadable(cause: unknown): LabError {
  return new LabError({
    code: "source/unreadable",
    doing: "listing the dropped folder",
    found: "the browser could not read it",
    allowed: "a folder that this user may read",
    advice: "check its permissions, or choose it with Open folder",
    cause,
  });
}
