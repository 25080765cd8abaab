import threadUrl from "../device/wasm/compute-thread.worker.ts?worker&url";
import type { ComputeThread, WasmHost } from "../device/wasm/wasm-device.ts";
import { WASM_KERNELS } from "../kernels/wasm-kernels.ts";
import { scriptUrl } from "./script-url.ts";

/** WebAssembly in a browser's worker: one thread a core. */
export function browserWasm(): WasmHost {
  return { kernels: WASM_KERNELS, threads: navigator.hardwareConcurrency, startThread };
}

function startThread(): ComputeThread {
  const worker = new Worker(scriptUrl(threadUrl), { type: "module", name: "compute" });
  return {
    post: (message) => worker.postMessage(message),
    listen(onAnswer, onFailure) {
      worker.onmessage = ({ data }) => onAnswer(data);
      worker.onerror = (event) => onFailure(event.message || "a compute thread could not be started");
    },
    terminate: () => worker.terminate(),
  };
}
