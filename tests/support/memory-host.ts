import type { EngineHost } from "../../src/engine/api.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";

/** A host without a GPU that remembers nothing beyond a test; `parts` take the place of what differs. */
export function memoryHost(parts: Partial<EngineHost>): EngineHost {
  return {
    gpu: null,
    wasm: null,
    device: "reference",
    now: () => performance.now(),
    store: createMemoryStore(),
    ...parts,
  };
}
