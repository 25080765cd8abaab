// The little of the safetensors format that the checks read by themselves.
import { closeSync, openSync, readSync } from "node:fs";

/** @returns {{ dataStart: number, tensors: Record<string, { data_offsets: [number, number] }> }} */
export function readHeader(file) {
  const handle = openSync(file, "r");
  try {
    const length = Buffer.alloc(8);
    readSync(handle, length, 0, 8, 0);
    const text = Buffer.alloc(Number(length.readBigUInt64LE(0)));
    readSync(handle, text, 0, text.length, 8);
    const { __metadata__: _, ...tensors } = JSON.parse(text.toString("utf8"));
    return { dataStart: 8 + text.length, tensors };
  } finally {
    closeSync(handle);
  }
}
