import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { InnerRounding } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats } from "./compare-floats.ts";
import { floatWords, normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";
import type { RotateShape } from "./rotate.oracle.ts";
import { rotate } from "./rotate.ts";

/** Whole heads and parts of them, heads side by side and with gaps, odd numbers of pairs, places that are no vectors. */
const SHAPES: readonly Omit<RotateShape, "isNeighbours">[] = [
  { rows: 1, width: 2, start: 0, stride: 2, heads: 1, pairs: 1 },
  { rows: 5, width: 64, start: 0, stride: 16, heads: 4, pairs: 8 },
  { rows: 67, width: 72, start: 24, stride: 24, heads: 2, pairs: 12 },
  { rows: 9, width: 61, start: 3, stride: 17, heads: 3, pairs: 5 },
  { rows: 11, width: 60, start: 4, stride: 12, heads: 4, pairs: 6 },
  { rows: 40, width: 768, start: 192, stride: 64, heads: 9, pairs: 32 },
  { rows: 33, width: 160, start: 0, stride: 80, heads: 2, pairs: 16 },
];

const POSITIONS = 50;

export const rotateCases: readonly KernelCase[] = SHAPES.flatMap((half) =>
  [false, true].flatMap((isNeighbours) =>
    ([null, "bf16", "f16"] as const).map((rounding) => rotateCase({ ...half, isNeighbours }, rounding)),
  ),
);

function rotateCase(shape: RotateShape, rounding: InnerRounding): KernelCase {
  const { rows, width, pairs, isNeighbours } = shape;
  const positions = new Uint32Array(rows).map((_, row) => (row * 7) % POSITIONS);
  // Of 16-bit numbers, as a model of that format has them: their products are exact before they are rounded.
  const round = rounding === null ? (value: number) => value : FLOAT_FORMATS[rounding].round;
  const numbers = rounding === "f16" ? normalWords(rows * width, 4) : streamRows(rows, width, 4);
  const values = floatWords(asFloats(numbers).map(round));
  const angles = floatWords(asFloats(anglesOf(pairs)).map(round));
  return kernelCase(rotate, {
    name: `${rounding ? `in ${rounding}, ` : ""}${pairs} pairs of ${isNeighbours ? "neighbours" : "halves"}, ${shape.heads} heads from ${shape.start} on, [${rows}, ${width}]`,
    source: { rounding },
    shape,
    inputs: [positions, angles, withSlack(values)],
    outputWords: rows * width + SLACK_WORDS,
    compare: compareFloats(limits(shape, asFloats(values), rounding)),
  });
}

function anglesOf(pairs: number): Uint32Array<ArrayBuffer> {
  const angle = (place: number) => Math.floor(place / pairs) * 10_000 ** (-(place % pairs) / pairs);
  return floatWords(
    Array.from({ length: POSITIONS * pairs }, (_, place) => [Math.cos(angle(place)), Math.sin(angle(place))]).flat(),
  );
}

/**
 * WGSL may round both products and their sum either way, so that 2⁻²² of |a| + |b| is lost at most; where products are exact
 * and rounded to a format, 2⁻²³ of the sum.
 */
function limits(
  { rows, width, start, stride, heads, pairs, isNeighbours }: RotateShape,
  values: Float32Array,
  rounding: InnerRounding,
) {
  const found = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let place = 0; place < heads * pairs; place++) {
      const first = row * width + start + Math.floor(place / pairs) * stride;
      const one = first + (place % pairs) * (isNeighbours ? 2 : 1);
      const other = one + (isNeighbours ? 1 : pairs);
      const size = Math.abs(values[one] ?? 0) + Math.abs(values[other] ?? 0);
      found.fill(2 ** -22 * size + 2 ** -124, one, one + 1).fill(2 ** -22 * size + 2 ** -124, other, other + 1);
    }
  }
  return (index: number, expected: number): number => {
    const limit = found[index] ?? 0;
    return limit > 0 && rounding !== null ? 2 ** -23 * Math.abs(expected) + 2 ** -124 : limit;
  };
}
