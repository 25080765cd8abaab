import type { FloatName } from "../base/float-format.ts";

/**
 * Weights on a device: elements of one float format one after the other, 16-bit ones two to a word, the first in the
 * lower half.
 */

/** Pipeline constant `ELEMENT` of `shaders/lib/elements.wgsl`. */
export const ELEMENT_CODES: Readonly<Record<FloatName, number>> = { bf16: 0, f16: 1, f32: 2 };

/** What a kernel rounds numbers to on the way to its result; null: they stay float32. */
export type InnerRounding = "bf16" | "f16" | null;

/** Pipeline constant `ROUNDING` of `shaders/lib/format_rounding.wgsl`. */
export function roundingCode(rounding: InnerRounding): number {
  return ELEMENT_CODES[rounding ?? "f32"];
}

/** 32-bit words that hold `count` elements. */
export function elementWords(count: number, element: FloatName): number {
  return element === "f32" ? count : Math.ceil(count / 2);
}

/** Bits of element `index`. */
export function elementAt(words: Uint32Array, index: number, element: FloatName): number {
  if (element === "f32") return words[index] ?? 0;
  const word = words[index >>> 1] ?? 0;
  return index % 2 === 0 ? word & 0xffff : word >>> 16;
}

/** Writes element `index`. */
export function setElement(words: Uint32Array, index: number, bits: number, element: FloatName): void {
  if (element === "f32") {
    words[index] = bits;
    return;
  }
  const at = index >>> 1;
  const word = words[at] ?? 0;
  words[at] = index % 2 === 0 ? (word & 0xffff0000) | bits : (word & 0xffff) | (bits << 16);
}
