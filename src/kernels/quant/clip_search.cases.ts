import type { FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { dirty, ELEMENTS, FILLINGS, fillWeights } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { type ClipSearchShape, type ClipSearchSource, clipCandidates, WORST_CLIP_ERROR } from "./clip_search.oracle.ts";
import { clipSearch } from "./clip_search.ts";

/** Around the edges of eights, of chunks (256 columns) and of what goes side by side (16 and 64 tokens). */
const SHAPES: readonly ClipSearchShape[] = [
  { rows: FILLINGS.length, cols: 64, groupSize: 32, tokens: 20 },
  { rows: FILLINGS.length, cols: 99, groupSize: 33, tokens: 16 },
  { rows: 5, cols: 128, groupSize: 64, tokens: 65 },
  { rows: 12, cols: 518, groupSize: 518, tokens: 140 },
  { rows: 3, cols: 6, groupSize: 2, tokens: 1 },
];

/** Beside 4 bits. Few for each format: software adapters take long to compile a program. */
const OTHER_WIDTHS: Readonly<Record<FloatName, number>> = { bf16: 3, f16: 8, f32: 2 };

/** Inputs of which some channels are loud. */
function inputsOf({ tokens, cols }: ClipSearchShape): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(tokens + cols);
  const inputs = Float32Array.from(
    { length: tokens * cols },
    (_, at) => random.nextNormal() * ((at % cols) % 13 === 5 ? 20 : 1),
  );
  return new Uint32Array(inputs.buffer);
}

export const clipSearchCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  [true, false].flatMap((symmetric) =>
    SHAPES.map((shape, seed) => {
      const source = { element, bits: seed % 2 === 0 ? 4 : OTHER_WIDTHS[element], symmetric };
      const { rows, cols, groupSize, tokens } = shape;
      const groups = (rows * cols) / groupSize;
      const weights = fillWeights({ streams: rows, streamLength: cols, groupSize }, element, seed + 500);
      const inputs = inputsOf(shape);
      return kernelCase(clipSearch, {
        name: `${element}, int${source.bits} ${symmetric ? "symmetric" : "asymmetric"}, [${rows}, ${cols}] in groups of ${groupSize}, ${tokens} tokens`,
        source,
        shape,
        inputs: [weights, inputs, dirty(groups)],
        outputWords: groups,
        compare: (actual, expected) => compareLimits(actual, expected, source, shape, [weights, inputs]),
      });
    }),
  ),
);

/** Between which numbers the error under a limit may come out. */
interface Bounds {
  readonly limit: number;
  readonly least: number;
  readonly most: number;
}

/**
 * In float32: a restored weight of that format is a product, which WGSL rounds either way, and so are the difference, its
 * product with an input and each addition: 2⁻²³ of what is rounded, of a subnormal number all. The squares and their sum
 * lose as much again for each token and two more.
 */
function boundsOf(
  source: ClipSearchSource,
  shape: ClipSearchShape,
  weights: Uint32Array,
  inputs: Float32Array,
  first: number,
): readonly Bounds[] {
  const { cols, groupSize, tokens } = shape;
  const ulp = 2 ** -23;
  const { values, candidates } = clipCandidates(source, shape, weights, first);
  return candidates.map(({ limit, restore }) => {
    let [least, most] = [0, 0];
    const restored = values.map(restore);
    for (let token = 0; token < tokens; token++) {
      let [sum, slack] = [0, 0];
      for (const [at, value] of values.entries()) {
        const x = inputs[token * cols + (first % cols) + at] ?? 0;
        const own = restored[at] ?? Number.NaN;
        sum += x * (own - value);
        slack += Math.abs(x) * ((groupSize + 3) * ulp * Math.abs(own - value) + ulp * Math.abs(own) + 2 ** -125);
      }
      least += Math.max(0, Math.abs(sum) - slack) ** 2;
      most += (Math.abs(sum) + slack) ** 2;
    }
    const spread = (tokens + 3) * ulp;
    return {
      limit,
      least: (least * (1 - spread)) / tokens - 2 ** -120,
      most: (most * (1 + spread)) / tokens + 2 ** -120,
    };
  });
}

/** Each limit must be one that may be the first of the best, as far as the bounds of all can tell. */
function compareLimits(
  actual: Uint32Array,
  expected: Uint32Array,
  source: ClipSearchSource,
  shape: ClipSearchShape,
  [weights, inputs]: readonly [Uint32Array, Uint32Array],
): string | null {
  for (const [group, wanted] of asFloats(expected).entries()) {
    const found = asFloats(actual)[group] ?? Number.NaN;
    if (found === wanted) continue;
    const bounds = boundsOf(source, shape, weights, asFloats(inputs), group * shape.groupSize);
    const least = bounds.reduce((limit, { most }) => Math.min(limit, most), WORST_CLIP_ERROR);
    const mayBe = bounds.some((own) => own.limit === found && own.least <= least && own.least < WORST_CLIP_ERROR);
    if (!mayBe) return `group ${group}: limit ${found}, expected ${wanted}`;
  }
  return null;
}
