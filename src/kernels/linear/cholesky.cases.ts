import { SeededRandom } from "../../base/random.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { cholesky } from "./cholesky.ts";
import { asDoubles } from "./doubles.ts";

/** Around the edges of tiles (4), strips (32 and 128) and blocks (64). */
const SIZES = [1, 2, 3, 4, 5, 31, 64, 65, 67, 96, 127, 128, 130, 195, 261];

type Draw = (n: number, random: SeededRandom) => (row: number, column: number) => number;

/** Symmetric positive definite matrices. */
const FILLINGS: Readonly<Record<string, Draw>> = {
  // As a layer's inputs give: correlated features of unequal size, damped by a hundredth.
  "a Hessian": (n, random) => {
    const samples = Array.from({ length: 24 }, () =>
      Array.from({ length: n }, (_, i) => random.nextNormal() * (1 + (i % 7))),
    );
    const product = (row: number, column: number) =>
      samples.reduce((sum, sample) => sum + (sample[row] ?? 0) * (sample[column] ?? 0), 0);
    return (row, column) => product(row, column) + (row === column ? 4 : 0);
  },
  // A Hilbert matrix is as good as singular; a little on the diagonal leaves a condition of 10⁹.
  "a damped Hilbert matrix": () => (row, column) => 1 / (row + column + 1) + (row === column ? 1e-9 : 0),
  "elements far apart": () => (row, column) =>
    (row === column ? 1 : 0.25 / (1 + row + column)) * 2 ** ((row % 9) * 40 + (column % 9) * 40 - 300),
};

/** Matrices with a leading minor that is not positive, and which. */
const FAILURES: readonly { readonly name: string; readonly n: number; readonly at: number; readonly value: number }[] =
  [
    { name: "zero", n: 1, at: 0, value: 0 },
    { name: "negative in the first block", n: 70, at: 9, value: -1 },
    { name: "negative in the second block", n: 140, at: 70, value: -1e-3 },
    { name: "negative at the end", n: 131, at: 130, value: -2 },
    { name: "no number", n: 66, at: 64, value: Number.NaN },
  ];

/** The lower part of a matrix. What lies above is nobody's business, and no number that could pass for one. */
function matrixOf(n: number, element: (row: number, column: number) => number): Uint32Array<ArrayBuffer> {
  const matrix = new Float64Array(n * n).map((_, index) => {
    const [row, column] = [Math.floor(index / n), index % n];
    return column <= row ? element(row, column) : Number.NaN;
  });
  return new Uint32Array(matrix.buffer);
}

export const choleskyCases: readonly KernelCase[] = [
  ...SIZES.flatMap((n) =>
    Object.entries(FILLINGS).map(([filling, draw]) => {
      const matrix = matrixOf(n, draw(n, new SeededRandom(n)));
      return kernelCase(cholesky, {
        name: `${filling} [${n}, ${n}]`,
        source: {},
        shape: { n },
        inputs: [new Uint32Array([0xdeadbeef]), matrix],
        outputWords: 2 * n * n,
        // There is one factor, and both must be it.
        compare: (actual, expected) =>
          compareProduct(asDoubles(expected), asDoubles(matrix), n) ??
          compareProduct(asDoubles(actual), asDoubles(matrix), n),
      });
    }),
  ),
  ...FAILURES.map(({ name, n, at, value }) =>
    kernelCase(cholesky, {
      name: `${name}: minor ${at + 1} of ${n} is not positive`,
      source: {},
      shape: { n },
      inputs: [
        new Uint32Array([0xdeadbeef]),
        matrixOf(n, (row, column) => (row !== column ? 0.25 / n : row === at ? value : 1)),
      ],
      outputWords: 2 * n * n,
      // The status is compared bit for bit; the matrix holds nothing of use.
      compare: () => null,
    }),
  ),
];

/**
 * Whether L Lᵀ is the matrix. However the sums are taken, what is lost stays below γ(n + 1) |L| |Lᵀ| (Higham 2002, "Accuracy
 * and Stability of Numerical Algorithms", theorem 10.3), and row i of |L| has the length √a(i, i); this comparison's own sums
 * lose as much again.
 */
function compareProduct(factor: Float64Array, matrix: Float64Array, n: number): string | null {
  const at = (of: Float64Array, row: number, column: number) => of[row * n + column] ?? Number.NaN;
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      if (column > row && at(factor, row, column) !== 0) return `${row}, ${column} is not zero`;
      if (column > row) continue;
      if (column === row && !(at(factor, row, row) > 0)) return `diagonal ${row} is not positive`;
      let sum = 0;
      for (let k = 0; k <= column; k++) sum += at(factor, row, k) * at(factor, column, k);
      const limit = (n + 1) * Number.EPSILON * Math.sqrt(at(matrix, row, row) * at(matrix, column, column));
      const distance = Math.abs(sum - at(matrix, row, column));
      if (!(distance <= limit)) return `product ${row}, ${column}: ${distance} off, allowed ${limit}`;
    }
  }
  return null;
}
