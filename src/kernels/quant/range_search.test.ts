import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, elementWords, setElement } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { extremesOfWeights } from "../int-inputs.ts";
import { byteAt, groupsOf } from "../int-params.ts";
import { intQparamsOracle } from "./int_qparams.oracle.ts";
import { rangeSearchOracle } from "./range_search.oracle.ts";
import { bestRangeWords } from "./range_search.ts";
import { type RangeSearchOptions, rangeSteps, stepsAhead } from "./range-steps.ts";

/** What LLM Compressor wrote: `fixtures/golden/observers/README.md`. */
interface Golden {
  readonly columns: number;
  readonly weights: Readonly<Record<FloatName, string>>;
  readonly cases: readonly GoldenCase[];
}

interface GoldenCase extends Pick<RangeSearchOptions, "observer"> {
  readonly element: FloatName;
  readonly groupSize: number;
  readonly bits: number;
  readonly symmetric: boolean;
  readonly options: Omit<RangeSearchOptions, "observer">;
  readonly importance: string | null;
  readonly min: string;
  readonly max: string;
  readonly scales: string;
  readonly zeroPoints: readonly number[];
}

const GOLDEN: Golden = JSON.parse(readFileSync("fixtures/golden/observers/golden.json", "utf8"));

/** Little-endian float32. */
function floatsOf(hex: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
}

/** What the lab chooses: ranges, scales and zero points of all groups. */
function searched({ element, groupSize, bits, symmetric, observer, options, importance }: GoldenCase) {
  const values = floatsOf(GOLDEN.weights[element]);
  const weights = new Uint32Array(elementWords(values.length, element));
  for (const [at, value] of values.entries()) setElement(weights, at, FLOAT_FORMATS[element].toBits(value), element);
  const streams = values.length / GOLDEN.columns;
  const shape = { streams, streamLength: GOLDEN.columns, groupSize };
  const groups = groupsOf(shape);
  const extremes = extremesOfWeights(weights, shape, { element });
  const factors = importance === null ? new Uint32Array() : new Uint32Array(floatsOf(importance).buffer);
  const steps = rangeSteps({ observer, ...options });
  const best = new Uint32Array(bestRangeWords(groups));
  const improved: boolean[] = [];
  while (stepsAhead(steps, improved) > 0) {
    const ahead = new Uint32Array(stepsAhead(steps, improved));
    for (let slot = 0; slot < ahead.length; slot++) {
      const step = improved.length + slot;
      rangeSearchOracle(
        { element, bits, symmetric, precision: steps.precision },
        { ...shape, shrink: steps.shrinks[step] ?? 1, norm: steps.norm, isFirst: step === 0, slot },
        [weights, extremes, factors, ahead, best],
      );
    }
    improved.push(...Array.from(ahead, (word) => word === 1));
  }
  const scales = new Uint32Array(elementWords(groups, element));
  const zeroPoints = new Uint32Array(Math.ceil(groups / 4));
  intQparamsOracle({ element, bits, symmetric }, { groups, first: 0, slot: 0 }, [
    best,
    scales,
    zeroPoints,
    new Uint32Array(5),
  ]);
  const places = Array.from({ length: groups }, (_, group) => group);
  return {
    max: places.map((group) => asFloats(best)[2 * group]),
    min: places.map((group) => asFloats(best)[2 * group + 1]),
    scales: places.map((group) => FLOAT_FORMATS[element].fromBits(elementAt(scales, group, element))),
    zeroPoints: places.map((group) => (symmetric ? 0 : byteAt(zeroPoints, group))),
  };
}

describe("the search for ranges chooses what LLM Compressor's observers choose", () => {
  test.each(
    GOLDEN.cases.map((item) => ({
      ...item,
      name: `${item.observer} ${JSON.stringify(item.options)}, ${item.element}, int${item.bits} ${item.symmetric ? "symmetric" : "asymmetric"}, groups of ${item.groupSize}`,
    })),
  )("$name", (item) => {
    const own = searched(item);
    expect({ scales: own.scales, zeroPoints: own.zeroPoints }).toEqual({
      scales: [...floatsOf(item.scales)],
      zeroPoints: item.zeroPoints,
    });
    // The tool's ranges need not hold zero before its scales see to that.
    expect(own.max).toEqual(Array.from(floatsOf(item.max), (value) => Math.max(value, 0)));
    expect(own.min).toEqual(Array.from(floatsOf(item.min), (value) => Math.max(-value, 0)));
  });
});
