import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { SLACK_WORDS, withSlack } from "./model-inputs.ts";
import { widen } from "./widen.ts";

/** Around the edges of words, vectors, invocations (64 weights; blocks of 4 × 8) and pieces (8192 weights, 16 columns). */
const SHAPES = [
  { rows: 1, cols: 1 },
  { rows: 1, cols: 7 },
  { rows: 3, cols: 5 },
  { rows: 4, cols: 8 },
  { rows: 8, cols: 24 },
  { rows: 33, cols: 31 },
  { rows: 65, cols: 64 },
  { rows: 68, cols: 130 },
  { rows: 129, cols: 65 },
] as const;

/** Any bits at all, so subnormals, infinities and NaN too, the corners of the format first. */
function anyWeights(count: number, element: FloatName): Uint32Array<ArrayBuffer> {
  const { infinity, nan, precision, sizeBytes } = FLOAT_FORMATS[element];
  const signBit = 2 ** (8 * sizeBytes - 1);
  const smallestNormal = 2 ** (precision - 1);
  const corners = [0, 1, smallestNormal - 1, smallestNormal, infinity - 1, infinity, infinity + 1, nan];
  const signed = corners.flatMap((bits) => [bits, bits + signBit]);
  const random = new SeededRandom(count);
  const words = new Uint32Array(elementWords(count, element));
  for (let i = 0; i < count; i++) setElement(words, i, signed[i] ?? random.nextUint32() % (2 * signBit), element);
  return words;
}

export const widenCases: readonly KernelCase[] = (["bf16", "f16", "f32"] as const).flatMap((element) =>
  [false, true].flatMap((isTransposed) =>
    SHAPES.map(({ rows, cols }) =>
      kernelCase(widen, {
        name: `${element} [${rows}, ${cols}]${isTransposed ? ", transposed" : ""}`,
        source: { element, isTransposed },
        shape: { rows, cols },
        inputs: [anyWeights(rows * cols, element), withSlack(new Uint32Array(rows * cols).fill(0xdeadbeef))],
        outputWords: rows * cols + SLACK_WORDS,
      }),
    ),
  ),
);
