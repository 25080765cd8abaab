/** A median and where it lies with 95 % confidence. */
export interface MedianInterval {
  /** Null where it is censored, and where there are no values. */
  readonly median: number | null;
  readonly interval: { readonly low: number | null; readonly high: number | null };
}

/** Share of intervals that hold the truth. */
const CONFIDENCE = 0.95;

/**
 * The median of counts, some of which are only known to be beyond what was watched, and its interval by their order: with
 * n values in ascending order it goes from the k-th smallest to the k-th largest, k as large as P(k ≤ B ≤ n − k) ≥ 0.95
 * allows, B the number of values below the true median, which is binomial (n, ½) whatever they are distributed like. Where
 * values are equal it holds the truth more often, not less. An even number has the mean of the middle two as its median.
 *
 * Below six values not even the smallest and the largest are far enough apart (five hold the median between them at
 * 1 − 2/2⁵ = 94 %): the interval is then everything that a count can be.
 * @param values counts from 0, each null where it is beyond what was watched, which is more than any other
 * @returns null for an end of the interval, or a median, that is beyond
 * Source: Conover, Practical Nonparametric Statistics, 3rd edition 1999, section 3.2, confidence interval for a quantile.
 */
export function medianInterval(values: readonly (number | null)[]): MedianInterval {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const count = sorted.length;
  const known = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);
  const [lower, upper] = [sorted[Math.floor((count - 1) / 2)], sorted[Math.floor(count / 2)]];
  const place = intervalPlace(count);
  return {
    median: lower === undefined || upper === undefined ? null : known((lower + upper) / 2),
    interval:
      place === 0 ? { low: 0, high: null } : { low: known(sorted[place - 1]), high: known(sorted[count - place]) },
  };
}

/** The largest k with P(k ≤ B ≤ n − k) ≥ 0.95 for B binomial (n, ½); 0 where there is none. */
function intervalPlace(count: number): number {
  // P(B = i), from i = 0 on; in logarithms, since 2^-n is no double for n of a thousand and more.
  let logTerm = -count * Math.LN2;
  let below = 0;
  for (let place = 1; 2 * place <= count; place++) {
    below += Math.exp(logTerm);
    if (2 * below > 1 - CONFIDENCE) return place - 1;
    logTerm += Math.log((count - place + 1) / place);
  }
  return Math.floor(count / 2);
}
