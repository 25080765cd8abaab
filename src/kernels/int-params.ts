import type { FloatName } from "../base/float-format.ts";

/** How a weight becomes an integer code. Each part changes the program. */
export interface IntCodes {
  /** The format of weights and scales. */
  readonly element: FloatName;
  /** Width of a code, 2 to 8. */
  readonly bits: number;
  /** Without a zero point. */
  readonly symmetric: boolean;
  /** `eager` rounds the quotient to the weights' format before it becomes an integer, `triton` leaves it float32. */
  readonly arithmetic: "eager" | "triton";
}

/** How codes are stored. */
export interface CodeStorage {
  /** Bits of a stored code: those of the code, or 8 where each has a byte of its own. */
  readonly storedBits: number;
  /** 2^(bits−1), which is added to each code before it is stored, as pack-quantized does; 0: two's complement. */
  readonly offset: number;
}

/**
 * What changes only the run. Weight i lies in group floor(i / groupSize). Codes are packed stream by stream, each of which
 * begins in a word of its own: a stream a row, or one for all where codes have whole bytes.
 */
export interface IntShape {
  readonly streams: number;
  readonly streamLength: number;
  readonly groupSize: number;
}

/** Weights of `shape`. */
export function elementsOf({ streams, streamLength }: IntShape): number {
  return streams * streamLength;
}

/** Groups of `shape`; the last may be shorter. */
export function groupsOf(shape: IntShape): number {
  return Math.ceil(elementsOf(shape) / shape.groupSize);
}

/** Words of codes of `shape`. */
export function codeWords({ streams, streamLength }: IntShape, storedBits: number): number {
  return streams * Math.ceil((streamLength * storedBits) / 32);
}

/**
 * Pipeline constant `PRECISION`: significant bits that the quotient keeps. eager: those of the weights' format. triton: all
 * 24 of float32.
 */
export function quotientPrecision({ element, arithmetic }: Pick<IntCodes, "element" | "arithmetic">): number {
  if (arithmetic === "triton") return 24;
  return { bf16: 8, f16: 11, f32: 24 }[element];
}

/** Signed bytes, four to a word, the first lowest: how zero points lie on a device. */
export function byteAt(words: Uint32Array, index: number): number {
  const field = ((words[index >>> 2] ?? 0) >>> ((index % 4) * 8)) & 0xff;
  return field < 128 ? field : field - 256;
}

/** Writes signed byte `index`. */
export function setByte(words: Uint32Array, index: number, value: number): void {
  const shift = (index % 4) * 8;
  const at = index >>> 2;
  words[at] = ((words[at] ?? 0) & ~(0xff << shift)) | ((value & 0xff) << shift);
}
