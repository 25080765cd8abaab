import { FLOAT_FORMATS, type FloatFormat, type FloatName } from "../base/float-format.ts";
import { SeededRandom } from "../base/random.ts";
import { elementWords, setElement } from "./elements.ts";
import { groupsOf, type IntShape } from "./int-params.ts";
import { intQparamsOracle } from "./quant/int_qparams.oracle.ts";
import { minMaxOracle } from "./stats/min_max.oracle.ts";

/** The formats that weights come in. */
export const ELEMENTS: readonly FloatName[] = ["bf16", "f16", "f32"];

/** A filling of one group of weights: bits of element `index` of `size`. */
interface Filling {
  readonly name: string;
  bits(index: number, size: number, random: SeededRandom, format: FloatFormat): number;
}

/** A filling given by numbers. */
function numbers(name: string, value: (index: number, size: number, random: SeededRandom) => number): Filling {
  return { name, bits: (index, size, random, format) => format.toBits(value(index, size, random)) };
}

const negated = (bits: number, format: FloatFormat) => bits + 2 ** (8 * format.sizeBytes - 1);
const heavyTails = (random: SeededRandom) => random.nextNormal() * 0.02 * (random.nextUniform() < 0.01 ? 8 : 1);

/** Random weights with heavy tails, then every corner that a format or a shader may stumble over. */
export const FILLINGS: readonly Filling[] = [
  numbers("heavy tails", (_index, _size, random) => heavyTails(random)),
  numbers("all zero", () => 0),
  numbers("signed zeros", (index) => (index % 2 === 0 ? 0 : -0)),
  numbers("constant", () => 0.03125),
  numbers("constant negative", () => -0.0273),
  numbers("all positive, none near zero", (_index, _size, random) => 1 + Math.abs(heavyTails(random))),
  numbers("all negative", (_index, _size, random) => -0.5 - Math.abs(heavyTails(random))),
  numbers("largest magnitude is negative", (index, size, random) =>
    index === size - 1 ? -0.0731 : random.nextNormal() * 0.01,
  ),
  numbers("ties of int4", (index) => ((index % 16) - 7.5) / 32),
  numbers("ties of int8", (index) => ((index % 256) - 127.5) / 512),
  numbers("asymmetric ties of int4", (index) => (index % 31) / 128),
  numbers("asymmetric ties of int3", (index) => ((index % 15) - 5) / 64),
  {
    name: "subnormals",
    bits: (index, _size, _random, format) => ((index % 9) - 4 < 0 ? negated(4 - (index % 9), format) : (index % 9) - 4),
  },
  {
    name: "smallest normal once",
    bits: (index, _size, _random, format) => (index === 0 ? 2 ** (format.precision - 1) : 0),
  },
  {
    name: "largest finite",
    bits: (index, _size, _random, format) => (index === 0 ? format.infinity - 1 : format.toBits(0.01 * (index % 7))),
  },
  {
    name: "largest finite of both signs",
    bits: (index, _size, _random, format) =>
      index === 0 ? negated(format.infinity - 1, format) : index === 1 ? format.infinity - 1 : format.toBits(1),
  },
  {
    name: "infinity",
    bits: (index, _size, _random, format) => (index === 1 ? format.infinity : format.toBits(1)),
  },
  {
    name: "negative infinity",
    bits: (index, _size, _random, format) => (index === 1 ? negated(format.infinity, format) : format.toBits(-1)),
  },
  { name: "NaN", bits: (index, _size, _random, format) => (index === 1 ? format.nan : format.toBits(1)) },
  {
    name: "random bits",
    bits: (_index, _size, random, format) => random.nextUint32() % 2 ** (8 * format.sizeBytes),
  },
  numbers(
    "random over many magnitudes",
    (_index, _size, random) => random.nextNormal() * 2 ** (-20 * random.nextUniform()),
  ),
  numbers("very small", (_index, _size, random) => random.nextNormal() * 2 ** -120),
  numbers("very large", (_index, _size, random) => random.nextNormal() * 2 ** 110),
];

/** Shapes around the edges of words, blocks and workgroups. A group size beyond the weights is one scale for all. */
export const SHAPES: readonly IntShape[] = [
  { streams: FILLINGS.length, streamLength: 256, groupSize: 128 },
  { streams: FILLINGS.length, streamLength: 96, groupSize: 32 },
  { streams: FILLINGS.length + 1, streamLength: 33, groupSize: 33 },
  { streams: 7, streamLength: 500, groupSize: 100 },
  { streams: FILLINGS.length, streamLength: 385, groupSize: 385 },
  { streams: 3, streamLength: 70, groupSize: 1 },
  { streams: 1, streamLength: 2, groupSize: 2 },
  { streams: 5, streamLength: 61, groupSize: 5 * 61 },
];

/** Weights of `shape`: each group one filling after the other, from filling `seed` on. */
export function fillWeights(shape: IntShape, element: FloatName, seed: number): Uint32Array<ArrayBuffer> {
  const format = FLOAT_FORMATS[element];
  const random = new SeededRandom(seed);
  const elements = shape.streams * shape.streamLength;
  const words = new Uint32Array(elementWords(elements, element));
  for (let i = 0; i < elements; i++) {
    const group = Math.floor(i / shape.groupSize);
    const filling = FILLINGS[(group + seed) % FILLINGS.length] as Filling;
    setElement(words, i, filling.bits(i % shape.groupSize, shape.groupSize, random, format), element);
  }
  return words;
}

/** Extremes of weights by the oracle, which that kernel's own cases hold to account. */
export function extremesOfWeights(
  weights: Uint32Array,
  shape: IntShape,
  source: { readonly element: FloatName },
): Uint32Array<ArrayBuffer> {
  const extremes = new Uint32Array(2 * groupsOf(shape));
  minMaxOracle(source, { elements: shape.streams * shape.streamLength, groupSize: shape.groupSize }, [
    weights,
    extremes,
  ]);
  return extremes;
}

/** Scales and zero points of weights by the oracles, which those kernels' own cases hold to account. */
export function qparamsOfWeights(
  weights: Uint32Array,
  shape: IntShape,
  source: { readonly element: FloatName; readonly bits: number; readonly symmetric: boolean },
): { readonly scales: Uint32Array<ArrayBuffer>; readonly zeroPoints: Uint32Array<ArrayBuffer> } {
  const groups = groupsOf(shape);
  const extremes = extremesOfWeights(weights, shape, source);
  const scales = new Uint32Array(elementWords(groups, source.element));
  const zeroPoints = new Uint32Array(Math.ceil(groups / 4));
  intQparamsOracle(source, { groups, first: 0, slot: 0 }, [extremes, scales, zeroPoints, new Uint32Array(8)]);
  return { scales, zeroPoints };
}

/** An output buffer full of a pattern that no kernel writes, so that a word left unwritten is seen. */
export function dirty(words: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(words).fill(0xdeadbeef);
}
