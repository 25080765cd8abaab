import { BF16_INFINITY, BF16_LARGEST_FINITE, BF16_NAN, toBf16 } from "../base/bfloat16.ts";
import { SeededRandom } from "../base/random.ts";
import { setHalf } from "./halves.ts";
import type { IntShape } from "./int-params.ts";
import { intScaleOracle } from "./quant/int_scale.oracle.ts";

/** A filling of one group of weights: bf16 bits of element `index` of `groupSize`. */
interface Filling {
  readonly name: string;
  bits(index: number, groupSize: number, random: SeededRandom): number;
}

const negated = (bits: number) => bits ^ 0x8000;

/** Random weights with heavy tails, then every corner that a format or a shader may stumble over. */
export const FILLINGS: readonly Filling[] = [
  {
    name: "heavy tails",
    bits: (_index, _size, random) => toBf16(random.nextNormal() * 0.02 * (random.nextUniform() < 0.01 ? 8 : 1)),
  },
  { name: "all zero", bits: () => 0 },
  { name: "signed zeros", bits: (index) => (index % 2 === 0 ? 0 : 0x8000) },
  { name: "constant", bits: () => toBf16(0.03125) },
  { name: "constant negative", bits: () => toBf16(-0.0273) },
  {
    name: "largest magnitude is negative",
    bits: (index, size, random) => (index === size - 1 ? toBf16(-0.0731) : toBf16(random.nextNormal() * 0.01)),
  },
  { name: "ties of int4", bits: (index) => toBf16(((index % 16) - 7.5) / 32) },
  { name: "ties of int8", bits: (index) => toBf16(((index % 256) - 127.5) / 512) },
  { name: "subnormals", bits: (index) => ((index % 9) - 4 < 0 ? negated(4 - (index % 9)) : (index % 9) - 4) },
  { name: "smallest normal once", bits: (index) => (index === 0 ? 0x0080 : 0) },
  { name: "largest finite", bits: (index) => (index === 0 ? BF16_LARGEST_FINITE : toBf16(0.01 * (index % 7))) },
  { name: "largest finite, negative", bits: (index) => (index === 0 ? negated(BF16_LARGEST_FINITE) : 0x3f80) },
  { name: "infinity", bits: (index) => (index === 1 ? BF16_INFINITY : 0x3f80) },
  { name: "NaN", bits: (index) => (index === 1 ? BF16_NAN : 0x3f80) },
  { name: "random bits", bits: (_index, _size, random) => random.nextUint32() & 0xffff },
  { name: "random finite bits", bits: (_index, _size, random) => (random.nextUint32() & 0x87ff) + 0x3c00 },
];

/** Shapes around the edges of words, segments and workgroups. */
export const SHAPES: readonly IntShape[] = [
  { groups: FILLINGS.length * 2, groupSize: 128 },
  { groups: FILLINGS.length * 2 + 1, groupSize: 32 },
  { groups: FILLINGS.length + 1, groupSize: 33 },
  { groups: FILLINGS.length, groupSize: 100 },
  { groups: FILLINGS.length + 1, groupSize: 385 },
  { groups: FILLINGS.length * 3, groupSize: 1 },
  { groups: 1, groupSize: 2 },
];

/** Weights of `shape`: each group one filling after the other. Words of two bf16 elements. */
export function fillWeights(shape: IntShape, seed: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(seed);
  const words = new Uint32Array(Math.ceil((shape.groups * shape.groupSize) / 2));
  for (let group = 0; group < shape.groups; group++) {
    const filling = FILLINGS[group % FILLINGS.length] as Filling;
    for (let i = 0; i < shape.groupSize; i++) {
      setHalf(words, group * shape.groupSize + i, filling.bits(i, shape.groupSize, random));
    }
  }
  return words;
}

/** Scales of those weights by the oracle, which the scale kernel's own cases hold to account. */
export function scalesOf(shape: IntShape, weights: Uint32Array, bits: 4 | 8): Uint32Array<ArrayBuffer> {
  const scales = new Uint32Array(Math.ceil(shape.groups / 2));
  intScaleOracle({ bits }, shape, [weights, scales]);
  return scales;
}

/** An output buffer full of a pattern that no kernel writes, so that a word left unwritten is seen. */
export function dirty(words: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(words).fill(0xdeadbeef);
}
