// The figures of the bench.

/**
 * A figure that was measured in several rounds.
 * @typedef {object} Row
 * @property {string} id the same in every run; the goals' names are those of the performance specification
 * @property {string} what
 * @property {string} device where it was measured
 * @property {string} unit `×` for a ratio that was formed inside a round
 * @property {number | null} min null: not measured here, `note` says why
 * @property {number | null} median
 * @property {number | null} max
 * @property {number | null} limit
 * @property {"most" | "least"} direction whether the limit is the most or the least
 * @property {"median" | "max"} judged what is held against the limit: the highest of peaks and of what is longest
 * @property {number} rounds how many values there were
 * @property {string} note
 */

/** @returns {Row} the figure of some values, one a round */
export function row({
  id,
  what,
  device,
  values,
  unit = "×",
  limit = null,
  direction = "most",
  judged = "median",
  note = "",
}) {
  const sorted = values.toSorted((a, b) => a - b);
  if (!sorted.every(Number.isFinite) || sorted.length === 0) throw new Error(`${id}: ${values} are no figures`);
  return {
    id,
    what,
    device,
    unit,
    min: sorted[0],
    median: medianOf(sorted),
    max: sorted.at(-1),
    limit,
    direction,
    judged,
    rounds: sorted.length,
    note,
  };
}

/** @returns {Row} a figure that cannot be had here */
export function unmeasured({ id, what, device = "–", unit = "×", limit = null, direction = "most" }, reason) {
  const none = { min: null, median: null, max: null, judged: "median", rounds: 0 };
  return { id, what, device, unit, ...none, limit, direction, note: `not measured: ${reason}` };
}

export function medianOf(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Two series round by round. */
export function ratios(over, under) {
  return over.map((value, round) => value / under[round]);
}
