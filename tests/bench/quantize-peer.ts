// Loaded by Node through Vite: our side of the comparison with llama.cpp.
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { KernelBench, requireRight } from "./kernel-bench.ts";
import { freshSeed } from "./made-weights.ts";

const COLS = 1024;

/** Weights of a tile: 4 MiB, as the engine cuts a matrix for eight schemes. */
const TILE = 2 ** 20;

/** One thread that quantizes `count` float32 to INT4 in groups of 32, scales included, tile by tile. */
export async function openQuantizer(count: number) {
  const device = await createWasmDevice({ ...nodeWasm(), threads: 1 });
  await requireRight(device);
  const calls = Array.from({ length: Math.ceil(count / TILE) }, (_, tile) => {
    const own = Math.min(TILE, count - tile * TILE);
    return new KernelBench(device, own / COLS, freshSeed()).quantize("f32", 32).calls;
  }).flat();
  return {
    adapter: device.adapter,
    /** @returns milliseconds */
    async run(): Promise<number> {
      const started = performance.now();
      device.run(calls);
      await device.settle();
      return performance.now() - started;
    },
    close: () => device.destroy(),
  };
}
