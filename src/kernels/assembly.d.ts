declare module "*.as.ts?wasm" {
  export const wasm: Uint8Array<ArrayBuffer>;
}

declare module "*.as.ts?wasm-shared" {
  export const wasm: Uint8Array<ArrayBuffer>;
}
