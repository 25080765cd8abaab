import { wasm as single } from "./module.as.ts?wasm";
import { wasm as shared } from "./module.as.ts?wasm-shared";

/** Every kernel for WebAssembly, compiled for memory that threads share and for memory of one thread. */
export const WASM_KERNELS = { shared, single };
