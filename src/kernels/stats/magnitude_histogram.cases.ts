import { F32, FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { MagnitudeHistogramSource } from "./magnitude_histogram.oracle.ts";
import { magnitudeBins, magnitudeHistogram } from "./magnitude_histogram.ts";

/** Upper bits of 0.02, around which the prefixed weights lie. */
const PREFIX = F32.toBits(0.02) >>> 16;

/** Ways to fill a matrix, as bits. */
const FILLINGS: Readonly<Record<string, (index: number, random: SeededRandom, element: FloatName) => number>> = {
  // 65536 of these are every value of a 16-bit format.
  "every half": (index) => index % 65536,
  "random bits": (_, random, element) => (element === "f32" ? random.nextUint32() : random.nextUint32() & 0xffff),
  "heavy tails": (_, random, element) =>
    FLOAT_FORMATS[element].toBits(random.nextNormal() * 0.02 * (random.nextUniform() < 0.01 ? 8 : 1)),
  "half of them zero": (_, random, element) =>
    random.nextUniform() < 0.5 ? 0 : FLOAT_FORMATS[element].toBits(random.nextNormal()),
  "all zero": () => 0,
  constant: (_, _random, element) => FLOAT_FORMATS[element].toBits(-0.0273),
  "not finite": (index, _random, element) => FLOAT_FORMATS[element].infinity + (index % 3),
};

/** Weights of which about half have the upper bits `prefix`, with either sign. */
const prefixed = (prefix: number) => (_index: number, random: SeededRandom) => {
  const bits = random.nextUint32();
  return random.nextUniform() < 0.5 ? bits : (bits & 0x8000ffff) + prefix * 65536;
};

function histogramCase(
  name: string,
  source: MagnitudeHistogramSource,
  shape: { readonly elements: number; readonly prefix: number },
  draw: (index: number, random: SeededRandom, element: FloatName) => number,
): KernelCase {
  const { element } = source;
  const random = new SeededRandom(shape.elements);
  // The half word after the last weight is another's.
  const weights = new Uint32Array(elementWords(shape.elements, element)).fill(0x12341234);
  for (let index = 0; index < shape.elements; index++) {
    setElement(weights, index, draw(index, random, element), element);
  }
  const outputWords = magnitudeBins(source);
  return kernelCase(magnitudeHistogram, {
    name: `${source.digit} magnitudes of ${shape.elements} ${element} weights: ${name}`,
    source,
    shape,
    // What was counted before stays.
    inputs: [weights, new Uint32Array(outputWords).map((_, bin) => bin * 3)],
    outputWords,
  });
}

export const magnitudeHistogramCases: readonly KernelCase[] = [
  ...(["bf16", "f16", "f32"] as const).flatMap((element) =>
    Object.entries(FILLINGS).map(([name, draw], index) => {
      const elements = index === 0 ? 65536 : 20000 + index;
      return histogramCase(name, { element, digit: "high" }, { elements, prefix: 0x1234 }, draw);
    }),
  ),
  ...[0, 1, PREFIX, 0x7f80, 0x7fff].map((prefix) =>
    histogramCase(
      `upper bits ${prefix.toString(16)}`,
      { element: "f32", digit: "low" },
      { elements: 20001, prefix },
      prefixed(prefix),
    ),
  ),
  ...Object.entries(FILLINGS).map(([name, draw]) =>
    histogramCase(name, { element: "f32", digit: "low" }, { elements: 20003, prefix: PREFIX }, draw),
  ),
  ...[1, 127, 128, 129, 8193].map((elements) =>
    histogramCase("random bits", { element: "bf16", digit: "high" }, { elements, prefix: 0 }, (_, random) => {
      return random.nextUint32() & 0xffff;
    }),
  ),
];
