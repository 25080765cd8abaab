import type { TokenScores } from "./token-scores.ts";

/** A mean, and its standard error; null where llama.cpp gives none. */
export interface UncertainValue {
  readonly value: number;
  readonly uncertainty: number | null;
}

/** Percentiles of the KL divergence in llama.cpp's order, which the keys of an object do not keep: some are whole numbers. */
export const KLD_PERCENTILES = ["max", "99.9", "99", "95", "90", "median", "10", "5", "1", "0.1", "min"] as const;

/** Percentiles of Δp, in the same order. */
export const DELTA_P_PERCENTILES = [
  "max",
  "99.9",
  "99",
  "95",
  "90",
  "75",
  "median",
  "25",
  "10",
  "5",
  "1",
  "0.1",
  "min",
] as const;

export type KldPercentile = (typeof KLD_PERCENTILES)[number];
export type DeltaPPercentile = (typeof DELTA_P_PERCENTILES)[number];

/** Shares of the positions that lie below each. */
const FRACTIONS: Readonly<Record<DeltaPPercentile, number>> = {
  max: 1,
  "99.9": 0.999,
  "99": 0.99,
  "95": 0.95,
  "90": 0.9,
  "75": 0.75,
  median: 0.5,
  "25": 0.25,
  "10": 0.1,
  "5": 0.05,
  "1": 0.01,
  "0.1": 0.001,
  min: 0,
};

/**
 * What `llama-perplexity --kl-divergence` tells at its end, Q the variant. Nats for KL divergences and logarithms of ratios;
 * fractions, not percent, for Δp, same top p and the correlation. ± is one standard error, as if positions were independent.
 * NaN where a position is not finite, but for `sameTopP`, which counts it as different.
 */
export interface KlStatistics {
  /** Positions that were scored. */
  readonly scored: number;
  /** Perplexity of the variant. */
  readonly pplQ: UncertainValue;
  /** Perplexity of the original. */
  readonly pplBase: UncertainValue;
  /** Correlation of both logarithms of perplexity; 1 where one has no spread. */
  readonly corLnPpl: UncertainValue;
  readonly lnPplRatio: UncertainValue;
  readonly pplRatio: UncertainValue;
  readonly pplDifference: UncertainValue;
  /** Mean KL divergence. */
  readonly kld: UncertainValue;
  readonly kldPercentiles: Readonly<Record<KldPercentile, number>>;
  /** Mean q − p of the token that came next. */
  readonly deltaP: UncertainValue;
  readonly deltaPPercentiles: Readonly<Record<DeltaPPercentile, number>>;
  readonly rmsDeltaP: UncertainValue;
  /** Share of positions where both have the same most likely token. */
  readonly sameTopP: UncertainValue;
}

/** Below this many positions, and at it, llama.cpp gives no standard error but 0. */
const MAX_WITHOUT_UNCERTAINTY = 10;

/**
 * llama.cpp's statistics of some scored positions, sums in float64.
 * Source: llama.cpp `tools/perplexity/perplexity.cpp`, `kl_divergence`; as `measure.py` of the conformance kit.
 * @returns null where no position is scored
 */
export function klStatistics(scores: TokenScores): KlStatistics | null {
  const { nll, nllBase, kld, deltaP } = scores;
  const scored = kld.length;
  if (scored === 0) return null;
  const [meanNll, meanNllBase] = [mean(nll), mean(nllBase)];
  const [errorNll, errorNllBase] = [standardError(nll), standardError(nllBase)];
  const covariance = covarianceOfMeans(nll, nllBase);
  const [pplQ, pplBase] = [Math.exp(meanNll), Math.exp(meanNllBase)];
  const lnRatio = meanNll - meanNllBase;
  const errorLnRatio = rootOf(errorNll ** 2 + errorNllBase ** 2 - 2 * covariance);
  const pplCovariance = pplQ * pplBase * covariance;
  const errorDifference = rootOf((pplQ * errorNll) ** 2 + (pplBase * errorNllBase) ** 2 - 2 * pplCovariance);
  const squares = deltaP.map((delta) => delta * delta);
  const rms = Math.sqrt(mean(squares));
  const sameTop = mean(Float64Array.from(scores.sameTop));
  const errors = errorNll * errorNllBase;
  return {
    scored,
    pplQ: { value: pplQ, uncertainty: pplQ * errorNll },
    pplBase: { value: pplBase, uncertainty: pplBase * errorNllBase },
    corLnPpl: { value: errors === 0 ? 1 : covariance / errors, uncertainty: null },
    lnPplRatio: { value: lnRatio, uncertainty: errorLnRatio },
    pplRatio: { value: Math.exp(lnRatio), uncertainty: Math.exp(lnRatio) * errorLnRatio },
    pplDifference: { value: pplQ - pplBase, uncertainty: errorDifference },
    kld: { value: mean(kld), uncertainty: standardError(kld) },
    kldPercentiles: percentiles(kld, KLD_PERCENTILES),
    deltaP: { value: mean(deltaP), uncertainty: standardError(deltaP) },
    deltaPPercentiles: percentiles(deltaP, DELTA_P_PERCENTILES),
    rmsDeltaP: { value: rms, uncertainty: rms === 0 ? 0 : (0.5 / rms) * standardError(squares) },
    sameTopP: { value: sameTop, uncertainty: scored > 1 ? Math.sqrt((sameTop * (1 - sameTop)) / (scored - 1)) : 0 },
  };
}

/**
 * The value below which `fraction` of them lie, straight between neighbours: numpy's `quantile`, method `linear` (Hyndman
 * and Fan's seventh).
 * @param sorted rising, at least one
 */
export function quantile(sorted: Float64Array, fraction: number): number {
  const place = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  const share = place - Math.floor(place);
  // From the nearer neighbour, as numpy does: what it says is met to the bit, and exact at both ends.
  return share < 0.5 ? below + (above - below) * share : above - (above - below) * (1 - share);
}

function percentiles<Name extends DeltaPPercentile>(
  values: Float64Array,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const sorted = values.toSorted();
  // NaN sorts to the end, where only the upper percentiles would tell of it.
  const isWhole = !Number.isNaN(sorted.at(-1));
  const told = names.map((name) => [name, isWhole ? quantile(sorted, FRACTIONS[name]) : Number.NaN]);
  return Object.fromEntries(told) as Record<Name, number>;
}

/** sqrt((E[x²] − E[x]²) / (n − 1)), the standard error of the mean. */
function standardError(values: Float64Array): number {
  return rootOf(covarianceOfMeans(values, values));
}

/** (E[xy] − E[x]·E[y]) / (n − 1), the covariance of the two means. */
function covarianceOfMeans(first: Float64Array, second: Float64Array): number {
  const count = first.length;
  if (count <= MAX_WITHOUT_UNCERTAINTY) return 0;
  const products = first.map((value, index) => value * (second[index] ?? 0));
  return (mean(products) - mean(first) * mean(second)) / (count - 1);
}

/** Square root of what rounding may have left below nothing. */
function rootOf(square: number): number {
  return Math.sqrt(Math.max(square, 0));
}

function mean(values: Float64Array): number {
  return pairwiseSum(values, 0, values.length) / values.length;
}

/** Most terms that are added without being halved. */
const PAIRWISE_BLOCK = 128;

/** Partial sums of such a block. */
const PARTIAL_SUMS = 8;

/**
 * Sum of the values from `start` to before `end`, halved again and again, so that rounding grows with the logarithm of their
 * count. In numpy's order: differences of means that nearly cancel keep the very bits they have there.
 * Source: numpy `pairwise_sum`.
 */
function pairwiseSum(values: Float64Array, start: number, end: number): number {
  const count = end - start;
  if (count > PAIRWISE_BLOCK) {
    const half = Math.floor(count / 2);
    const middle = start + half - (half % PARTIAL_SUMS);
    return pairwiseSum(values, start, middle) + pairwiseSum(values, middle, end);
  }
  const whole = start + count - (count % PARTIAL_SUMS);
  const partial = new Float64Array(PARTIAL_SUMS);
  for (let index = start; index < whole; index++) {
    const lane = (index - start) % PARTIAL_SUMS;
    partial[lane] = (partial[lane] ?? 0) + (values[index] ?? 0);
  }
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = partial;
  let sum = a + b + (c + d) + (e + f + (g + h));
  for (let index = whole; index < end; index++) sum += values[index] ?? 0;
  return sum;
}
