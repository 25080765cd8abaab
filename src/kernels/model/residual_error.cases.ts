import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { floatWords, normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";
import type { ResidualErrorShape } from "./residual_error.oracle.ts";
import { residualError } from "./residual_error.ts";

/** Around the edges of vectors, blocks (64 numbers), workgroups and pieces of threads (8192 numbers). */
const SHAPES: readonly ResidualErrorShape[] = [
  { rows: 1, width: 1 },
  { rows: 3, width: 4 },
  { rows: 5, width: 33 },
  { rows: 66, width: 64 },
  { rows: 130, width: 68 },
  { rows: 9, width: 127 },
  { rows: 17, width: 576 },
  { rows: 3, width: 8260 },
];

const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** What has become of the number of a row. */
const CHANGES: Readonly<Record<string, (own: number, noise: number, row: number) => number>> = {
  "a little off": (own, noise) => own * (1 + noise / 1024),
  "the same": (own) => own,
  "something else": (_own, noise) => noise,
  "all zero": () => 0,
  "some not finite": (own, noise, row) => (row % 2 === 1 && noise > 0 ? NOT_FINITE[(row >> 1) % 3] : own) ?? 0,
};

export const residualErrorCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  Object.entries(CHANGES).map(([change, become]) => {
    const { rows, width } = shape;
    const original = streamRows(rows, width, width);
    const noise = asFloats(normalWords(rows * width, rows));
    const changed = asFloats(original).map((own, at) => become(own, noise[at] ?? 0, Math.floor(at / width)));
    return kernelCase(residualError, {
      name: `${change}, [${rows}, ${width}]`,
      source: {},
      shape,
      inputs: [original, floatWords(changed), withSlack(new Uint32Array(2 * rows).fill(0xdeadbeef))],
      outputWords: 2 * rows + SLACK_WORDS,
      compare: (actual, expected) => compareSums(actual, expected, shape),
    });
  }),
);

/**
 * All that is added is positive. A difference may lose 2⁻²³ of itself in WGSL, so its square twice that and once more; each
 * addition as much of the sum: at most those of a block of 64, one per block, and two of the lanes. Squares below 2⁻¹²⁶ may
 * count as 0. A sum that is not finite is met by one that is not finite; words behind the sums stay.
 */
function compareSums(actual: Uint32Array, expected: Uint32Array, { rows, width }: ResidualErrorShape): string | null {
  const relative = (Math.min(64, width) + Math.ceil(width / 64) + 2 + 3) * 2 ** -23;
  const [found, wanted] = [asFloats(actual), asFloats(expected)];
  for (const [at, sum] of wanted.entries()) {
    const own = found[at] ?? Number.NaN;
    const isRight =
      at >= 2 * rows
        ? actual[at] === expected[at]
        : Number.isFinite(sum)
          ? Math.abs(own - sum) <= relative * sum + width * 2 ** -126
          : !Number.isFinite(own);
    if (!isRight) return `row ${Math.floor(at / 2)}, number ${at % 2}: ${own}, expected ${sum}`;
  }
  return null;
}
