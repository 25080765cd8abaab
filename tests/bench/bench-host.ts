import type { DeviceChoice, EngineHost } from "../../src/engine/api.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";

/** What a worker of the bench lends to the engine: nothing is kept from one run to the next. */
export function hostOf(device: DeviceChoice): EngineHost {
  return {
    gpu: navigator.gpu ?? null,
    wasm: browserWasm(),
    device,
    now: () => performance.now(),
    store: createMemoryStore(),
  };
}
