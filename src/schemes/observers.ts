import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import type { Observer } from "./scheme.ts";

/** Smallest and largest values that share a scale, one after the other. */
export interface ValueRanges {
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** What LLM Compressor takes where activations or a KV cache name no observer (`calibration.py :: initialize_observer`). */
export const UNSET_OBSERVER: Observer = "minmax";

/** Share of a new batch in a moving average: `averaging_constant`, where `observer_kwargs` do not say otherwise. */
const AVERAGING = 0.01;

/**
 * The ranges that an observer is left with after some batches.
 * @param batches ranges of each batch, in order, all of one length; one or more
 * @param format what the model computes in: moving averages are rounded to it at each step
 * Source: LLM Compressor 0.14 `observers/min_max.py`, `observers/helpers.py :: lerp`.
 */
export function observeRanges(observer: Observer, batches: readonly ValueRanges[], format: FloatName): ValueRanges {
  const [first] = batches;
  if (!first) throw new Error("an observer without a batch");
  switch (observer) {
    case "memoryless_minmax":
      return batches.at(-1) ?? first;
    case "static_minmax":
      return batches.reduce((sofar, batch) => ({
        min: sofar.min.map((value, at) => Math.min(value, batch.min[at] ?? 0)),
        max: sofar.max.map((value, at) => Math.max(value, batch.max[at] ?? 0)),
      }));
    case "minmax": {
      const { round } = FLOAT_FORMATS[format];
      // A tensor times a Python number: the number is rounded to float32, the product to the tensor's own type.
      const scaled = (value: number, factor: number) => round(Math.fround(value * Math.fround(factor)));
      const lerp = (from: number, to: number) =>
        round(Math.fround(scaled(from, 1 - AVERAGING) + scaled(to, AVERAGING)));
      return batches.reduce((sofar, batch) => ({
        min: sofar.min.map((value, at) => lerp(value, batch.min[at] ?? 0)),
        max: sofar.max.map((value, at) => lerp(value, batch.max[at] ?? 0)),
      }));
    }
  }
}
