import { FLOAT_FORMATS, type FloatName, float32Of } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { ELEMENTS, extremesOfWeights, FILLINGS, fillWeights, SHAPES } from "../int-inputs.ts";
import { groupsOf, type IntShape } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import {
  groupError,
  powerOf,
  type RangeSearchShape,
  type RangeSearchSource,
  rangeSearchOracle,
  restorerOf,
  shrunkBits,
  worstError,
} from "./range_search.oracle.ts";
import { bestRangeWords, rangeSearch } from "./range_search.ts";

/** Words of `improved`: those beside the step's own must stay. */
const IMPROVED = [7, 0, 9];

/** Those of weights, and groups that go on in the next row: columns begin anew in their middle. */
const OWN_SHAPES: readonly IntShape[] = [...SHAPES, { streams: 2 * FILLINGS.length, streamLength: 30, groupSize: 60 }];

type Step = Pick<RangeSearchShape, "shrink" | "norm" | "isFirst">;

/** Columns that matter more than others, and one in nine that does not matter at all. */
function importanceOf(columns: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(columns);
  const factors = Float32Array.from({ length: columns }, (_, column) =>
    column % 9 === 8 ? 0 : 2 ** (6 * random.nextUniform() - 3),
  );
  return new Uint32Array(factors.buffer);
}

/** A step after that which takes the whole range; where `isPerfect`, after one that lost nothing anywhere. */
function stepCase(source: RangeSearchSource, seed: number, step: Step, isPerfect = false): KernelCase {
  const shape = {
    ...(OWN_SHAPES[seed] ?? { streams: 1, streamLength: 1, groupSize: 1 }),
    ...step,
    slot: 1,
  };
  const groups = groupsOf(shape);
  const weights = fillWeights(shape, source.element, seed + 400);
  const extremes = extremesOfWeights(weights, shape, source);
  const importance = importanceOf(shape.streamLength);
  const outputWords = bestRangeWords(groups);
  const best = new Uint32Array(outputWords).fill(0xdeadbeef);
  if (!step.isFirst) {
    const first = { ...shape, shrink: 1, isFirst: true };
    rangeSearchOracle(source, first, [weights, extremes, importance, new Uint32Array(2), best]);
    if (isPerfect) best.fill(0, 2 * groups);
  }
  const after = isPerfect ? "after one that lost nothing" : step.isFirst ? "the first" : "after another";
  return kernelCase(rangeSearch, {
    name: `${source.element}, int${source.bits} ${source.symmetric ? "symmetric" : "asymmetric"}, errors ${source.precision}, |x|^${step.norm}, ${step.shrink} of the range, ${after}, ${groups} groups of ${shape.groupSize}`,
    source,
    shape,
    inputs: [weights, extremes, importance, Uint32Array.from(IMPROVED), best],
    outputWords,
    compare: (actual) => compareBest(actual, source, shape, [weights, extremes, importance, best]),
  });
}

const NORMS = [2.4, 3, 2.4, 3, 2];

/** All of them, but few for each format: software adapters take long to compile a program. */
const WIDTHS: Readonly<Record<FloatName, readonly number[]>> = { bf16: [2, 4, 8], f16: [3, 4, 6], f32: [5, 4, 7] };

export const rangeSearchCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  (["own", "f32"] as const).flatMap((precision) =>
    [true, false].flatMap((symmetric) => [
      ...OWN_SHAPES.map((_, seed) =>
        stepCase({ element, bits: WIDTHS[element][seed % 3] ?? 4, symmetric, precision }, seed, {
          // Under the last, differences of what is cut off are no numbers of the format before they are rounded.
          shrink: [1, 1 - 1 / 100, 1 - 14 / 20][seed % 3] ?? 1,
          norm: NORMS[seed % NORMS.length] ?? 2.4,
          isFirst: true,
        }),
      ),
      ...[0, 1, 2].map((seed) =>
        stepCase({ element, bits: 4, symmetric, precision }, seed, {
          shrink: 1 - (1 + 4 * seed) / 20,
          norm: precision === "own" ? 2.4 : 3,
          isFirst: false,
        }),
      ),
      stepCase({ element, bits: 4, symmetric, precision }, 1, { shrink: 0.9, norm: 2.4, isFirst: false }, true),
    ]),
  ),
);

/** What a group's error may come out as. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

/**
 * Between which numbers the error of a group must lie, in units of float32's 2⁻²³ where not said otherwise.
 * - A restored float32 weight is a product, which WGSL rounds either way: 1 of it. A difference: 1 of itself. Subnormal ones may
 *   count as 0.
 * - A square times 2^(rest · log₂ x), rest below 1/2: the logarithm is 3 ulp off, 2⁻²¹ near 1, the exponential 3 + 2|rest · log₂ x|:
 *   8 + 2|log₂ x| together with the products. So is the form for WebAssembly.
 * - A weighed term: 1. Each addition: 1 of the sum, 64 in a part and one a part, three of the lanes.
 * Where errors are rounded to a format of 16 bits, what is near a tie may go either way: both ends are rounded.
 */
function boundsOf(
  source: RangeSearchSource,
  shape: RangeSearchShape,
  buffers: readonly [Uint32Array, Uint32Array],
  group: number,
  restore: (weight: number) => number,
): Bounds {
  const ulp = 2 ** -23;
  const power = powerOf(source);
  const own = FLOAT_FORMATS[source.precision === "own" ? source.element : "f32"];
  // Products of numbers of 8 bits are float32: nothing is open before they are rounded.
  const isExact = own.name === "bf16" && Number.isInteger(shape.norm);
  const bound = (sign: number) => {
    const sum = groupError(source, shape, buffers, group, (weight) => {
      const restored = restore(weight);
      const difference = Math.abs(restored - weight);
      const slack = ulp * (difference + (source.element === "f32" ? Math.abs(restored) : 0)) + 2 ** -126;
      const magnitude = Math.max(0, difference + sign * slack);
      const exact = power(magnitude, shape.norm);
      // Before it was rounded: a term that lies near a tie may go either way.
      const plain = isExact ? exact : own.round(magnitude) ** own.round(shape.norm);
      const relative = isExact ? 0 : ulp * (8 + 2 * Math.abs(Math.log2(Math.max(magnitude, 2 ** -149))));
      const shifted = own.round(Math.max(0, plain * (1 + sign * relative) + sign * 2 ** -125));
      return sign < 0 ? Math.min(exact, shifted) : Math.max(exact, shifted);
    });
    const additions = 64 + Math.ceil(shape.groupSize / 64) + 4;
    return own.round(Math.max(0, sum * (1 + sign * ulp * additions) + sign * 2 ** -126));
  };
  return { least: bound(-1), most: bound(1) };
}

/**
 * Every group must hold either what was the best before, or the range of the step with an error within its bounds; and the one
 * of both that the bounds allow. Where they hold the best error so far, both are right.
 */
function compareBest(
  actual: Uint32Array,
  source: RangeSearchSource,
  shape: RangeSearchShape,
  [weights, extremes, importance, best]: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array],
): string | null {
  const groups = groupsOf(shape);
  for (let group = 0; group < groups; group++) {
    const own = extremes.subarray(2 * group, 2 * group + 2);
    const sofar = shape.isFirst ? own : best.subarray(2 * group, 2 * group + 2);
    const bestError = shape.isFirst ? worstError(source) : (asFloats(best)[2 * groups + group] ?? Number.NaN);
    const shrunk = Array.from(own, (bits) => shrunkBits(source, bits, shape.shrink));
    const [positive = 0, negative = 0] = shrunk.map(float32Of);
    const restore = restorerOf(source, positive, negative);
    const { least, most } = boundsOf(source, shape, [weights, importance], group, restore);
    const range = actual.subarray(2 * group, 2 * group + 2);
    const error = asFloats(actual)[2 * groups + group] ?? Number.NaN;
    const isKept = error === bestError && range.every((bits, at) => bits === sofar[at]);
    const isTaken =
      error >= least && error <= most && error < bestError && range.every((bits, at) => bits === shrunk[at]);
    if (isKept && !(most < bestError)) continue;
    if (isTaken && least < bestError) continue;
    return `group ${group}: error ${error} of ${[...range].map(float32Of)}, expected ${least} to ${most} of ${[positive, negative]}, or ${bestError}`;
  }
  return null;
}
