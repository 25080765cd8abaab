import type { Transform } from "../../schemes/method.ts";

export type Awq = Extract<Transform, { readonly kind: "awq" }>;

/** A point of the grid: factors x^ratio, with duo scaling over (w^(1 − ratio) + 1e-4). */
export interface GridPoint {
  readonly ratio: number;
  readonly duoScaling: boolean;
}

/** Factors are no smaller before they are normalized. */
const LEAST_FACTOR = 1e-4;

/**
 * The points in the order in which they are tried; the first is no change.
 * Source: LLM Compressor 0.14 `modifiers/transform/awq/base.py :: _get_grid_search_params`.
 */
export function gridPoints({ duoScaling, grid }: Pick<Awq, "duoScaling" | "grid">): readonly GridPoint[] {
  const spread = (count: number, duo: boolean): readonly GridPoint[] =>
    Array.from({ length: count }, (_, at) => ({ ratio: at / (count - 1), duoScaling: duo }));
  if (duoScaling === "both") {
    const [plain, duo] = [spread(grid / 2, false), spread(grid / 2, true)];
    return plain.flatMap((point, at) => [point, duo[at] ?? point]);
  }
  return duoScaling ? [{ ratio: 0, duoScaling: false }, ...spread(grid - 1, true)] : spread(grid, false);
}

/**
 * The factors of a point, in float32, their largest and smallest as far above 1 as below it; where one is no number, 1.
 * @param activations mean magnitude of each channel's inputs
 * @param weights mean of the magnitudes of each column, each over the largest of its group
 * Source: LLM Compressor 0.14 `modifiers/transform/awq/base.py :: _compute_best_scale`.
 */
export function gridFactors(
  { ratio, duoScaling }: GridPoint,
  activations: Float64Array,
  weights: Float64Array,
): Float32Array<ArrayBuffer> {
  const raw = Float32Array.from(activations, (mean, channel) => {
    const activation = Math.fround(Math.fround(mean) ** ratio);
    if (!duoScaling) return Math.max(activation, LEAST_FACTOR);
    const weight = Math.fround(Math.fround(Math.fround(weights[channel] ?? 0) ** (1 - ratio)) + Math.fround(1e-4));
    return Math.max(Math.fround(activation / weight), LEAST_FACTOR);
  });
  const largest = raw.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const smallest = raw.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const middle = Math.fround(Math.sqrt(Math.fround(largest * smallest)));
  return raw.map((value) => {
    const factor = Math.fround(value / middle);
    return Number.isFinite(factor) ? factor : 1;
  });
}
