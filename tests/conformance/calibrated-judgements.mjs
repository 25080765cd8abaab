// What makes a calibrated export fail. Each judgement returns what is wrong, in words, or null, and a note.
import { listed } from "./judgements.mjs";

/**
 * Student's quantiles at 97.5 %, by the number of windows (one more than the degrees of freedom).
 * Source: any table of the t distribution.
 */
const STUDENT_QUANTILES = { 16: 2.13145, 64: 1.99834 };

/** A mean KLD this much larger than the reference's is as good, as a share. */
const LOSS_LIMIT = 0.03;

/** The reference's gain is only asked for where it is this many times what moves the tool's own mean KLD. */
const SCATTERS = 4;

/**
 * How much larger the mean of `one` is than that of `other`, with half the width of its interval at 95 %.
 *
 * A window is one observation, not a position: what stands in one text hangs together, and intervals of single positions are
 * too narrow. Every window scores as many positions, so the mean over positions is the mean of the windows' means, and
 * Student's interval of the paired differences of windows says what a bootstrap of windows (src/metrics/block-bootstrap.ts)
 * says, without a seed and without the lab's own code, which is what is judged here.
 */
export function pairedDifference(one, other, windows) {
  const size = one.length / windows;
  const quantile = STUDENT_QUANTILES[windows];
  if (one.length !== other.length || !Number.isInteger(size) || size === 0 || quantile === undefined)
    throw new Error(`${one.length} and ${other.length} positions of ${windows} windows`);
  const differences = Array.from({ length: windows }, (_, window) => {
    let sum = 0;
    for (let at = window * size; at < (window + 1) * size; at++) sum += one[at] - other[at];
    return sum / size;
  });
  const value = meanOf(differences);
  const squares = differences.reduce((sum, difference) => sum + (difference - value) ** 2, 0);
  return { value, half: quantile * Math.sqrt(squares / (windows - 1) / windows) };
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

/**
 * Whether a candidate diverges no more than the real tool's, and gains as much over what no calibration gives.
 * - Its mean KLD is at most 3 % larger than the reference's, or the interval of the difference reaches down to none.
 * - Where the reference's gain is larger than its interval and than four times the tool's own scatter, the candidate has
 *   `leastGain` of it. A smaller gain is nothing that either of them could be asked for.
 * @param positions `plain`, `reference` and `candidate`: KL divergence of every scored position, in nats
 * @param row `evaluated`, `leastGain` and `scatter` of a `CalibratedCase`
 */
export function judgeGain(positions, { evaluated, leastGain, scatter }) {
  const { plain, reference, candidate } = positions;
  const means = [plain, reference, candidate].map(meanOf);
  if (!means.every(Number.isFinite)) return { wrong: `mean KLD ${means.join(", ")}`, note: "" };
  const gain = pairedDifference(plain, reference, evaluated);
  const loss = pairedDifference(candidate, reference, evaluated);
  const isClear = gain.value > gain.half && gain.value > SCATTERS * scatter * means[1];
  const share = (means[0] - means[2]) / gain.value;
  const excess = loss.value / means[1];
  const wrong = [];
  if (excess > LOSS_LIMIT && loss.value > loss.half)
    wrong.push(`the mean KLD is ${percent(excess)} above the reference's, ± ${percent(loss.half / means[1])}`);
  if (isClear && !(share >= leastGain)) wrong.push(`${percent(share)} of the reference's gain, at least ${leastGain}`);
  const note = [
    `mean KLD plain ${means[0].toPrecision(4)}, reference ${means[1].toPrecision(4)}, candidate ${means[2].toPrecision(4)}`,
    `${percent(excess)} ± ${percent(loss.half / means[1])} above the reference`,
    `gain ${gain.value.toPrecision(3)} ± ${gain.half.toPrecision(2)}, ${isClear ? `${percent(share)} of it reached` : "too small to judge"}`,
  ];
  return { wrong: wrong.length > 0 ? wrong.join("; ") : null, note: note.join("; ") };
}

/** What `calibrated.py` found. Agreement of masks is told and not judged: near ties go either way. */
export function judgeAcceptance({ mode, geometricMeanRatio, layers, maskAgreement, failures }) {
  const rows = Object.entries(layers);
  if (rows.length === 0) return { wrong: "no layer is compared", note: "" };
  const [worst, { ratio }] = rows.reduce((most, row) => (row[1].ratio > most[1].ratio ? row : most));
  const overPlain = rows.map(([, { plain, reference }]) => Math.log(plain / reference));
  const agreements = Object.values(maskAgreement);
  const note = [
    `${mode} ratio ${geometricMeanRatio.toFixed(4)}, ${worst} ${ratio.toFixed(4)}`,
    `of no calibration ${Math.exp(meanOf(overPlain)).toFixed(3)}`,
    ...(agreements.length > 0
      ? [`masks agree ${percent(meanOf(agreements))}, ${percent(Math.min(...agreements))}`]
      : []),
  ].join("; ");
  return { wrong: failures.length > 0 ? listed(failures) : null, note };
}

/** Tensors that hang on the order of sums, and so may differ. */
const CODES = /_proj\.weight(_packed)?$/;
/** Where factors are moved: the norms and layers before, and whatever is made of changed weights. */
const SMOOTHED = /(_proj\.weight(_packed|_scale|_zero_point)?|norm\.weight)$/;

/**
 * Whether everything else is what the real tool writes: names, types and shapes, the config, tensors that no method touches,
 * and, without smoothing, the scales, which are those of the original weights.
 * @param answer `compare.py` across entry points, as comparisons.py prints it
 */
export function judgeRest({ passed, findings }, { isSmoothed }) {
  const mayDiffer = (finding) => {
    const [tensor, found] = [finding.slice(0, finding.indexOf(": ")), finding.slice(finding.indexOf(": ") + 2)];
    return (isSmoothed ? SMOOTHED : CODES).test(tensor) && /^[0-9]+ of [0-9]+ (codes|elements) differ/.test(found);
  };
  const wrong = findings.filter((finding) => !mayDiffer(finding));
  if (passed === 0) wrong.push("nothing is equal");
  const counts = new Map();
  for (const finding of findings.filter(mayDiffer)) {
    const [, kind, differing, all] = /([^.]+\.[^.]+): ([0-9]+) of ([0-9]+)/.exec(finding);
    const [sum, total] = counts.get(kind) ?? [0, 0];
    counts.set(kind, [sum + Number(differing), total + Number(all)]);
  }
  const differing = [...counts].map(([kind, [sum, total]]) => `${kind} ${percent(sum / total)}`);
  const note = `${passed} equal${differing.length > 0 ? `; of the others differ ${differing.join(", ")}` : ""}`;
  return { wrong: wrong.length > 0 ? listed(wrong) : null, note };
}
