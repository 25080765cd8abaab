import { type FileHandle, mkdtemp, open, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkFile, Workspace } from "./workspace.ts";
import { noRoom } from "./workspace-errors.ts";

/**
 * A workspace in a new folder among the system's temporary files. Where the system allows it, files have no name once they are
 * open, so that nothing is left even of a process that is killed.
 */
export function createNodeWorkspace(parent: string = tmpdir()): Workspace {
  let folder: Promise<string> | null = null;
  const handles: FileHandle[] = [];
  const failed = (cause: unknown) =>
    noRoom(cause instanceof Error ? cause.message : String(cause), `make room in ${parent}, or set TMPDIR`, cause);
  return {
    async create(sizeBytes): Promise<WorkFile> {
      try {
        folder ??= mkdtemp(join(parent, "quantization-lab-"));
        const path = join(await folder, `${handles.length}`);
        const handle = await open(path, "wx+", 0o600);
        handles.push(handle);
        await handle.truncate(sizeBytes);
        await unlink(path).catch(() => undefined);
        return workFile(handle, sizeBytes, failed);
      } catch (cause) {
        throw failed(cause);
      }
    },
    async close() {
      for (const handle of handles.splice(0)) await handle.close();
      // A folder that could not be made was reported when it was asked for.
      const made = await folder?.catch(() => null);
      folder = null;
      if (made) await rm(made, { recursive: true, force: true });
    },
  };
}

function workFile(handle: FileHandle, sizeBytes: number, failed: (cause: unknown) => Error): WorkFile {
  const whole = async (bytes: Uint8Array, move: (done: number) => Promise<number>) => {
    for (let done = 0; done < bytes.byteLength; ) {
      const moved = await move(done).catch((cause) => {
        throw failed(cause);
      });
      if (moved === 0) throw failed("the file ended early");
      done += moved;
    }
  };
  return {
    name: "on disk",
    sizeBytes,
    async read(start, end, into) {
      const view = into ? new Uint8Array(into, 0, end - start) : new Uint8Array(end - start);
      await whole(
        view,
        async (done) => (await handle.read(view, done, view.byteLength - done, start + done)).bytesRead,
      );
      return view;
    },
    async write(offset, bytes) {
      await whole(
        bytes,
        async (done) => (await handle.write(bytes, done, bytes.byteLength - done, offset + done)).bytesWritten,
      );
    },
  };
}
