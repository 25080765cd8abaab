import type { PreparedText } from "../../src/engine/text-api.ts";

/** Windows of ids as a text, whatever they mean. */
export function textOf(windows: readonly (readonly number[])[]): PreparedText {
  return {
    windows,
    slices: [{ name: "ids", places: [...windows.keys()] }],
    source: "ids",
    tokenizer: "none",
    bos: null,
    hash: JSON.stringify(windows),
    windowHashes: windows.map((window) => JSON.stringify(window)),
    textHashes: [],
    findings: [],
  };
}
