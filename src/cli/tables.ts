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
import type { Quantity } from "../base/quantity.ts";
import { cornerWords } from "../engine/corner-words.ts";
import type { CompareResult, ExportResult, ModelSummary } from "../engine/result.ts";

/** The sign of a number's kind, as on the page. */
const GLYPH = { measured: "●", computed: "ƒ", "looked-up": "§", assumed: "✎" } as const;
const LEGEND = "● measured  ƒ computed  § looked up  ✎ assumed";

/** What a checkpoint is, for people. */
export function inspectText(summary: ModelSummary): string {
  const dtypes = summary.dtypes.map(({ dtype, weights }) => `${dtype} ${formatCount(weights)}`).join(", ");
  const kv = summary.configError ? "not known: config.json cannot be used" : summary.kvCache;
  // What is wrong with config.json is printed as this command's error.
  const notices = summary.notices.filter(({ code }) => code !== "model/config");
  const lines = [
    `${quote(summary.name)}: ${formatParameters(summary.parameters.value)} weights in ${summary.tensors} tensors, ${summary.shards} file(s)`,
    `  types            ${dtypes}`,
    `  files            ${formatBytes(summary.fileBytes.value)} (${formatCount(summary.fileBytes.value)} bytes)`,
    `  bits per weight  ${formatNumber(summary.bitsPerWeight.value, 4)}`,
    `  architecture     ${summary.modelType ?? "not named"}`,
    `  KV cache         ${typeof kv === "string" ? kv : `${kv.layers} layers, ${kv.kvHeads} KV heads of ${kv.headDim}`}`,
    ...notices.map(({ severity, text }) => `  ${severity === "warning" ? "!" : "·"} ${text}`),
  ];
  return lines.join("\n");
}

/** The comparison as tables, for people. */
export function compareText(result: CompareResult): string {
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
  ];
  const cell = (quantity: Quantity | undefined, text: (value: number) => string) =>
    quantity ? `${text(quantity.value)} ${GLYPH[quantity.kind]}` : "–";
  const needs = (fit: CompareResult["original"]["fit"]) =>
    `${formatBytes(fit.weightBytes.value)} + ${fit.kvCacheBytes ? formatBytes(fit.kvCacheBytes.value) : "?"}`;
  const rows = [
    [
      "original",
      cell(model.fileBytes, formatBytes),
      "–",
      cell(model.bitsPerWeight, (value) => formatNumber(value, 4)),
      "–",
      "0",
      "–",
      "0",
      needs(original.fit),
      cell(original.fit.freeBytes, formatBytes),
    ],
    ...result.schemes.map((row) => [
      row.error ? `${row.scheme} !` : row.scheme,
      cell(row.fileBytes, formatBytes),
      cell(row.smaller, formatRatio),
      cell(row.bitsPerWeight, (value) => formatNumber(value, 4)),
      cell(row.quantizedBitsPerWeight, (value) => formatNumber(value, 4)),
      cell(row.relativeMse, formatNumber),
      cell(row.sqnrDb, formatNumber),
      cell(row.maxAbsError, formatNumber),
      needs(row.fit),
      cell(row.fit.freeBytes, formatBytes),
    ]),
  ];
  const parts = [
    `${quote(model.name)}: ${formatParameters(model.parameters.value)} weights · arithmetic: ${result.arithmetic} · ignored: ${result.ignore.map(quote).join(", ") || "nothing"}`,
    table(head, rows),
    codingText(result),
    ...result.schemes.map((row) => layersText(row)),
  ];
  if (result.throughput.length > 0) parts.push(throughputText(result));
  parts.push(kernelsText(result), LEGEND);
  return parts.join("\n\n");
}

/** What an export wrote, for people. */
export function exportText(result: ExportResult, out: string): string {
  const lines = [
    `${out}: ${result.scheme} as ${result.format}, ${formatCount(result.fileBytes.value)} bytes of weights, ${result.quantizedModules} matrices changed, ${result.untouchedTensors} tensors as they were`,
    `  arithmetic ${result.arithmetic} · ignored ${result.ignore.join(", ") || "nothing"} · ${kernelsText(result)}`,
    ...result.notices.map(({ text }) => `  ! ${text}`),
    ...result.corners.map(({ module, corners }) => `  · ${module}: ${corners.map(cornerWords).join("; ")}`),
    ...result.files.map(({ name, sizeBytes }) => `  ${formatCount(sizeBytes).padStart(15)}  ${name}`),
  ];
  return lines.join("\n");
}

/** What becomes of the weights beside their error. */
function codingText(result: CompareResult): string {
  const cell = (quantity: Quantity | undefined, text: (value: number) => string) =>
    quantity ? `${text(quantity.value)} ${GLYPH[quantity.kind]}` : "–";
  const rows = result.schemes.map((row) => [
    row.scheme,
    cell(row.cosine, (value) => formatNumber(value, 6)),
    cell(row.clippedShare, formatPercent),
    cell(row.usedLevels, formatPercent),
    cell(row.histogramDivergence, formatNumber),
    row.histogramDivergence ? formatCount(row.histogramDivergence.samples ?? 0) : "–",
  ]);
  return table(["scheme", "cosine", "codes cut off", "levels used", "weight-histogram divergence", "n"], rows);
}

function layersText(row: CompareResult["schemes"][number]): string {
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
  return [`${row.scheme} (${row.description})`, ...notes.map((text) => `! ${text}`), table(head, rows)].join("\n");
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

function kernelsText(result: Pick<CompareResult, "kernels">): string {
  const lines = new Set(
    result.kernels.map(
      ({ device, adapter, fallback }) => `ran on ${device} (${adapter})${fallback ? `: ${fallback}` : ""}`,
    ),
  );
  return [...lines].join("; ");
}

/** Columns as wide as their widest cell; the first and one without a head are left-aligned, the others right-aligned. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 || head[column] === "" ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}
