/** What changes the program of an integer kernel. */
export interface IntSource {
  readonly bits: 4 | 8;
  /**
   * Fraction bits that the quotient loses before it is rounded to an integer: 16 for `eager` (bf16 keeps 7 of 23), 6 for
   * `triton` (the float32 quotient, less what a WGSL division may be off).
   */
  readonly arithmetic: "eager" | "triton";
}

/** What changes only the run. Weights lie group after group: `groups` × `groupSize` elements. */
export interface IntShape {
  readonly groups: number;
  readonly groupSize: number;
}

/** How codes are stored: `offset` adds 2^(bits−1), as pack-quantized does; `twos-complement` is int-quantized. */
export type CodeStorage = "offset" | "twos-complement";

/** What changes the program of quantize and pack. */
export interface IntQuantizeSource extends IntSource {
  readonly storage: CodeStorage;
}

/** What changes the program of unpack and dequantize. */
export interface IntDequantizeSource {
  readonly bits: 4 | 8;
  readonly storage: CodeStorage;
}

/** Pipeline constant `DROPPED_BITS` of an arithmetic. */
export function droppedBits(arithmetic: IntSource["arithmetic"]): number {
  return arithmetic === "eager" ? 16 : 6;
}

/** Pipeline constant `OFFSET` of a storage. */
export function codeOffset(bits: number, storage: CodeStorage): number {
  return storage === "offset" ? 2 ** (bits - 1) : 0;
}
