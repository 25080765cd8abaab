import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { dirty, ELEMENTS, fillWeights, qparamsOfWeights, SHAPES } from "../int-inputs.ts";
import { codeWords, type IntCodes, type IntShape, setByte } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { intQuantize } from "./int_quantize.ts";

const ARITHMETICS = ["eager", "triton"] as const;

/** Exponents of the quotient around every code: from below the first tie to beyond the largest code. */
const QUOTIENT_EXPONENTS = Array.from({ length: 19 }, (_, index) => index - 9);

/**
 * Every pair of bf16 mantissas at every exponent that matters, under scales in the middle of float32 and near either end,
 * where the shader takes another path. Group s has the scale of mantissa 128 + s.
 */
function everyPair(scaleExponent: number) {
  const groupSize = 128 * QUOTIENT_EXPONENTS.length;
  const weights = new Uint32Array((128 * groupSize) / 2);
  const scales = new Uint32Array(64);
  const zeroPoints = new Uint32Array(32);
  for (let s = 0; s < 128; s++) {
    setElement(scales, s, (scaleExponent << 7) | s, "bf16");
    setByte(zeroPoints, s, ((s * 37) % 256) - 128);
    QUOTIENT_EXPONENTS.forEach((exponent, block) => {
      const sign = (s + block) % 2 === 0 ? 0 : 0x8000;
      for (let x = 0; x < 128; x++) {
        const bits = sign | ((scaleExponent + exponent) << 7) | x;
        setElement(weights, s * groupSize + block * 128 + x, bits, "bf16");
      }
    });
  }
  return { shape: { streams: 128, streamLength: groupSize, groupSize }, weights, scales, zeroPoints };
}

const PAIR_CASES: readonly KernelCase[] = [127, 24, 240].flatMap((scaleExponent) => {
  const { shape, weights, scales, zeroPoints } = everyPair(scaleExponent);
  return [4, 8].flatMap((bits) =>
    ARITHMETICS.flatMap((arithmetic) =>
      [true, false].map((symmetric) => {
        const offset = 2 ** (bits - 1);
        const points = new Uint32Array(zeroPoints);
        for (let s = 0; bits === 4 && s < 128; s++) setByte(points, s, (s % 16) - 8);
        const outputWords = codeWords(shape, bits);
        return kernelCase(intQuantize, {
          name: `int${bits} ${arithmetic} ${symmetric ? "symmetric" : "asymmetric"} codes of every pair of mantissas, scale exponent ${scaleExponent}`,
          source: { element: "bf16", bits, symmetric, arithmetic, storedBits: bits, offset },
          shape,
          inputs: [weights, scales, points, dirty(outputWords)],
          outputWords,
        });
      }),
    ),
  );
});

/**
 * Weights as near as they come to the ties of the codes, group by group of one scale: (k + 1/2 − zero point) · scale, and
 * the values next to it on either side.
 */
function nearTies(source: IntCodes, groups: number, scaleSize: number) {
  const { element, bits, symmetric } = source;
  const format = FLOAT_FORMATS[element];
  const random = new SeededRandom(bits + groups);
  const levels = 2 ** bits + 2;
  const groupSize = 3 * levels;
  const weights = new Uint32Array(elementWords(groups * groupSize, element));
  const scales = new Uint32Array(elementWords(groups, element));
  const zeroPoints = new Uint32Array(Math.ceil(groups / 4));
  const signBit = 2 ** (8 * format.sizeBytes - 1);
  for (let group = 0; group < groups; group++) {
    const scale = format.round(scaleSize * (1 + random.nextUniform()));
    const zeroPoint = symmetric ? 0 : Math.floor(random.nextUniform() * 2 ** bits) - 2 ** (bits - 1);
    setElement(scales, group, format.toBits(scale), element);
    setByte(zeroPoints, group, zeroPoint);
    for (let level = 0; level < levels; level++) {
      const tie = (level - 2 ** (bits - 1) - 0.5 - zeroPoint) * scale;
      const bits0 = format.toBits(tie);
      for (const [at, step] of [-1, 0, 1].entries()) {
        const magnitude = Math.max((bits0 % signBit) + step, 0);
        const own = magnitude + (bits0 >= signBit ? signBit : 0);
        setElement(weights, group * groupSize + level * 3 + at, own, element);
      }
    }
  }
  const shape: IntShape = { streams: groups, streamLength: groupSize, groupSize };
  return { shape, weights, scales, zeroPoints };
}

const TIE_CASES: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  ARITHMETICS.flatMap((arithmetic) =>
    [true, false].flatMap((symmetric) =>
      [2, 3, 4, 7, 8].flatMap((bits) =>
        [1, ...(element === "f16" ? [2 ** -22] : [2 ** -110])].map((scaleSize) => {
          const source = { element, bits, symmetric, arithmetic, storedBits: bits, offset: 2 ** (bits - 1) };
          const { shape, weights, scales, zeroPoints } = nearTies(source, 101, scaleSize);
          const outputWords = codeWords(shape, bits);
          return kernelCase(intQuantize, {
            name: `${element} int${bits} ${arithmetic} ${symmetric ? "symmetric" : "asymmetric"} codes next to ties, scales from ${scaleSize}`,
            source,
            shape,
            inputs: [weights, scales, zeroPoints, dirty(outputWords)],
            outputWords,
          });
        }),
      ),
    ),
  ),
);

/** Ways to store codes: packed, and a byte each. */
const storages = (bits: number) => [
  { storedBits: bits, offset: 2 ** (bits - 1) },
  { storedBits: 8, offset: 0 },
];

function filledCase(
  source: IntCodes & { storedBits: number; offset: number },
  shape: IntShape,
  seed: number,
): KernelCase {
  const weights = fillWeights(shape, source.element, seed + 100);
  const { scales, zeroPoints } = qparamsOfWeights(weights, shape, source);
  const outputWords = codeWords(shape, source.storedBits);
  const { element, bits, arithmetic, symmetric, storedBits } = source;
  return kernelCase(intQuantize, {
    name: `${element} int${bits} in ${storedBits} bits, ${arithmetic} ${symmetric ? "symmetric" : "asymmetric"}, ${shape.streams} × ${shape.streamLength} in groups of ${shape.groupSize}`,
    source,
    shape,
    inputs: [weights, scales, zeroPoints, dirty(outputWords)],
    outputWords,
  });
}

/** Every width, format, rule and storage once over, the shapes in turn; then one width on all shapes. */
const FILLED_CASES: readonly KernelCase[] = ELEMENTS.flatMap((element: FloatName) =>
  ARITHMETICS.flatMap((arithmetic) =>
    [true, false].flatMap((symmetric) => {
      const widths = [2, 3, 4, 5, 6, 7, 8].flatMap((bits) =>
        storages(bits).map((storage, index) =>
          filledCase(
            { element, arithmetic, symmetric, bits, ...storage },
            SHAPES[(bits + index) % SHAPES.length] as IntShape,
            bits,
          ),
        ),
      );
      const shapes = SHAPES.map((shape, seed) =>
        filledCase({ element, arithmetic, symmetric, bits: 5, storedBits: 5, offset: 16 }, shape, seed),
      );
      return [...widths, ...shapes];
    }),
  ),
);

export const intQuantizeCases: readonly KernelCase[] = [...FILLED_CASES, ...TIE_CASES, ...PAIR_CASES];
