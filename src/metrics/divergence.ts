/**
 * Jensen–Shannon divergence of two histograms over the same bins, in bits: 0 where their shares agree, 1 where no bin is
 * shared. Needs no smoothing: an empty bin of one meets the mean of both.
 * Source: Lin, Divergence measures based on the Shannon entropy, 1991.
 * @returns null where either histogram is empty
 */
export function jensenShannon(first: readonly number[], second: readonly number[]): number | null {
  const [firstTotal, secondTotal] = [first, second].map((counts) => counts.reduce((sum, count) => sum + count, 0));
  if (!firstTotal || !secondTotal) return null;
  let bits = 0;
  for (let bin = 0; bin < Math.max(first.length, second.length); bin++) {
    const [p, q] = [(first[bin] ?? 0) / firstTotal, (second[bin] ?? 0) / secondTotal];
    const mean = (p + q) / 2;
    if (p > 0) bits += (p * Math.log2(p / mean)) / 2;
    if (q > 0) bits += (q * Math.log2(q / mean)) / 2;
  }
  // Rounding may leave a little less than nothing.
  return Math.max(bits, 0);
}
