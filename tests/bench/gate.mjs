// Which figures may fail a run, and when they do.

/** By how much a figure may miss its limit: quiet machines spread by 7 %, the measured values lie well inside. */
const SLACK = 1.2;

/** Ratios hold on any machine; so do bytes. Milliseconds say as much of the machine as of the lab. */
const GATED_UNITS = new Set(["×", "MB"]);

/** Whether a figure can fail a run. */
export function isGated({ unit, limit, median }) {
  return limit !== null && median !== null && GATED_UNITS.has(unit);
}

/** Whether a figure keeps its limit, `slack` times it where that is more than 1; null where there is nothing to keep. */
export function keepsLimit(row, slack = 1) {
  const { limit, direction, median, judged } = row;
  if (limit === null || median === null) return null;
  return direction === "most" ? row[judged] <= limit * slack : row[judged] >= limit / slack;
}

/** The gated figures that miss their limits, slack included. */
export function missed(rows) {
  return rows.filter((row) => isGated(row) && !keepsLimit(row, SLACK));
}
