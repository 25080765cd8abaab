import { FLOAT_FORMATS, type FloatFormat } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { dirty, ELEMENTS } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { WandaShape, WandaSource } from "./wanda.oracle.ts";
import { wanda } from "./wanda.ts";

type Run = Pick<WandaSource, "structure"> & { readonly shape: WandaShape };

const nOfM = (n: number, m: number, rows: number, cols: number): Run => ({
  structure: { kind: "n-of-m", n, m },
  shape: { rows, cols, perRow: 0 },
});
const share = (perRow: number, rows: number, cols: number): Run => ({
  structure: { kind: "share" },
  shape: { rows, cols, perRow },
});

/** From keeping all to keeping none; around the edges of words, vectors, invocations (16 groups, rows), pieces (256 groups). */
const RUNS: readonly Run[] = [
  nOfM(2, 4, 33, 64),
  nOfM(1, 4, 1, 4),
  nOfM(0, 4, 2, 8),
  nOfM(4, 4, 3, 12),
  nOfM(4, 8, 70, 40),
  nOfM(1, 1, 3, 3),
  nOfM(2, 3, 5, 57),
  nOfM(5, 31, 3, 31),
  nOfM(16, 32, 9, 64),
  share(0, 3, 5),
  share(5, 3, 5),
  share(1, 1, 1),
  share(16, 66, 32),
  share(70, 67, 133),
  share(300, 5, 514),
];

interface Filling {
  weight(random: SeededRandom, format: FloatFormat): number;
  factor(random: SeededRandom): number;
}

const signed = (random: SeededRandom, value: number) => (random.nextUniform() < 0.5 ? -value : value);
const pick = (random: SeededRandom, values: readonly number[]) => values[random.nextUint32() % values.length] ?? 0;

/** Weights as numbers of the format, and the importance of columns. Few numbers make many ties. */
const FILLINGS: Readonly<Record<string, Filling>> = {
  "usual weights": {
    weight: (random) => random.nextNormal() * 0.02,
    factor: (random) => Math.exp(2 * random.nextNormal()),
  },
  constants: { weight: () => -0.0273, factor: () => 1.7 },
  "few numbers": {
    weight: (random) => signed(random, random.nextUint32() % 5),
    factor: (random) => 2 ** (random.nextUint32() % 3),
  },
  // Neighbouring float32 as factors and weights: scores that differ by a unit in the last place, or by rounding not at all.
  "scores that rounding makes equal": {
    weight: (random) => 1 + (random.nextUint32() % 8) / 128,
    factor: (random) => 1 + (random.nextUint32() % 64) * 2 ** -23,
  },
  "subnormal scores": {
    weight: (random) => signed(random, (random.nextUint32() % 64) * 2 ** -14),
    factor: (random) => (random.nextUint32() % 4096) * 2 ** -146,
  },
  corners: {
    weight: (random, { infinity, nan, fromBits, toBits }) =>
      signed(random, fromBits(pick(random, [0, 1, 2, toBits(1), infinity - 1, infinity, nan]))),
    factor: (random) => pick(random, [0, 1, 2 ** -149, 3 * 2 ** -130, 2 ** 127, Number.POSITIVE_INFINITY, Number.NaN]),
  },
};

/** One case. The half word after the last weight is not zero, and nobody may copy it. */
function wandaCase(source: WandaSource, shape: WandaShape, filling: string, seed: number): KernelCase {
  const { weight, factor } = FILLINGS[filling] as Filling;
  const { element, structure } = source;
  const format = FLOAT_FORMATS[element];
  const random = new SeededRandom(seed);
  const elements = shape.rows * shape.cols;
  const outputWords = elementWords(elements, element);
  const weights = dirty(outputWords);
  for (let index = 0; index < elements; index++) {
    setElement(weights, index, format.toBits(weight(random, format)), element);
  }
  const importance = Float32Array.from({ length: shape.cols }, () => factor(random));
  const goes = structure.kind === "share" ? `${shape.perRow} of a row` : `${structure.n} of ${structure.m}`;
  return kernelCase(wanda, {
    name: `${goes} of ${element} [${shape.rows}, ${shape.cols}]: ${filling}`,
    source,
    shape,
    inputs: [weights, new Uint32Array(importance.buffer), dirty(outputWords)],
    outputWords,
  });
}

export const wandaCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  RUNS.flatMap(({ structure, shape }, seed) =>
    Object.keys(FILLINGS).map((filling) => wandaCase({ element, structure }, shape, filling, seed)),
  ),
);
