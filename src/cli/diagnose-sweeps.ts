import { quote } from "../base/errors.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../base/format.ts";
import type { Interval } from "../engine/measure-result.ts";
import type { ChannelChoice, SalientChannels, SampleCurve, StrengthSweep, SweepGround } from "../engine/sweep-api.ts";
import { table } from "./printing.ts";

/** A sweep over SmoothQuant's strength as tables, for people. */
export function strengthsText(sweep: StrengthSweep): string {
  const { plain, points, best, layers, perLayer } = sweep;
  const rows = [plain, ...points].map(({ strength, kld, interval, weights, activations }) => [
    strength === null ? "none" : `${strength}`,
    figure(kld),
    intervalText(interval),
    figure(weights),
    figure(activations),
  ]);
  const lines = [
    `strength of SmoothQuant: ${quote(sweep.scheme)}, ${groundText(sweep)}`,
    table(["strength", "mean KLD ●", "95 %", "weights ●", "activations ●"], rows),
    "Last columns: mean error of rounding over the smoothed matrices, and what goes into them, as a share of their squares.",
  ];
  if (best) {
    const ties = best.ties.length === 0 ? "" : `, which ${best.ties.join(", ")} cannot be told from`;
    const outcome = { wins: "better than none", loses: "worse than none", open: "not told from none" }[best.verdict];
    lines.push(`least at ${best.strength}${ties}; ${outcome}: ${figure(best.gain)} (${intervalText(best.interval)})`);
  }
  if (perLayer) {
    const named = layers.map(({ layer, strength }) => `${layer}: ${strength ?? "–"}`).join(", ");
    lines.push(
      `least error of both, layer by layer: ${named}`,
      `as a recipe: ${quote(perLayer.recipe)}, mean KLD ${figure(perLayer.kld)} (${intervalText(perLayer.interval)})`,
    );
  }
  return lines.join("\n");
}

/** A sweep over calibration samples as a table, for people. */
export function samplesText(curve: SampleCurve): string {
  const { plain, points, enough } = curve;
  const rows = [
    ["none (plain)", figure(plain.kld), intervalText(plain.interval), "–", shareText(plain.outputError), "–", "–"],
    ...points.map(({ samples, kld, interval, excess, outputError, calibrationRatio, methodMs }) => [
      formatCount(samples),
      figure(kld),
      intervalText(interval),
      excess ? `${figure(excess.value)} (${intervalText(excess.interval)})` : "–",
      shareText(outputError),
      shareText(calibrationRatio),
      formatDuration(methodMs),
    ]),
  ];
  const most = points.at(-1)?.samples ?? 0;
  return [
    `calibration samples: ${quote(curve.scheme)}, ${groundText(curve)}`,
    table(
      ["samples", "mean KLD ●", "95 %", "above the most ●", "held-out error ●", "on its samples ●", "time ●"],
      rows,
    ),
    "Held-out error: what a layer adds to the stream, fed by the original. On its samples: error of outputs over plain rounding's.",
    enough === null
      ? `no fewer than ${formatCount(most)} are known to be enough`
      : `${formatCount(enough)} are enough: nothing tells them from ${formatCount(most)} on these windows`,
  ].join("\n");
}

const CHOICE_WORDS: Readonly<Record<ChannelChoice, string>> = {
  none: "none",
  activations: "loudest inputs",
  weights: "largest weights",
  random: "at random",
};

/** What a few input channels are worth, as a table, for people. */
export function salientText(salient: SalientChannels): string {
  const { recipe, share, channels, matrices, leftOut, common, rows } = salient;
  const lines = rows.map(({ choice, kld, interval, gain }) => [
    CHOICE_WORDS[choice],
    figure(kld),
    intervalText(interval),
    gain ? `${figure(gain.value)} (${intervalText(gain.interval)})` : "–",
  ]);
  const left = leftOut === 0 ? "" : `, ${formatCount(leftOut)} left out`;
  return [
    `${formatPercent(share)} of the input channels kept: ${quote(recipe)}, ${groundText(salient)}`,
    table(["kept", "mean KLD ●", "95 %", "less than none kept ●"], lines),
    `${formatCount(channels.kept)} of ${formatCount(channels.all)} channels of ${formatCount(matrices)} matrices${left}` +
      `${common === null ? "" : `; ${formatPercent(common)} of them are both loud and of large weights`}`,
  ].join("\n");
}

function groundText({ text, positions, calibration }: SweepGround): string {
  return `${formatCount(positions)} positions of ${quote(text)}; calibrated on ${quote(calibration.name)}`;
}

function figure(value: number | null): string {
  return value === null ? "–" : formatNumber(value, 4);
}

function intervalText(interval: Interval | null): string {
  return interval ? `${formatNumber(interval.low, 3)} … ${formatNumber(interval.high, 3)}` : "one window";
}

function shareText(value: number | null): string {
  return value === null ? "–" : formatPercent(value);
}
