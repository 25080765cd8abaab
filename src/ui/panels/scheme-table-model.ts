import { formatBytes, formatNumber } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { CompareResult, FitResult, SchemeResult } from "../../engine/result.ts";
import { splitUnit } from "../parts/number-kind.ts";

/** One cell: a figure with its unit, a place that waits, a dash, or words. */
export type TableCell =
  | { readonly form: "figure"; readonly value: string; readonly unit: string }
  | { readonly form: "waiting" }
  | { readonly form: "none" }
  | { readonly form: "words"; readonly text: string; readonly isFailure: boolean };

/** One column with the quantity that stands for its kind. */
export interface TableColumn {
  readonly name: string;
  readonly group: "size" | "error" | "plan";
  /** The unit that all figures of the column share, or empty: then each bears its own. */
  readonly unit: string;
  readonly example: Quantity | undefined;
  readonly cells: readonly TableCell[];
}

/** The table, column by column; cell `i` of each belongs to row `i`. */
export interface SchemeTable {
  readonly rows: readonly {
    readonly name: string;
    /** The scheme to pick; null for the original. */
    readonly scheme: string | null;
    readonly description: string;
    readonly roundsActivations: boolean;
    readonly failure: string | null;
  }[];
  readonly columns: readonly TableColumn[];
  readonly caption: { readonly strong: string; readonly plain: string };
}

type Pick = (scheme: SchemeResult) => Quantity | undefined;

const WAITING: TableCell = { form: "waiting" };
const NONE: TableCell = { form: "none" };

/** The original and each scheme: size, error, what it means on the planned GPU. */
export function schemeTable(result: CompareResult): SchemeTable {
  const { model, schemes, original } = result;
  const size = (name: string, ofModel: Quantity | string, pick: Pick, digits?: number): TableColumn => {
    const first = typeof ofModel === "string" ? figureOf(ofModel) : quantityCell(ofModel, digits);
    const cells = schemes.map((scheme) => quantityCell(pick(scheme), digits));
    return column(name, "size", schemes[0] && pick(schemes[0]), [first, ...cells]);
  };
  const error = (name: string, pick: Pick): TableColumn => {
    const cells = schemes.map((scheme) => {
      const quantity = pick(scheme);
      if (quantity !== undefined) return quantityCell(quantity);
      return result.finished ? NONE : WAITING;
    });
    const example = schemes.map(pick).find((quantity) => quantity !== undefined);
    return column(name, "error", example, [NONE, ...cells]);
  };
  const fits = [original.fit, ...schemes.map((scheme) => scheme.fit)];
  const plan = (name: string, pick: (fit: FitResult) => Quantity | undefined): TableColumn =>
    column(
      name,
      "plan",
      pick(original.fit),
      fits.map((fit) => quantityCell(pick(fit))),
    );
  return {
    rows: [
      {
        name: `original, ${dtypeWords(result)}`,
        scheme: null,
        description: "",
        roundsActivations: false,
        failure: null,
      },
      ...schemes.map((scheme) => ({
        name: scheme.scheme,
        scheme: scheme.scheme,
        description: scheme.description,
        roundsActivations: scheme.roundsActivations,
        failure: scheme.error ? `${scheme.error.found}.` : null,
      })),
    ],
    columns: [
      size("file", model.fileBytes, (scheme) => scheme.fileBytes, 4),
      size("smaller", `${formatNumber(1)} ×`, (scheme) => scheme.smaller),
      size("whole file", model.bitsPerWeight, (scheme) => scheme.bitsPerWeight, 4),
      size("quantized", "–", (scheme) => scheme.quantizedBitsPerWeight, 4),
      error("relative MSE", (scheme) => scheme.relativeMse),
      error("signal over error", (scheme) => scheme.sqnrDb),
      error("largest error", (scheme) => scheme.maxAbsError),
      plan("weights", (fit) => fit.weightBytes),
      plan("keys, values", (fit) => fit.kvCacheBytes),
      plan("free", (fit) => fit.freeBytes),
      column("fits", "plan", undefined, fits.map(verdict)),
    ],
    caption: captionOf(result),
  };
}

function column(
  name: string,
  group: TableColumn["group"],
  example: Quantity | undefined,
  cells: readonly TableCell[],
): TableColumn {
  const units = new Set(cells.flatMap((cell) => (cell.form === "figure" ? [cell.unit] : [])));
  const [only = ""] = units;
  if (units.size !== 1) return { name, group, unit: "", example, cells };
  return {
    name,
    group,
    unit: only,
    example,
    cells: cells.map((cell) => (cell.form === "figure" ? { ...cell, unit: "" } : cell)),
  };
}

function quantityCell(quantity: Quantity | undefined, digits?: number): TableCell {
  if (quantity === undefined) return NONE;
  switch (quantity.unit) {
    case "bytes":
      return figureOf(formatBytes(quantity.value, digits));
    case "ratio":
      // How many times smaller bears its sign; a relative error is a plain number.
      return { form: "figure", value: formatNumber(quantity.value), unit: quantity.kind === "computed" ? "×" : "" };
    case "weight units":
      return { form: "figure", value: formatNumber(quantity.value), unit: "" };
    default:
      return { form: "figure", value: formatNumber(quantity.value, digits), unit: quantity.unit };
  }
}

function figureOf(text: string): TableCell {
  const [value, unit] = splitUnit(text);
  return value === "–" ? NONE : { form: "figure", value, unit };
}

function verdict(fit: FitResult): TableCell {
  if (fit.fits === null) return { form: "words", text: "not known", isFailure: false };
  return { form: "words", text: fit.fits ? "yes" : "no", isFailure: false };
}

function dtypeWords(result: CompareResult): string {
  const [first, ...others] = result.model.dtypes;
  if (first === undefined) return "no weights";
  return others.length === 0 ? first.dtype.toLowerCase() : `mostly ${first.dtype.toLowerCase()}`;
}

function captionOf(result: CompareResult): SchemeTable["caption"] {
  const refused = result.schemes.filter((scheme) => scheme.error !== undefined).length;
  const plain =
    "Sizes are those of the files that export writes; errors compare the original with what is loaded back.";
  const fitting = [result.original.fit, ...result.schemes.map((scheme) => scheme.fit)];
  const gpu = result.original.fit.gpu;
  if (refused > 0) {
    const strong = `${refused} of ${result.schemes.length} schemes cannot be exported as they are.`;
    return { strong, plain: "The row says why; the map above shows what can be taken." };
  }
  if (fitting.every((fit) => fit.fits === true)) return { strong: `All of them fit on one ${gpu}.`, plain };
  if (fitting.every((fit) => fit.fits === false)) return { strong: `None of them fits on one ${gpu}.`, plain };
  const good = result.schemes.filter((scheme) => scheme.fit.fits === true).map((scheme) => scheme.scheme);
  if (result.original.fit.fits === false && good.length > 0) {
    return {
      strong: `The original does not fit on one ${gpu}; ${listWords(good)} ${good.length === 1 ? "does" : "do"}.`,
      plain,
    };
  }
  return { strong: "The schemes side by side.", plain };
}

/** `a`, `a and b`, `a, b and c`. */
export function listWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
