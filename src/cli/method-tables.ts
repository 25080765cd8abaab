import { quote } from "../base/errors.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../base/format.ts";
import type { MeasureRow } from "../engine/measure-result.ts";
import type { MethodReport } from "../engine/methods/method-report.ts";
import { table } from "./printing.ts";

/** A row that a method may have been through. */
interface MethodRow {
  readonly scheme: string;
  readonly methodRun: MethodReport | null;
}

/** What methods did, pass by pass, and how long each took; nothing where no row has one. */
export function methodsText(rows: readonly MethodRow[]): readonly string[] {
  const lines = rows.flatMap(({ scheme, methodRun }) =>
    (methodRun?.stages ?? []).map(({ stage, outputRatio, matrices, smoothings, worse, elapsedMs }) => [
      quote(scheme),
      stage,
      outputRatio === null ? "–" : formatNumber(outputRatio.value),
      outputRatio === null ? "–" : formatCount(outputRatio.matrices),
      formatCount(worse.length),
      formatCount(matrices.filter(({ fallback }) => fallback !== null).length),
      smoothings.length === 0
        ? "–"
        : `${smoothings.filter(({ refused }) => refused === null).length} of ${smoothings.length}`,
      formatDuration(elapsedMs),
    ]),
  );
  const texts = rows.flatMap(({ methodRun }) => methodRun?.calibration ?? []);
  const [text] = texts;
  if (text === undefined) return [];
  const head = [
    "scheme",
    "method",
    "outputs' error / plain's ●",
    "matrices",
    "worse",
    "fallbacks",
    "factors at",
    "time ●",
  ];
  return [`calibrated on ${quote(text.name)}, ${formatCount(text.tokens)} tokens\n${table(head, lines)}`];
}

/** What methods buy over their plain twins; nothing where no row has such a gain. */
export function gainsText(rows: readonly MeasureRow[]): readonly string[] {
  const lines = rows.flatMap(({ scheme, gain }) =>
    gain === null
      ? []
      : [
          [
            quote(scheme),
            quote(gain.against),
            formatNumber(gain.difference),
            gain.interval === null
              ? "one window"
              : `${formatNumber(gain.interval.low)} … ${formatNumber(gain.interval.high)}`,
            gain.recovered === null ? "–" : formatPercent(gain.recovered),
            gain.verdict === "loses" ? "loses !" : gain.verdict,
          ],
        ],
  );
  if (lines.length === 0) return [];
  return [table(["scheme", "against", "mean KLD less ●", "95 %", "of plain's", "verdict"], lines)];
}
