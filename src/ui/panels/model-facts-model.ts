import { formatBytes, formatCount, formatNumber } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { Ledger } from "../../engine/ledger.ts";
import type { KvCacheShape, ModelSummary, Notice } from "../../engine/result.ts";
import { shortName } from "../parts/safe-name.ts";

/** One line of the ledger. */
export interface Fact {
  /** Untrusted where it is the name of a file or of an element type. */
  readonly name: string;
  readonly value: string;
  /** Lighter, after the value; empty as a rule. */
  readonly unit: string;
  /** Where the value comes from, or null where it is plain text of the checkpoint. */
  readonly quantity: Quantity | null;
  readonly isUntrusted: boolean;
}

/** A large figure and what it is. */
export interface BigFact {
  readonly value: string;
  readonly words: string;
  readonly quantity: Quantity;
}

/** Element types that have a line of their own; a sound model has one to three. */
const MOST_TYPES = 6;

/** The two figures that everything else follows from. */
export function bigFacts(model: ModelSummary): readonly [BigFact, BigFact] {
  const { parameters, fileBytes, shards } = model;
  return [
    { value: formatBigCount(parameters.value), words: "parameters", quantity: parameters },
    {
      value: formatBytes(fileBytes.value),
      words: shards === 1 ? "in one safetensors file" : `in ${formatCount(shards)} safetensors files`,
      quantity: fileBytes,
    },
  ];
}

/** `3.67 M`: the unit apart by a space, as bytes have it. */
function formatBigCount(count: number): string {
  for (const [scale, unit] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (count >= scale) return `${formatNumber(count / scale)} ${unit}`;
  }
  return formatCount(count);
}

/** What the files hold. */
export function ledgerFacts(model: ModelSummary, ledger: Ledger | null): readonly Fact[] {
  const { bitsPerWeight, tensorBytes, dtypes, tensors, parameters } = model;
  const types = dtypes.slice(0, MOST_TYPES);
  const rest = dtypes.length - types.length;
  return [
    fact("Parameters", formatCount(parameters.value), "", parameters),
    fact("Bits per weight, whole file", formatNumber(bitsPerWeight.value, 4), "", bitsPerWeight),
    ...(types.length === 1
      ? types.map(({ dtype }) => ({ ...fact("Element type", dtype), isUntrusted: true }))
      : types.map(({ dtype, weights }) => ({ ...fact(dtype, formatCount(weights), "weights"), isUntrusted: true }))),
    ...(rest > 0 ? [fact("More element types", formatCount(rest))] : []),
    fact("Tensors", formatCount(tensors)),
    fact("Bytes of tensors", ...split(formatBytes(tensorBytes.value)), tensorBytes),
    ...(ledger === null ? [] : [headerFact(ledger)]),
  ];
}

function headerFact({ shards }: Ledger): Fact {
  const bytes = shards.reduce((sum, { headerBytes }) => sum + headerBytes, 0);
  return fact(shards.length === 1 ? "Header" : "Headers", ...split(formatBytes(bytes)));
}

/** A file and what is in it. */
export interface FileFact {
  /** Untrusted. */
  readonly name: string;
  readonly size: string;
  readonly more: string;
}

/** The safetensors files, in the order of their names. */
export function shardFacts({ shards }: Ledger): readonly FileFact[] {
  return shards.map(({ name, sizeBytes, tensors }) => ({
    name,
    size: formatBytes(sizeBytes),
    more: `${formatCount(tensors)} ${tensors === 1 ? "tensor" : "tensors"}`,
  }));
}

/** Files beside the weights, and what they are together; null where there are none. */
export function sideFacts({
  sideFiles,
}: Ledger): { readonly words: string; readonly files: readonly FileFact[] } | null {
  if (sideFiles.length === 0) return null;
  const bytes = sideFiles.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const count = sideFiles.length === 1 ? "One file" : `${formatCount(sideFiles.length)} files`;
  return {
    words: `${count} beside the weights, ${formatBytes(bytes)}`,
    files: sideFiles.map(({ name, sizeBytes }) => ({ name, size: formatBytes(sizeBytes), more: "" })),
  };
}

/** What config.json says of the model, and below it why something is not known; empty where nothing is missing. */
export function architectureFacts(model: ModelSummary): { readonly facts: readonly Fact[]; readonly why: string } {
  const { modelType, kvCache, maxPositions, configError } = model;
  const isKnown = typeof kvCache !== "string";
  return {
    facts: [
      modelType === null ? fact("Model type", "–") : { ...fact("Model type", shortName(modelType)), isUntrusted: true },
      ...(isKnown ? kvFacts(kvCache) : [fact("KV cache", "not known")]),
      maxPositions === null
        ? fact("Longest context", "–")
        : fact("Longest context", formatCount(maxPositions), "tokens"),
    ],
    why: isKnown ? "" : configError === undefined ? kvCache : "config.json could not be read as it should: see below.",
  };
}

function kvFacts({ layers, kvHeads, headDim, elementBytes }: KvCacheShape): readonly Fact[] {
  return [
    fact("Decoder layers", formatCount(layers)),
    fact("KV cache of a layer", `2 × ${formatCount(kvHeads)} × ${formatCount(headDim)}`, `× ${elementBytes} B a token`),
  ];
}

function fact(name: string, value: string, unit = "", quantity: Quantity | null = null): Fact {
  return { name, value, unit, quantity, isUntrusted: false };
}

function split(text: string): [value: string, unit: string] {
  const at = text.lastIndexOf(" ");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** One line of the list that says whether a checkpoint is sound. */
export interface Check {
  readonly tone: "good" | "warning" | "info";
  /** In a few words; empty for what has no name here. */
  readonly title: string;
  readonly texts: readonly string[];
}

/** The answer in one sentence, and what it stands on. */
export interface Soundness {
  readonly answer: string;
  readonly checks: readonly Check[];
}

/** How each tone is marked and spoken: not by colour. */
export const TONES: Readonly<Record<Check["tone"], { readonly glyph: string; readonly word: string }>> = {
  good: { glyph: "✓", word: "Good" },
  warning: { glyph: "!", word: "Warning" },
  info: { glyph: "i", word: "To know" },
};

/** Notices of a checkpoint in a few words. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ["model/quantized", "Already quantized"],
  ["model/tied", "Tied embeddings"],
  ["model/remote-code", "Asks for code of its own"],
  ["model/nested-weights", "Weights in a subfolder"],
  ["model/odd", "Odd, and harmless"],
  ["model/config", "config.json is not sound"],
]);

/** Notices of one code that are shown; a folder may have a thousand. */
const MOST_OF_A_CODE = 4;

/** Whether a checkpoint is sound: warnings first, those of a kind together. */
export function soundness({ notices, modelType }: Pick<ModelSummary, "notices" | "modelType">): Soundness {
  if (notices.length === 0) {
    const looked = modelType === null ? "the headers" : "headers and config";
    return { answer: "Yes.", checks: [{ tone: "good", title: "", texts: [`Nothing odd was found in ${looked}.`] }] };
  }
  const warnings = notices.filter(({ severity }) => severity === "warning").length;
  const things = notices.length === 1 ? "one thing" : `${formatCount(notices.length)} things`;
  const many = warnings === 1 ? "One warning" : `${formatCount(warnings)} warnings`;
  return {
    answer: warnings === 0 ? `Yes, with ${things} to know.` : `${many} to read before you trust a number.`,
    checks: (["warning", "info"] as const).flatMap((severity) => checksOf(notices, severity)),
  };
}

function checksOf(notices: readonly Notice[], severity: Notice["severity"]): readonly Check[] {
  const byCode = new Map<string, string[]>();
  for (const notice of notices) {
    if (notice.severity !== severity) continue;
    const texts = byCode.get(notice.code);
    if (texts === undefined) byCode.set(notice.code, [notice.text]);
    else texts.push(notice.text);
  }
  return [...byCode].map(([code, all]): Check => {
    const rest = all.length - MOST_OF_A_CODE;
    const texts = [...all.slice(0, MOST_OF_A_CODE), ...(rest > 0 ? [`${formatCount(rest)} more of this kind.`] : [])];
    return { tone: severity, title: TITLES.get(code) ?? "", texts };
  });
}
