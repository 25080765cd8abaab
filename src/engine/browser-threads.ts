import threadUrl from "../device/wasm/compute-thread.worker.ts?worker&url";
import type { ComputeThread, WasmHost } from "../device/wasm/wasm-device.ts";
import { WASM_KERNELS } from "../kernels/wasm-kernels.ts";

/** Turns an address of this origin into code, where the headers ask for such a policy. */
interface ScriptPolicy {
  createScriptURL(url: string): unknown;
}

/** WebAssembly in a browser's worker: one thread a core. */
export function browserWasm(): WasmHost {
  return { kernels: WASM_KERNELS, threads: navigator.hardwareConcurrency, startThread };
}

let policy: ScriptPolicy | null | undefined;

function startThread(): ComputeThread {
  policy ??= makePolicy();
  const url = (policy === null ? threadUrl : policy.createScriptURL(threadUrl)) as string;
  const worker = new Worker(url, { type: "module", name: "compute" });
  return {
    post: (message) => worker.postMessage(message),
    listen(onAnswer, onFailure) {
      worker.onmessage = ({ data }) => onAnswer(data);
      worker.onerror = (event) => onFailure(event.message || "a compute thread could not be started");
    },
    terminate: () => worker.terminate(),
  };
}

/** The policy's name is the one that the page's headers allow. */
function makePolicy(): ScriptPolicy | null {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
  };
  if (!trustedTypes) return null;
  return trustedTypes.createPolicy("lab-worker", {
    createScriptURL(url: string): string {
      if (new URL(url, globalThis.location.href).origin !== globalThis.location.origin) {
        throw new TypeError("a worker may only come from this origin");
      }
      return url;
    },
  });
}
