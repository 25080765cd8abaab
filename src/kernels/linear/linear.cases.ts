import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { type LinearShape, wholeOutput } from "./linear.oracle.ts";
import { linear } from "./linear.ts";
import { compareProducts } from "./product-tolerance.ts";

/** Around the edges of tiles (4 × 4), bands of them (32 rows), vectors (4 and 8), and blocks (256 rows, 1024 products). */
const SIZES = [
  { m: 1, n: 1, k: 4 },
  { m: 1, n: 4, k: 8 },
  { m: 1, n: 67, k: 132 },
  { m: 2, n: 8, k: 16 },
  { m: 3, n: 5, k: 12 },
  { m: 4, n: 260, k: 12 },
  { m: 5, n: 9, k: 1036 },
  { m: 33, n: 37, k: 68 },
  { m: 40, n: 3, k: 64 },
  { m: 259, n: 6, k: 44 },
  { m: 300, n: 70, k: 4 },
] as const;

/** Products that are all of y, and some that are a block of it. */
const SHAPES: readonly LinearShape[] = [
  ...SIZES.map((sizes) => ({ ...sizes, ...wholeOutput(sizes.n) })),
  { m: 3, n: 4, k: 8, firstRow: 0, outputStride: 9, outputStart: 5 },
  { m: 1, n: 3, k: 12, firstRow: 2, outputStride: 8, outputStart: 1 },
  { m: 9, n: 18, k: 36, firstRow: 5, outputStride: 41, outputStart: 7 },
  { m: 37, n: 7, k: 1032, firstRow: 3, outputStride: 7, outputStart: 0 },
];

/** Sums of whole numbers below 2²⁴ are exact in any order. */
const whole = (random: SeededRandom) => (random.nextUint32() % 17) - 8;
const normal = (random: SeededRandom) => Math.max(-7, Math.min(7, random.nextNormal()));

export const linearCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  Object.entries({ whole, normal }).map(([filling, draw]) => {
    const { m, n, k, firstRow, outputStride } = shape;
    const random = new SeededRandom(m * n + k);
    // Rows and columns on either side of the block.
    const outputWords = (firstRow + m + 1) * outputStride;
    const numbers = (count: number) => new Uint32Array(new Float32Array(count).map(() => draw(random)).buffer);
    const [inputs, weights] = [numbers((firstRow + m) * k), numbers(n * k)];
    return kernelCase(linear, {
      name: `[${m}, ${k}] times [${n}, ${k}], ${filling} numbers, at ${firstRow} of ${outputStride}`,
      source: {},
      shape,
      inputs: [inputs, weights, dirty(outputWords)],
      outputWords,
      ...(draw === whole ? {} : { compare: compareProducts(shape, inputs, weights) }),
    });
  }),
);
