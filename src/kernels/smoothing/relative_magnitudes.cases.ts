import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { dirty, ELEMENTS } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { type RelativeMagnitudesShape, ROWS_PER_BLOCK } from "./relative_magnitudes.oracle.ts";
import { relativeMagnitudes, relativeMagnitudesWords } from "./relative_magnitudes.ts";

/** Around the edges of words, of vectors (8), of chunks of columns (256) and of blocks (64 rows). */
const SHAPES: readonly RelativeMagnitudesShape[] = [
  { rows: 1, cols: 1, groupSize: 1 },
  { rows: 3, cols: 14, groupSize: 7 },
  { rows: 64, cols: 128, groupSize: 32 },
  { rows: 65, cols: 256, groupSize: 128 },
  { rows: 5, cols: 520, groupSize: 520 },
  { rows: 70, cols: 277, groupSize: 277 },
  { rows: 200, cols: 48, groupSize: 16 },
];

/** Finite weights; bits of a format where that is what matters. */
const FILLINGS: Readonly<Record<string, (random: SeededRandom, row: number, column: number) => number>> = {
  "usual weights": (random) => random.nextNormal() * 0.02,
  "channels of unequal size": (random, _row, column) => random.nextNormal() * 2 ** ((column % 20) - 18),
  "rows of zeros": (random, row) => (row % 3 === 1 ? -0 : random.nextNormal()),
  "about as small as what is added": (random) => random.nextNormal() * 1e-6,
  "smaller still": (random) => random.nextNormal() * 2 ** -24,
  "a few whole numbers": (random) => (random.nextUint32() % 2001) - 1000,
  "nearly the largest of f16": (random) => (random.nextUniform() < 0.5 ? -65504 : 65472),
};

/**
 * Each share is at most 1 and exact in bf16 and f16, but for shares below f16's smallest normal number, which shaders leave as
 * they are: 2⁻²⁵ from the nearest subnormal at most. In float32 the sum in the divisor may be rounded either way (one unit in
 * the last place), the division may be 2.5 units off, so that four hold both. Each addition rounds either way what is added up.
 * What is below 2⁻¹²⁶ may count as 0.
 */
function compareSums(element: FloatName, actual: Uint32Array, expected: Uint32Array): string | null {
  const relative = (ROWS_PER_BLOCK + (element === "f32" ? 4 : 0)) * 2 ** -23;
  const absolute = ROWS_PER_BLOCK * (element === "f16" ? 2 ** -25 : 2 ** -126);
  const found = asFloats(actual);
  for (const [at, sum] of asFloats(expected).entries()) {
    const own = found[at] ?? Number.NaN;
    if (!(Math.abs(own - sum) <= relative * sum + absolute)) return `sum ${at}: ${own}, expected ${sum}`;
  }
  return null;
}

export const relativeMagnitudesCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  SHAPES.flatMap((shape) =>
    Object.entries(FILLINGS).map(([filling, draw], seed) => {
      const random = new SeededRandom(seed);
      const { rows, cols, groupSize } = shape;
      const weights = dirty(elementWords(rows * cols, element));
      for (let index = 0; index < rows * cols; index++) {
        const value = draw(random, Math.floor(index / cols), index % cols);
        setElement(weights, index, FLOAT_FORMATS[element].toBits(value), element);
      }
      const outputWords = relativeMagnitudesWords(shape);
      return kernelCase(relativeMagnitudes, {
        name: `${element} [${rows}, ${cols}] in groups of ${groupSize}: ${filling}`,
        source: { element },
        shape,
        inputs: [weights, dirty(outputWords)],
        outputWords,
        compare: (actual, expected) => compareSums(element, actual, expected),
      });
    }),
  ),
);
