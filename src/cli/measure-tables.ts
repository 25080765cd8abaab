import { quote } from "../base/errors.ts";
import { formatBytes, formatCount, formatNumber, formatPercent } from "../base/format.ts";
import type { KeptResults } from "../engine/api.ts";
import {
  ACTIVATIONS_LEFT_OUT,
  divergenceVerdict,
  leavesActivations,
  roundedWords,
  servedWords,
} from "../engine/divergence-words.ts";
import type { Divergence, MeasureResult, MeasureRow } from "../engine/measure-result.ts";
import { statisticsLines } from "../engine/statistics-lines.ts";
import { gainsText, methodsText } from "./method-tables.ts";
import { kernelsText, LEGEND, quantityCell, table } from "./printing.ts";

/** A measurement as tables, for people. */
export function measureText(result: MeasureResult): string {
  const { model, text, rows, noiseFloor } = result;
  const head = [
    "scheme",
    "files",
    "bits, file",
    "mean KLD ●",
    "95 %",
    "median ●",
    "99 % ●",
    "RMS Δp ●",
    "same top p ●",
    "PPL(Q) ●",
  ];
  const figures = (divergence: Divergence | null) => {
    if (!divergence) return head.slice(3).map(() => "–");
    const { kld, intervals, kldPercentiles, rmsDeltaP, sameTopP, pplQ } = divergence;
    const interval = intervals.kld;
    return [
      formatNumber(kld.value, 4),
      interval ? `${formatNumber(interval.low, 3)} … ${formatNumber(interval.high, 3)}` : "one window",
      formatNumber(kldPercentiles.median, 3),
      formatNumber(kldPercentiles["99"], 3),
      formatPercent(rmsDeltaP.value),
      formatPercent(sameTopP.value),
      formatNumber(pplQ.value, 5),
    ];
  };
  const lines = [
    ...rows.map((row) => [
      row.error ? `${quote(row.scheme)} !` : quote(row.scheme),
      quantityCell(row.bytes, formatBytes),
      quantityCell(row.bitsPerWeight, (value) => formatNumber(value, 4)),
      ...figures(row.divergence),
    ]),
    [`noise floor (${noiseFloor.dtype})`, "–", "–", ...figures(noiseFloor.divergence)],
  ];
  const known = text.knownWindows > 0 ? `, ${text.knownWindows} of them measured before` : "";
  const parts = [
    [
      `${quote(model.name)} on ${quote(text.name)}, at most ${text.context} tokens each${known};`,
      `${formatCount(text.positions)} positions scored (the second half of each window) · nats ·`,
      `${roundedWords(result)} · arithmetic: ${result.arithmetic} ·`,
      `ignored: ${result.ignore.map(quote).join(", ") || "nothing"}`,
    ].join(" "),
    table(head, lines),
    ...gainsText(rows),
    ...methodsText(rows),
    ...divergenceVerdict(result),
    ...rows.flatMap((row) => {
      const notes = [
        ...(row.error ? [row.error.message] : []),
        ...(leavesActivations(row, result) ? [`${ACTIVATIONS_LEFT_OUT}.`] : []),
        ...row.notices.map((notice) => notice.text),
      ];
      const { divergence } = row;
      return [
        [
          quote(row.scheme),
          ...notes.map((note) => `! ${note}`),
          ...servedText(row),
          ...(divergence
            ? statisticsLines(divergence).map(({ label, text: value }) => `${label.padEnd(30)}: ${value}`)
            : []),
          ...(divergence ? [slicesText(divergence)] : []),
        ].join("\n"),
      ];
    }),
    kernelsText(result),
    LEGEND,
  ];
  return parts.join("\n\n");
}

/** What serving does, beside what is simulated, and how sure that is. */
function servedText({ served }: MeasureRow): readonly string[] {
  const words = served === null ? "" : servedWords(served);
  return served === null || words === "" ? [] : [`as served (vLLM): ${words} ● (${served.evidence})`];
}

function slicesText({ slices }: Divergence): string {
  return table(
    ["positions", "", "mean KLD ●", "95 %", "n"],
    slices.map(({ kind, name, kld, interval, positions }) => [
      kind === "text" ? quote(name) : kind,
      kind === "late" ? "second half of those scored" : kind === "rare" ? "before a rare token" : "of this text",
      formatNumber(kld, 4),
      interval ? `${formatNumber(interval.low, 3)} … ${formatNumber(interval.high, 3)}` : "–",
      formatCount(positions),
    ]),
  );
}

/** What is kept of earlier measurements, for people. */
export function keptText(entries: KeptResults["entries"]): string {
  if (entries.length === 0) return "Nothing is kept.";
  return table(
    ["entry", "size ƒ"],
    entries.map(({ name, sizeBytes }) => [quote(name), formatBytes(sizeBytes)]),
  );
}
