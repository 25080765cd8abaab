import { FLOAT_FORMATS, type FloatFormat } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { dirty, ELEMENTS } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { ScaleLinesShape, ScaleLinesSource } from "./scale_lines.oracle.ts";
import { scaleLines } from "./scale_lines.ts";

/** Around the edges of words, vectors, invocations (64 weights) and pieces (4096). */
const SHAPES: readonly ScaleLinesShape[] = [
  { rows: 1, cols: 1 },
  { rows: 3, cols: 5 },
  { rows: 16, cols: 8 },
  { rows: 64, cols: 130 },
  { rows: 67, cols: 129 },
];

type Draw = (random: SeededRandom, format: FloatFormat) => number;
const signed = (random: SeededRandom, value: number) => (random.nextUniform() < 0.5 ? -value : value);

/** Weights as numbers of the format, and factors beside them. */
const FILLINGS: Readonly<Record<string, { readonly weight: Draw; readonly factor: Draw }>> = {
  "usual weights": {
    weight: (random) => random.nextNormal() * 0.02,
    factor: (random) => Math.exp(random.nextNormal()),
  },
  "many magnitudes": {
    weight: (random) => random.nextNormal() * 2 ** (40 * random.nextUniform() - 35),
    factor: (random) => random.nextNormal() * 2 ** (30 * random.nextUniform() - 15),
  },
  // Few bits on either side: products and quotients that lie in the middle between two elements, and quotients near one.
  ties: {
    weight: (random) => signed(random, (random.nextUint32() % 1023) + 1),
    factor: (random) => ((random.nextUint32() % 511) + 1) * 2 ** ((random.nextUint32() % 21) - 10),
  },
  "all bits of a weight": {
    weight: (random, format) => format.fromBits(random.nextUint32() % 2 ** (8 * format.sizeBytes)),
    factor: (random) => 1 + random.nextUniform(),
  },
  "subnormals and overflow": {
    weight: (random, format) => {
      const bits = [0, 1, 2, 3, 2 ** (format.precision - 1), format.infinity - 1, format.infinity - 2];
      return signed(random, format.fromBits(bits[random.nextUint32() % bits.length] ?? 0));
    },
    factor: (random) => [0.5, 1, 1.5, 2, 3, 2 ** -140, 2 ** 100, 1 / 3, 2 ** -126][random.nextUint32() % 9] ?? 1,
  },
  "any bits at all": {
    weight: (random, format) => format.fromBits(random.nextUint32() % 2 ** (8 * format.sizeBytes)),
    factor: (random) => FLOAT_FORMATS.f32.fromBits(random.nextUint32()),
  },
  corners: {
    weight: (random, format) => {
      const bits = [0, 1, format.toBits(1), format.infinity - 1, format.infinity, format.nan];
      return signed(random, format.fromBits(bits[random.nextUint32() % bits.length] ?? 0));
    },
    factor: (random) =>
      signed(random, [0, 1, Number.POSITIVE_INFINITY, Number.NaN, 2 ** -149, 2 ** 127][random.nextUint32() % 6] ?? 0),
  },
};

/** One case. The half word after the last weight is not zero, and nobody may read it. */
function scaleLinesCase(source: ScaleLinesSource, shape: ScaleLinesShape, filling: string, seed: number): KernelCase {
  const { weight, factor } = FILLINGS[filling] as (typeof FILLINGS)[string];
  const { element, axis, operation } = source;
  const format = FLOAT_FORMATS[element];
  const random = new SeededRandom(seed);
  const elements = shape.rows * shape.cols;
  const outputWords = elementWords(elements, element);
  const weights = dirty(outputWords);
  for (let index = 0; index < elements; index++) {
    setElement(weights, index, format.toBits(weight(random, format)), element);
  }
  const lines = axis === "columns" ? shape.cols : shape.rows;
  const factors = Float32Array.from({ length: lines }, () => factor(random, format));
  return kernelCase(scaleLines, {
    name: `${element} [${shape.rows}, ${shape.cols}] ${operation} a factor for each of its ${axis}: ${filling}`,
    source,
    shape,
    inputs: [weights, new Uint32Array(factors.buffer), dirty(outputWords)],
    outputWords,
  });
}

export const scaleLinesCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  (["columns", "rows"] as const).flatMap((axis) =>
    (["times", "over"] as const).flatMap((operation) =>
      Object.keys(FILLINGS).flatMap((filling, at) =>
        SHAPES.map((shape, seed) => scaleLinesCase({ element, axis, operation }, shape, filling, seed + 10 * at)),
      ),
    ),
  ),
);
