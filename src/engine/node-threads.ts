import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ComputeThread, WasmHost } from "../device/wasm/wasm-device.ts";
import { WASM_KERNELS } from "../kernels/wasm-kernels.ts";

/** WebAssembly in a Node process: one thread a core. They do not keep the process alive. */
export function nodeWasm(): WasmHost {
  return { kernels: WASM_KERNELS, threads: availableParallelism(), startThread };
}

function startThread(): ComputeThread {
  const worker = new Worker(new URL("../device/wasm/compute-thread.node.mjs", import.meta.url));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    listen(onAnswer, onFailure) {
      worker.on("message", onAnswer);
      worker.on("error", (error) => onFailure(error.message));
    },
    terminate: () => void worker.terminate(),
  };
}
