import type { OutputFolder } from "../../src/formats/output.ts";

/** An export in memory. */
export interface MemoryOutput extends OutputFolder {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly state: "open" | "committed" | "discarded";
}

/** Collects an export for a test to look at. Bytes that were never written stay 0xEE. */
export function createMemoryOutput(): MemoryOutput {
  const files = new Map<string, Uint8Array>();
  let state: MemoryOutput["state"] = "open";
  return {
    files,
    get state() {
      return state;
    },
    async create(path, sizeBytes) {
      const bytes = new Uint8Array(sizeBytes).fill(0xee);
      files.set(path, bytes);
      return {
        async write(offset, part) {
          if (state !== "open") throw new Error(`${path} was written after the export was ${state}`);
          bytes.set(part, offset);
        },
        async close() {},
      };
    },
    async commit() {
      state = "committed";
    },
    async discard() {
      if (state === "committed") return;
      state = "discarded";
      files.clear();
    },
  };
}
