import type { Plugin } from "vite";

/** Makes `x.as.ts?wasm` and `x.as.ts?wasm-shared` compiled modules as bytes. */
export function assembly(): Plugin;
