/** Sizes of a square matrix of float64, [n, n], row-major, two words to an element, the lower half first. */
export interface SquareShape {
  /** At most 10 880: a call of the WebAssembly device has 512 steps. */
  readonly n: number;
}

/** Rows and columns of a block of the diagonal; `linear/tiles-f64.as.ts` has the same numbers, here and below. */
export const BLOCK = 64;

/** Columns of a piece of an update, and rows of one of a panel. */
export const STRIP = 32;

/** Rows of a piece of an update. */
export const ROWS = 128;

/** The same memory as float64. It begins at a multiple of 8 bytes. */
export function asDoubles({ buffer, byteOffset, length }: Uint32Array): Float64Array {
  return new Float64Array(buffer, byteOffset, Math.floor(length / 2));
}
