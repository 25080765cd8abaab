import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import type { BlockShape } from "./block.ts";

/** A permutation of `cols` columns. */
export function shuffledOrder(cols: number, seed: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(seed);
  const order = Uint32Array.from({ length: cols }, (_, column) => column);
  for (let place = cols - 1; place > 0; place--) {
    const other = random.nextUint32() % (place + 1);
    [order[place], order[other]] = [order[other] ?? 0, order[place] ?? 0];
  }
  return order;
}

/**
 * An upper triangular factor [cols, cols] of which a kernel may read the rows of a block: all else is NaN, so that a number taken
 * from elsewhere shows.
 * @param element of places in the order; on the diagonal both are the same
 */
export function factorOf(
  { cols, first, count }: BlockShape,
  element: (row: number, column: number) => number,
): Float32Array<ArrayBuffer> {
  const factor = new Float32Array(cols * cols).fill(Number.NaN);
  for (let row = first; row < first + count; row++) {
    for (let column = row; column < cols; column++) factor[row * cols + column] = element(row, column);
  }
  return factor;
}

/** The same memory as words. */
export function wordsOf({ buffer }: Float32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(buffer);
}

/** A comparison of positive float32: the first that is off by more than a share of what is expected, or null. */
export function compareShares(share: number): (actual: Uint32Array, expected: Uint32Array) => string | null {
  return (actual, expected) => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    // A NaN is no distance, and is never within the limit.
    const at = wanted.findIndex((right, place) => !(Math.abs((found[place] ?? Number.NaN) - right) <= share * right));
    return at < 0 ? null : `number ${at}: ${found[at]}, expected ${wanted[at]}`;
  };
}
