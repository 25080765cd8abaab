import type { WorkFile, Workspace } from "./workspace.ts";
import { noRoom } from "./workspace-errors.ts";

/** Bytes that a workspace in memory may take. */
export const MEMORY_WORKSPACE_BYTES = 2 ** 29;

/** A workspace in memory, for where no other can be had. */
export function createMemoryWorkspace(mostBytes: number = MEMORY_WORKSPACE_BYTES): Workspace {
  let used = 0;
  let files: Uint8Array[] = [];
  return {
    async create(sizeBytes): Promise<WorkFile> {
      if (used + sizeBytes > mostBytes) {
        throw noRoom(
          `${used + sizeBytes} bytes wanted, where only memory is left to keep them in`,
          `take a model that needs at most ${mostBytes} bytes here, or the command line, which has the disk`,
        );
      }
      used += sizeBytes;
      const bytes = new Uint8Array(sizeBytes);
      files.push(bytes);
      return {
        name: "in memory",
        sizeBytes,
        async read(start, end, into) {
          const view = into ? new Uint8Array(into, 0, end - start) : new Uint8Array(end - start);
          view.set(bytes.subarray(start, end));
          return view;
        },
        write: async (offset, own) => bytes.set(own, offset),
      };
    },
    async close() {
      files = [];
      used = 0;
    },
  };
}
