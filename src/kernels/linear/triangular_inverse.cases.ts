import { SeededRandom } from "../../base/random.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { asDoubles } from "./doubles.ts";
import { triangularInverse } from "./triangular_inverse.ts";

/** Around the edges of tiles (4), strips (32 and 128) and blocks (64). */
const SIZES = [1, 2, 3, 5, 31, 64, 65, 67, 96, 127, 128, 130, 195, 261];

/** Lower triangular matrices. */
const FILLINGS: Readonly<Record<string, (row: number, column: number, n: number, random: SeededRandom) => number>> = {
  "a factor": (row, column, n, random) =>
    row === column ? 1 + random.nextUniform() : random.nextNormal() / Math.sqrt(n),
  "negative diagonals": (row, column, _, random) => (row === column ? -2 : random.nextUniform() / 8),
  "ones, whose inverse is two diagonals": () => 1,
  "rows far apart": (row, column, n, random) =>
    (row === column ? 1 : random.nextNormal() / n) * 2 ** ((row % 5) * 60 - (column % 5) * 60),
};

export const triangularInverseCases: readonly KernelCase[] = SIZES.flatMap((n) =>
  Object.entries(FILLINGS).map(([filling, draw]) => {
    const random = new SeededRandom(n);
    // What lies above the diagonal is not read.
    const matrix = new Float64Array(n * n).map((_, index) => {
      const [row, column] = [Math.floor(index / n), index % n];
      return column <= row ? draw(row, column, n, random) : Number.NaN;
    });
    return kernelCase(triangularInverse, {
      name: `${filling} [${n}, ${n}]`,
      source: {},
      shape: { n },
      inputs: [new Uint32Array(matrix.buffer)],
      outputWords: 2 * n * n,
      // There is one inverse, and both must be it.
      compare: (actual, expected) =>
        compareInverse(asDoubles(expected), matrix, n) ?? compareInverse(asDoubles(actual), matrix, n),
    });
  }),
);

/**
 * Whether L X is the identity. Every sum of products X and L that a block goes through loses at most n units in the last
 * place of its magnitudes (Higham 2002, section 14.2), and goes through a block of L, one of X and the two once more at most,
 * since blocks are multiplied by inverses rather than solved: |L X − I| ≤ 4 n ε |L| |X| |L| |X|.
 */
function compareInverse(inverse: Float64Array, matrix: Float64Array, n: number): string | null {
  for (let row = 0; row < n; row++) {
    for (let column = row + 1; column < n; column++) {
      if (inverse[row * n + column] !== 0) return `${row}, ${column} is not zero`;
    }
  }
  const residual = lowerProduct(matrix, inverse, n, (one) => one);
  const once = lowerProduct(matrix, inverse, n, Math.abs);
  const twice = lowerProduct(once, once, n, Math.abs);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      const at = row * n + column;
      const distance = Math.abs((residual[at] ?? Number.NaN) - (row === column ? 1 : 0));
      const limit = 4 * n * Number.EPSILON * (twice[at] ?? 0);
      if (!(distance <= limit)) return `product ${row}, ${column}: ${distance} off, allowed ${limit}`;
    }
  }
  return null;
}

/** The product of two lower triangular matrices, each element passed through `form` first. */
function lowerProduct(
  one: Float64Array,
  other: Float64Array,
  n: number,
  form: (value: number) => number,
): Float64Array {
  const product = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let k = 0; k <= row; k++) {
      const factor = form(one[row * n + k] ?? Number.NaN);
      for (let column = 0; column <= k; column++) {
        const at = row * n + column;
        product[at] = (product[at] ?? 0) + factor * form(other[k * n + column] ?? Number.NaN);
      }
    }
  }
  return product;
}
