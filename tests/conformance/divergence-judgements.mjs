// What makes a divergence or a forward pass fail. Each judgement returns what is wrong, in words, or null.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listed } from "./judgements.mjs";

/** How far a statistic may be from that of `measure.py`, as a share: the two add up in other orders, in float32. */
const STATISTIC_TOLERANCE = 1e-3;
/** Positions whose top token may differ, where two logits are a rounding apart. */
const TOP_TOKENS = 1;
const LEAST_CORRELATION = 0.99999;

const STATISTICS = {
  "mean KLD": ({ kld }) => kld.value,
  "median KLD": ({ kldPercentiles }) => kldPercentiles.median,
  "99 % KLD": ({ kldPercentiles }) => kldPercentiles["99"],
  "RMS Δp": ({ rmsDeltaP }) => rmsDeltaP.value,
  "PPL(Q)": ({ pplQ }) => pplQ.value,
  "PPL(base)": ({ pplBase }) => pplBase.value,
};

/**
 * Whether the lab's divergence is that of `measure.py`.
 * @param own,theirs `divergence` and the report
 * @param ownPositions,theirPositions KL divergence of every scored position, in nats
 */
export function judgeDivergence(own, theirs, ownPositions, theirPositions) {
  const wrong = [];
  let worst = { name: "", deviation: 0 };
  for (const [name, read] of Object.entries(STATISTICS)) {
    const deviation = Math.abs(read(own) / read(theirs) - 1);
    if (!(deviation <= STATISTIC_TOLERANCE)) wrong.push(`${name} ${read(own)}, expected ${read(theirs)}`);
    if (deviation > worst.deviation) worst = { name, deviation };
  }
  if (own.scored !== theirs.scored) wrong.push(`${own.scored} positions, expected ${theirs.scored}`);
  const tops = Math.round((own.sameTopP.value - theirs.sameTopP.value) * theirs.scored);
  if (!(Math.abs(tops) <= TOP_TOKENS)) wrong.push(`the same top token at ${tops} positions more`);
  const apart = 1 - correlation(ownPositions, theirPositions);
  if (!(apart < 1 - LEAST_CORRELATION)) wrong.push(`the correlation of positions is 1 − ${apart}`);
  const note = `${worst.name} ${worst.deviation.toExponential(1)}, 1 − correlation ${apart.toExponential(1)}`;
  return { wrong: wrong.length > 0 ? listed(wrong) : null, note };
}

/**
 * How far statistics may be from the tool's where activations are rounded, as shares. A sum in another order moves a few codes
 * by one, and what they move is as large as what is measured: the tool in float64 against itself moves by up to 2 % as well.
 * So it is asked both ways, and the nearer answer counts.
 */
const ROUNDED_TOLERANCES = { "mean KLD": 0.02, "median KLD": 0.02, "RMS Δp": 0.05 };

/** The same for the share of positions with the same top token. */
const ROUNDED_TOP_TOKENS = 0.01;

/**
 * Whether the lab's divergence with rounded activations is that of `measure.py`.
 * @param theirs,wide its reports in float32 and in float64
 */
export function judgeRoundedDivergence(own, theirs, wide, ownPositions, theirPositions) {
  const wrong = [];
  const notes = [];
  const judge = (name, tolerance, apart) => {
    const [from, fromWide] = [apart(theirs), apart(wide)];
    const words = (value) => `${(100 * value).toFixed(2)} %`;
    notes.push(`${name} ${words(from)} (${words(fromWide)} from float64)`);
    if (!(Math.min(Math.abs(from), Math.abs(fromWide)) <= tolerance)) wrong.push(`${name} is off by ${words(from)}`);
  };
  for (const [name, tolerance] of Object.entries(ROUNDED_TOLERANCES)) {
    judge(name, tolerance, (report) => STATISTICS[name](own) / STATISTICS[name](report) - 1);
  }
  judge("same top", ROUNDED_TOP_TOKENS, (report) => own.sameTopP.value - report.sameTopP.value);
  if (own.scored !== theirs.scored) wrong.push(`${own.scored} positions, expected ${theirs.scored}`);
  const [rounded, expected] = [own, theirs].map((report) => report.activationQuantization.join("; "));
  if (expected === "" || rounded !== expected) wrong.push(`"${rounded}" is rounded, expected "${expected}"`);
  notes.push(`correlation ${correlation(ownPositions, theirPositions).toFixed(4)}`);
  return { wrong: wrong.length > 0 ? listed(wrong) : null, note: notes.join(", ") };
}

/** Whether no position diverges by more than `limit` nats; 0 asks for exactly nothing. */
export function judgeSameFunction(positions, count, limit) {
  if (positions.length !== count) return `${positions.length} positions, expected ${count}`;
  const beyond = positions.findIndex((kld) => !(Math.abs(kld) <= limit));
  return beyond < 0 ? null : `position ${beyond} diverges by ${positions[beyond]} nats`;
}

/** Pearson's, of two lists of one length; NaN of others. */
function correlation(a, b) {
  if (a.length !== b.length) return Number.NaN;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, squareA, squareB] = [0, 0, 0];
  for (const [at, value] of a.entries()) {
    const [x, y] = [value - meanA, b[at] - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return product / Math.sqrt(squareA * squareB);
}

/** The lab's limits: logits against transformers' float32; statistics as shares, against transformers in float64. */
const DEVIATIONS = { largest: 2e-4, median: 1e-5, statistic: 1e-5 };

/** Whether the lab's logits and statistics of one family are those of transformers. */
export function judgeDeviations({ largest, median, statistics, modules }) {
  const wrong = [];
  if (!(largest <= DEVIATIONS.largest)) wrong.push(`a logit is off by ${largest}`);
  if (!(median <= DEVIATIONS.median)) wrong.push(`the median logit is off by ${median}`);
  for (const [name, deviation] of Object.entries(statistics)) {
    if (!(deviation <= DEVIATIONS.statistic)) wrong.push(`${name} is off by ${deviation}`);
  }
  if (modules === 0 || Object.keys(statistics).length === 0) wrong.push("no statistics");
  const worst = Math.max(...Object.values(statistics)).toExponential(1);
  const note = `logits ${largest.toExponential(1)}, statistics of ${modules} modules ${worst}`;
  return { wrong: wrong.length > 0 ? listed(wrong) : null, note };
}

/** The files that `--per-position` wrote, in the order of the rows. */
export function positionsOf(folder) {
  const placeOf = (name) => Number.parseInt(name, 10);
  return readdirSync(folder)
    .sort((a, b) => placeOf(a) - placeOf(b))
    .map((name) => readPositions(join(folder, name)));
}

/** A file of little-endian float64. */
export function readPositions(file) {
  const bytes = readFileSync(file);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
