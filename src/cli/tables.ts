import { quote } from "../base/errors.ts";
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatParameters,
  formatPercent,
  formatRate,
  formatRatio,
} from "../base/format.ts";
import { cornerWords } from "../engine/corner-words.ts";
import type { FrontierPoint } from "../engine/frontier.ts";
import { methodLines, weightErrorWords } from "../engine/method-lines.ts";
import type { CompareResult, ExportResult } from "../engine/result.ts";
import { verdictWords } from "../engine/verdict-words.ts";
import { methodsText } from "./method-tables.ts";
import { kernelsText, LEGEND, quantityCell, table } from "./printing.ts";

/** The comparison as tables, for people. */
export function compareText(result: CompareResult, points: readonly FrontierPoint[]): string {
  const { model, original } = result;
  const head = [
    "scheme",
    "files",
    "smaller",
    "bits, file",
    "bits, quantized",
    "rel. MSE",
    "SQNR dB",
    "max |error|",
    "weights + KV",
    `free on ${original.fit.gpu}`,
    "verdict",
  ];
  const needs = (fit: CompareResult["original"]["fit"]) =>
    `${formatBytes(fit.weightBytes.value)} + ${fit.kvCacheBytes ? formatBytes(fit.kvCacheBytes.value) : "?"}`;
  const rows = [
    [
      "original",
      quantityCell(model.fileBytes, formatBytes),
      "–",
      quantityCell(model.bitsPerWeight, (value) => formatNumber(value, 4)),
      "–",
      "0",
      "–",
      "0",
      needs(original.fit),
      quantityCell(original.fit.freeBytes, formatBytes),
      "–",
    ],
    ...result.schemes.map((row, index) => [
      row.error ? `${row.scheme} !` : row.scheme,
      quantityCell(row.fileBytes, formatBytes),
      quantityCell(row.smaller, formatRatio),
      quantityCell(row.bitsPerWeight, (value) => formatNumber(value, 4)),
      quantityCell(row.quantizedBitsPerWeight, (value) => formatNumber(value, 4)),
      quantityCell(row.relativeMse, formatNumber),
      quantityCell(row.sqnrDb, formatNumber),
      quantityCell(row.maxAbsError, formatNumber),
      needs(row.fit),
      quantityCell(row.fit.freeBytes, formatBytes),
      verdict(points[index]),
    ]),
  ];
  const parts = [
    `${quote(model.name)}: ${formatParameters(model.parameters.value)} weights · arithmetic: ${result.arithmetic} · ignored: ${result.ignore.map(quote).join(", ") || "nothing"}`,
    table(head, rows),
    codingText(result),
    ...methodsText(result.schemes),
    ...result.schemes.map((row) => layersText(row, weightErrorWords(row, result.schemes))),
  ];
  if (result.throughput.length > 0) parts.push(throughputText(result));
  parts.push(kernelsText(result), LEGEND);
  return parts.join("\n\n");
}

/** Where a recipe stands between size and error, in words; a dash where that is not known. */
function verdict(point: FrontierPoint | undefined): string {
  return (point && verdictWords(point, point.by ?? "")) || "–";
}

/** What an export wrote, for people. */
export function exportText(result: ExportResult, out: string): string {
  const lines = [
    `${out}: ${result.scheme} as ${result.format}, ${formatCount(result.fileBytes.value)} bytes of weights, ${result.quantizedModules} matrices changed, ${result.untouchedTensors} tensors as they were`,
    `  arithmetic ${result.arithmetic} · ignored ${result.ignore.join(", ") || "nothing"} · ${kernelsText(result)}`,
    ...(result.methodRun === null ? [] : methodLines(result.methodRun).map((line) => `  ${line}`)),
    ...result.notices.map(({ text }) => `  ! ${text}`),
    ...result.corners.map(({ module, corners }) => `  · ${module}: ${corners.map(cornerWords).join("; ")}`),
    ...result.files.map(({ name, sizeBytes }) => `  ${formatCount(sizeBytes).padStart(15)}  ${name}`),
  ];
  return lines.join("\n");
}

/** What becomes of the weights beside their error. */
function codingText(result: CompareResult): string {
  const rows = result.schemes.map((row) => [
    row.scheme,
    quantityCell(row.cosine, (value) => formatNumber(value, 6)),
    quantityCell(row.clippedShare, formatPercent),
    quantityCell(row.usedLevels, formatPercent),
    quantityCell(row.histogramDivergence, formatNumber),
    row.histogramDivergence ? formatCount(row.histogramDivergence.samples ?? 0) : "–",
  ]);
  return table(["scheme", "cosine", "codes cut off", "levels used", "weight-histogram divergence", "n"], rows);
}

function layersText(row: CompareResult["schemes"][number], aboutErrors: string): string {
  const isMixed = new Set(row.layers.map(({ scheme }) => scheme)).size > 1;
  const figure = (value: number | null) => (value === null ? "–" : formatNumber(value, 4));
  const rows = row.layers.map((layer) => [
    quote(layer.module),
    `${layer.rows} × ${layer.cols}`,
    figure(layer.relativeMse),
    figure(layer.sqnrDb),
    figure(layer.maxAbsError),
    ...(isMixed ? [layer.scheme ?? "pruned"] : []),
    layerNote(layer),
  ]);
  const notes = [...(row.error ? [row.error.message] : []), ...row.notices.map(({ text }) => text)];
  const head = ["module", "shape", "rel. MSE ●", "SQNR dB ●", "max |error| ●", ...(isMixed ? ["scheme"] : []), ""];
  const title = [`${row.scheme} (${row.description})`, ...(aboutErrors === "" ? [] : [aboutErrors])];
  return [...title, ...notes.map((text) => `! ${text}`), table(head, rows)].join("\n");
}

function layerNote({ error, notFinite, corners }: CompareResult["schemes"][number]["layers"][number]): string {
  if (error) return `${error.code}: ${error.found}`;
  const parts = corners.map(cornerWords);
  if (notFinite.weights + notFinite.reconstructions === 0) return parts.join("; ");
  return [`${notFinite.weights} weights, ${notFinite.reconstructions} reconstructions not finite`, ...parts].join("; ");
}

function throughputText(result: CompareResult): string {
  const rows = result.throughput.map((row) => {
    const { spread, samples } = row.bytesPerSecond;
    return [
      row.kernel,
      row.scheme ?? "",
      row.device,
      `${formatRate(row.bytesPerSecond.value, "bytes/s")} ●`,
      spread ? `${formatRate(spread.min, "bytes/s")} … ${formatRate(spread.max, "bytes/s")}` : "",
      formatRate(row.elementsPerSecond.value, "elements/s"),
      formatNumber(row.shareOfCopyRoof.value),
      `${samples ?? 0}`,
    ];
  });
  return table(["kernel", "scheme", "device", "median", "min … max", "", "of copy", "n"], rows);
}
