import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, elementWords, setElement } from "../elements.ts";
import { dirty, ELEMENTS, fillWeights, qparamsOfWeights, SHAPES } from "../int-inputs.ts";
import { byteAt, elementsOf, groupsOf, type IntShape, setByte } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { ErrorScheme } from "./int_error.oracle.ts";
import { BLOCK_WORDS, intError, LEVEL_WORDS, SCHEME_WORDS, sumWords } from "./int_error.ts";

/**
 * A float32 addition in WGSL may round either way and so lose 2⁻²³ of a sum of positive numbers; a weight goes through 32 of
 * them in its part and 8 after it, its error and its square round too. The signed
 * sum of original · reconstruction is held to the same share of the energy, from which it cannot be far. A float32 product
 * of a level and an f32 scale may be rounded either way by the letter of WGSL, which moves an error by 2⁻²³ of its weight.
 */
const RELATIVE_TOLERANCE = 44 * 2 ** -23;

/** Weights below 2⁻¹¹⁸ of the block's largest count as zero in the shader: their square is no float32 number anyway. */
const ABSOLUTE_TOLERANCE = 2 ** -100;

/** The eight schemes that the bench runs in one pass, on groups that divide 96. */
const EIGHT = [4, 8].flatMap((bits) =>
  [true, false].flatMap((symmetric) => [32, 96].map((groupSize) => ({ bits, symmetric, groupSize }))),
);

function errorCase(
  name: string,
  codes: { element: FloatName; arithmetic: "eager" | "triton" },
  shape: IntShape,
  seed: number,
  schemes: readonly Omit<ErrorScheme, "first">[],
  isPruned: boolean,
): KernelCase {
  const { element } = codes;
  const source = { ...codes, isPruned };
  const original = fillWeights(shape, element, seed);
  const weights = original.slice();
  for (let i = 0; isPruned && i < elementsOf(shape); i += 2) setElement(weights, i, 0, element);
  const placed: ErrorScheme[] = [];
  let places = 0;
  for (const scheme of schemes) {
    placed.push({ ...scheme, first: places });
    if (scheme.bits > 0) places += Math.ceil(groupsOf({ ...shape, groupSize: scheme.groupSize }) / 4) * 4;
  }
  const scales = new Uint32Array(Math.max(elementWords(places, element), 4));
  const zeroPoints = new Uint32Array(Math.max(places / 4, 4));
  for (const { bits, symmetric, groupSize, first } of placed) {
    if (bits === 0) continue;
    const own = qparamsOfWeights(weights, { ...shape, groupSize }, { element, bits, symmetric });
    for (let group = 0; group < groupsOf({ ...shape, groupSize }); group++) {
      setElement(scales, first + group, elementAt(own.scales, group, element), element);
      setByte(zeroPoints, first + group, byteAt(own.zeroPoints, group));
    }
  }
  const outputWords = sumWords(elementsOf(shape), schemes.length);
  return kernelCase(intError, {
    name: `${element} ${source.arithmetic}, ${name}`,
    source,
    shape: { elements: elementsOf(shape), schemes: placed },
    inputs: [original, weights, scales, zeroPoints, new Uint32Array(LEVEL_WORDS * schemes.length), dirty(outputWords)],
    outputWords,
    compare: (actual, expected) => compareSums(actual, expected, schemes.length, FLOAT_FORMATS[element].precision),
  });
}

export const intErrorCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  (["eager", "triton"] as const).flatMap((arithmetic) => [
    ...SHAPES.flatMap((shape, seed) =>
      [true, false].map((symmetric) =>
        errorCase(
          `int${2 + (seed % 7)} ${symmetric ? "symmetric" : "asymmetric"}, ${elementsOf(shape)} weights in groups of ${shape.groupSize}`,
          { element, arithmetic },
          shape,
          seed + 300,
          [{ bits: 2 + (seed % 7), symmetric, groupSize: shape.groupSize }],
          false,
        ),
      ),
    ),
    errorCase(
      "eight schemes at once",
      { element, arithmetic },
      { streams: 46, streamLength: 96, groupSize: 96 },
      900,
      EIGHT,
      false,
    ),
    errorCase(
      "weights as they are",
      { element, arithmetic },
      { streams: 5, streamLength: 61, groupSize: 61 },
      902,
      [{ bits: 0, symmetric: true, groupSize: 1 }],
      false,
    ),
    errorCase(
      "pruned, alone and before a scheme",
      { element, arithmetic },
      { streams: 46, streamLength: 96, groupSize: 96 },
      901,
      [{ bits: 0, symmetric: true, groupSize: 1 }, EIGHT[1] as ErrorScheme],
      true,
    ),
  ]),
);

function compareSums(actual: Uint32Array, expected: Uint32Array, schemes: number, precision: number): string | null {
  const [a, e] = [actual, expected].map((words) => new Float32Array(words.buffer, words.byteOffset, words.length));
  if (!a || !e) return "nothing to compare";
  const size = BLOCK_WORDS + SCHEME_WORDS * schemes;
  // Of f32 weights under fine scales hardly an error is left but its own rounding.
  const rounding = precision === 24 ? 2 ** -44 : 0;
  for (let at = 0; at < expected.length; at += size) {
    const energy = e[at] ?? 0;
    const isOff = (place: number, against: number) => {
      const [found = Number.NaN, wanted = Number.NaN] = [a[place], e[place]];
      return !(Math.abs(found - wanted) <= RELATIVE_TOLERANCE * against + rounding * energy + ABSOLUTE_TOLERANCE);
    };
    const differs = (place: number, what: string) =>
      `block ${at / size}, ${what}: ${a[place]} (${actual[place]?.toString(16)}), expected ${e[place]} (${expected[place]?.toString(16)})`;
    if (actual[at + 1] !== expected[at + 1]) return differs(at + 1, "exponent and count");
    const hasFinite = ((expected[at + 1] ?? 0) & 0xffff) === 0;
    if (hasFinite && isOff(at, energy)) return differs(at, "energy");
    for (let scheme = 0; scheme < schemes; scheme++) {
      const place = at + BLOCK_WORDS + SCHEME_WORDS * scheme;
      for (const word of [4, 5]) {
        if (actual[place + word] !== expected[place + word])
          return differs(place + word, `scheme ${scheme}, word ${word}`);
      }
      for (let word = 0; word < 4; word++) {
        const own = Math.abs(e[place + word] ?? 0);
        if (isOff(place + word, word === 2 ? Math.max(own, energy) : own))
          return differs(place + word, `scheme ${scheme}, word ${word}`);
      }
    }
  }
  return null;
}
