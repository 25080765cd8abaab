import { quote } from "../base/errors.ts";
import { formatBytes, formatCount, formatNumber, formatParameters, formatPercent } from "../base/format.ts";
import type { Ledger } from "../engine/ledger.ts";
import type { ModelSummary } from "../engine/result.ts";
import { LEGEND, quantityCell, table } from "./printing.ts";

/** What of a ledger is printed: its roles, and every tensor where that was asked for. */
export type ListedLedger = Pick<Ledger, "roles"> & Partial<Pick<Ledger, "shards" | "tensors">>;

/** What a checkpoint is and what it is made of, for people. */
export function inspectText(summary: ModelSummary, ledger: ListedLedger): string {
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
  const parts = [lines.join("\n")];
  if (ledger.roles.length > 0) parts.push(rolesText(ledger.roles));
  if (ledger.tensors) parts.push(tensorsText(ledger.tensors, ledger.shards ?? []));
  return [...parts, LEGEND].join("\n\n");
}

function rolesText(roles: Ledger["roles"]): string {
  const rows = roles.map(({ role, tensors, weights, bytes, share }) => [
    role,
    formatCount(tensors),
    formatCount(weights),
    quantityCell(bytes, formatBytes),
    quantityCell(share, formatPercent),
  ]);
  return table(["role", "tensors", "weights", "bytes", "of all"], rows);
}

/** Every tensor in file order; the file is named where there are several. */
function tensorsText(tensors: Ledger["tensors"], shards: Ledger["shards"]): string {
  const hasSeveral = shards.length > 1;
  const rows = tensors.map(({ name, role, layer, dtype, shape, weights, sizeBytes, isQuantizable, shard }) => [
    quote(name),
    role,
    layer === null ? "–" : `${layer}`,
    dtype,
    // A hostile shape may have a million dimensions, and the widest cell sets the width of them all.
    quote(shape.join(" × ")) || "scalar",
    formatCount(weights),
    formatCount(sizeBytes),
    isQuantizable ? "yes" : "no",
    ...(hasSeveral ? [quote(shards[shard]?.name ?? "")] : []),
  ]);
  const head = ["tensor", "role", "layer", "type", "shape", "weights", "bytes", "quantizable"];
  return table([...head, ...(hasSeveral ? ["file"] : [])], rows);
}
