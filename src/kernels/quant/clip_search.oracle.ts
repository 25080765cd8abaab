import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { asFloats } from "../floats.ts";
import type { IntCodes } from "../int-params.ts";
import { restorerOf } from "./range_search.oracle.ts";

/** What changes the program. */
export type ClipSearchSource = Pick<IntCodes, "element" | "bits" | "symmetric">;

/** A matrix and the inputs that its product is looked at for. */
export interface ClipSearchShape {
  readonly rows: number;
  readonly cols: number;
  /** A divisor of `cols`. */
  readonly groupSize: number;
  /** Rows of `inputs`. */
  readonly tokens: number;
}

/** Limits that are tried: the largest magnitude and shares of it, one twentieth less each time, down to the half. */
export const CLIP_STEPS = 10;
const GRID = 20;

/** No limit is taken whose error is not below it, as in the source. */
export const WORST_CLIP_ERROR = 1e9;

/** What a group would be under one limit. */
export interface ClipCandidate {
  readonly limit: number;
  /** A weight of the group, clamped, quantized and restored. */
  restore(weight: number): number;
}

/** The group whose first weight is `first`, and the limits that are tried on it; none where a weight is not finite. */
export function clipCandidates(
  source: ClipSearchSource,
  { groupSize }: Pick<ClipSearchShape, "groupSize">,
  weights: Uint32Array,
  first: number,
): { readonly values: readonly number[]; readonly candidates: readonly ClipCandidate[] } {
  const format = FLOAT_FORMATS[source.element];
  const values = Array.from({ length: groupSize }, (_, at) =>
    format.fromBits(elementAt(weights, first + at, source.element)),
  );
  if (!values.every(Number.isFinite)) return { values, candidates: [] };
  const positive = Math.max(0, ...values);
  const negative = Math.max(0, ...values.map((value) => -value));
  const candidates = Array.from({ length: CLIP_STEPS }, (_, step) => {
    // A tensor times a Python number: in float32, then rounded to the tensor's type.
    const limit = format.round(Math.fround(Math.max(positive, negative) * Math.fround(1 - step / GRID)));
    const restore = restorerOf(source, Math.min(positive, limit), Math.min(negative, limit));
    return { limit, restore: (weight: number) => restore(Math.min(Math.max(weight, -limit), limit)) };
  });
  return { values, candidates };
}

/**
 * Group by group, in float64.
 * Source: llm-awq `awq/quantize/auto_clip.py :: auto_clip_layer`, with compressed-tensors' quantization inside.
 */
export function clipSearchOracle(
  source: ClipSearchSource,
  shape: ClipSearchShape,
  [weights = new Uint32Array(), inputs = new Uint32Array(), limits = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { rows, cols, groupSize, tokens } = shape;
  const [x, found] = [asFloats(inputs), asFloats(limits)];
  for (let group = 0; group < (rows * cols) / groupSize; group++) {
    const first = group * groupSize;
    const { values, candidates } = clipCandidates(source, shape, weights, first);
    found[group] = candidates[0]?.limit ?? Number.POSITIVE_INFINITY;
    let least = WORST_CLIP_ERROR;
    for (const { limit, restore } of candidates) {
      const differences = values.map((value) => restore(value) - value);
      let error = 0;
      for (let token = 0; token < tokens; token++) {
        const start = token * cols + (first % cols);
        error += differences.reduce((sum, difference, at) => sum + difference * (x[start + at] ?? 0), 0) ** 2 / tokens;
      }
      if (!(error < least)) continue;
      least = error;
      found[group] = limit;
    }
  }
}
