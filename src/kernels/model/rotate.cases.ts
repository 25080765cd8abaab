import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats } from "./compare-floats.ts";
import { floatWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";
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
  [false, true].map((isNeighbours) => {
    const shape = { ...half, isNeighbours };
    const { rows, width, pairs } = shape;
    const positions = new Uint32Array(rows).map((_, row) => (row * 7) % POSITIONS);
    const values = streamRows(rows, width, 4);
    return kernelCase(rotate, {
      name: `${pairs} pairs of ${isNeighbours ? "neighbours" : "halves"}, ${shape.heads} heads from ${shape.start} on, [${rows}, ${width}]`,
      source: {},
      shape,
      inputs: [positions, anglesOf(pairs), withSlack(values)],
      outputWords: rows * width + SLACK_WORDS,
      compare: compareFloats(limits(shape, asFloats(values))),
    });
  }),
);

function anglesOf(pairs: number): Uint32Array<ArrayBuffer> {
  const angle = (place: number) => Math.floor(place / pairs) * 10_000 ** (-(place % pairs) / pairs);
  return floatWords(
    Array.from({ length: POSITIONS * pairs }, (_, place) => [Math.cos(angle(place)), Math.sin(angle(place))]).flat(),
  );
}

/** WGSL may round both products and their sum either way, so that 2⁻²² of |a| + |b| is lost at most. */
function limits({ rows, width, start, stride, heads, pairs, isNeighbours }: RotateShape, values: Float32Array) {
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
  return (index: number): number => found[index] ?? 0;
}
