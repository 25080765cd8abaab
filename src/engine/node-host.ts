import { basename, dirname, resolve } from "node:path";
import { LabError, quote } from "../base/errors.ts";
import type { ByteSource, Folder } from "../formats/byte-source.ts";
import type { OutputFolder } from "../formats/output.ts";
import { writeNodeFile } from "../formats/outputs/node-file-output.ts";
import { createNodeOutput } from "../formats/outputs/node-output.ts";
import { openNodeFile, openNodeFolder } from "../formats/sources/node-file-source.ts";
import { openNodeStore } from "../formats/stores/node-store.ts";
import { createHostStore, type Store } from "./store.ts";

export { createNodeWorkspace } from "../formats/workspaces/node-workspace.ts";

/** What outlives a run, in this user's cache folder. */
export function nodeStore(): Store {
  return createHostStore(openNodeStore);
}

/** A model on disk, and how to let go of it. */
export interface DiskModel {
  readonly folder: Folder;
  /** The folder that exports must stay clear of. */
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Opens a model on disk: a folder, a `.safetensors` file (alone), an index or a config.json (with their folder).
 * @throws LabError `source/…`
 */
export async function openDiskModel(path: string): Promise<DiskModel> {
  const place = resolve(path);
  if (place.endsWith(".safetensors")) {
    const source = await openNodeFile(place);
    const folder = { name: basename(place), files: new Map([[basename(place), source]]) };
    return { folder, path: place, close: () => source.close() };
  }
  const folderPath = place.endsWith(".json") ? dirname(place) : place;
  const folder = await openNodeFolder(folderPath);
  if (basename(place) !== "config.json" || place === folderPath)
    return { folder, path: folderPath, close: () => folder.close() };
  const config = folder.files.get("config.json");
  const only = { name: folder.name, files: new Map(config ? [["config.json", config]] : []) };
  return { folder: only, path: folderPath, close: () => folder.close() };
}

/**
 * Opens a single file on disk.
 * @param name what it counts as, whatever it is called; null: by its own name
 * @throws LabError `source/…`
 */
export async function openDiskFile(
  path: string,
  name: string | null,
): Promise<{ readonly source: ByteSource; close(): Promise<void> }> {
  const source = await openNodeFile(resolve(path));
  const named: ByteSource =
    name === null
      ? source
      : { name, sizeBytes: source.sizeBytes, read: (start, end, into) => source.read(start, end, into) };
  return { source: named, close: () => source.close() };
}

/**
 * An export folder beside nothing of its input. Parent folders are made.
 * @throws LabError `export/…`
 */
export async function createDiskOutput(path: string, input: DiskModel): Promise<OutputFolder> {
  return createNodeOutput(path, { notInside: [input.path] });
}

/**
 * Writes one file; what had its name stays until all of it is written.
 * @throws LabError `export/write-failed`
 */
export async function writeDiskFile(path: string, contents: string | Uint8Array): Promise<void> {
  await writeNodeFile(resolve(path), contents);
}

/** The optional package `webgpu` (Dawn for Node). */
export interface NodeWebGpu {
  readonly create: (flags: string[]) => GPU;
  readonly globals: object;
}

/**
 * The WebGPU entry point of a Node process, null where the package is not installed.
 * The driver is chosen by the environment before the process starts (`VK_ICD_FILENAMES`, `LD_LIBRARY_PATH`).
 * @throws LabError `device/broken-package` where it is installed and does not load
 */
export async function nodeGpu(load: () => Promise<NodeWebGpu>): Promise<GPU | null> {
  try {
    const { create, globals } = await load();
    const gpu = create([]);
    // Dawn's entry point must stay alive while anything of it is in use: collected early, the process crashes or hangs.
    Object.assign(globalThis, globals, { labGpu: gpu });
    return gpu;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") return null;
    throw new LabError({
      code: "device/broken-package",
      doing: "loading the package webgpu",
      found: quote(cause instanceof Error ? cause.message : String(cause)),
      allowed: "the package as its registry has it, for this system",
      advice: "install it again, or choose the CPU",
      cause,
    });
  }
}
