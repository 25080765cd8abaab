import { formatBytes } from "../../base/format.ts";
import {
  createGuardedFile,
  type GuardedFile,
  type OpfsHost,
  removeLeftovers,
  workerOpfsHost,
} from "../opfs/guarded-file.ts";
import { createMemoryWorkspace } from "./memory-workspace.ts";
import type { WorkFile, Workspace } from "./workspace.ts";
import { noRoom } from "./workspace-errors.ts";

/** What the workspace needs of a worker's global scope. */
export interface OpfsWorkspaceHost extends OpfsHost {
  readonly storage: Pick<StorageManager, "getDirectory" | "estimate">;
}

const FOLDER = "workspaces";

/**
 * A workspace in the origin's private file system: one file, of which each of its files is a part, one after the other. What a
 * page that was closed has left is removed by the next one. Works in dedicated workers; where the browser has no such file
 * system, as in some private windows, memory stands in.
 */
export function createOpfsWorkspace(host: OpfsWorkspaceHost = workerHost()): Workspace {
  let place: Promise<GuardedFile | Workspace> | null = null;
  let sizeBytes = 0;
  const failed = async (thrown: unknown) => noRoom(wordsOf(thrown), await adviceOf(host), thrown);
  return {
    async create(wanted): Promise<WorkFile> {
      place ??= placeOf(host);
      const found = await place.catch(async (thrown) => {
        place = null;
        throw await failed(thrown);
      });
      if (!("access" in found)) return found.create(wanted);
      const start = sizeBytes;
      try {
        // What is added is zero. Where there is no room for it, Chromium may leave the file as it was and say nothing.
        found.access.truncate(start + wanted);
        const given = found.access.getSize();
        if (given !== start + wanted) throw new Error(`${given} bytes were given of ${start + wanted}`);
        sizeBytes += wanted;
      } catch (thrown) {
        throw await failed(thrown);
      }
      return workFile(found, start, wanted, failed);
    },
    async close() {
      const found = await place?.catch(() => null);
      place = null;
      sizeBytes = 0;
      if (!found) return;
      if ("access" in found) await found.remove();
      else await found.close();
    },
  };
}

/** Removes what pages left that are closed by now. Where there is no such file system there is nothing to remove. */
export async function clearOpfsWorkspaces(host: OpfsHost = workerOpfsHost()): Promise<void> {
  await removeLeftovers(host, FOLDER).catch(() => undefined);
}

/** A file of the private file system, or where it cannot be had a workspace in memory. */
async function placeOf(host: OpfsWorkspaceHost): Promise<GuardedFile | Workspace> {
  try {
    return await createGuardedFile(host, FOLDER);
  } catch (thrown) {
    if (isFull(thrown)) throw thrown;
    return createMemoryWorkspace();
  }
}

function workFile(
  { access }: GuardedFile,
  first: number,
  sizeBytes: number,
  failed: (thrown: unknown) => Promise<Error>,
): WorkFile {
  const moved = async (bytes: Uint8Array, move: () => number) => {
    try {
      const done = move();
      // A full quota may show as fewer bytes instead of an error.
      if (done !== bytes.byteLength) throw new Error(`${done} of ${bytes.byteLength} bytes were moved`);
    } catch (thrown) {
      throw await failed(thrown);
    }
  };
  return {
    name: "in the browser's storage",
    sizeBytes,
    async read(start, end, into) {
      const view = into ? new Uint8Array(into, 0, end - start) : new Uint8Array(end - start);
      await moved(view, () => access.read(view, { at: first + start }));
      return view;
    },
    async write(offset, bytes) {
      await moved(bytes, () => access.write(bytes, { at: first + offset }));
    },
  };
}

function isFull(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === "QuotaExceededError";
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

async function adviceOf({ storage }: OpfsWorkspaceHost): Promise<string> {
  const free = await storage.estimate().then(
    ({ quota, usage }) => (quota === undefined || usage === undefined ? null : Math.max(0, quota - usage)),
    () => null,
  );
  const room = free === null ? "" : `this page may store ${formatBytes(free)} more: `;
  return `${room}make room on the disk, forget what is kept, or take the command line`;
}

function workerHost(): OpfsWorkspaceHost {
  return { ...workerOpfsHost(), storage: navigator.storage };
}
