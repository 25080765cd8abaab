import { quote } from "../../base/errors.ts";
import { formatBytes, formatNumber } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { CompareResult, FitResult, SchemeResult } from "../../engine/result.ts";
import { listWords } from "../parts/list-words.ts";
import { splitUnit } from "../parts/number-kind.ts";
import { ORIGINAL_LOOK, type RecipeLook, recipeLook } from "../parts/scheme-mark.ts";

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
    readonly look: RecipeLook;
    readonly description: string;
    readonly failure: string | null;
    /** Numbers of the notes that are about this row. */
    readonly notes: readonly number[];
  }[];
  /** What to know of some rows, each text once. */
  readonly notes: readonly { readonly number: number; readonly text: string }[];
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
    const example = schemes.map(pick).find((quantity) => quantity !== undefined);
    return column(name, "size", example, [first, ...cells]);
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
  const notes = notesOf(schemes);
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
        look: ORIGINAL_LOOK,
        description: "",
        failure: null,
        notes: [],
      },
      ...schemes.map((scheme) => ({
        name: quote(scheme.scheme),
        scheme: scheme.scheme,
        look: recipeLook(scheme.scheme),
        description: scheme.roundsActivations ? `${scheme.description}; ${ACTIVATION_WORDS}` : scheme.description,
        failure: scheme.error ? `${scheme.error.found}.` : null,
        notes: notes.filter(({ text }) => scheme.notices.some((notice) => notice.text === text)).map(numberOf),
      })),
    ],
    notes,
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

/** What the figures of such a scheme leave out. */
const ACTIVATION_WORDS = "activations are rounded too when it is served: that error comes with the forward pass";

function notesOf(schemes: readonly SchemeResult[]): SchemeTable["notes"] {
  const texts = new Set(schemes.flatMap((scheme) => scheme.notices.map((notice) => notice.text)));
  return [...texts].map((text, at) => ({ number: at + 1, text }));
}

function numberOf(note: SchemeTable["notes"][number]): number {
  return note.number;
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

/** More schemes than this are counted in the caption, not named. */
const NAMED_IN_CAPTION = 3;

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
  const good = result.schemes.filter((scheme) => scheme.fit.fits === true).map((scheme) => quote(scheme.scheme));
  if (result.original.fit.fits === false && good.length > 0) {
    const who = listWords(good, NAMED_IN_CAPTION);
    return { strong: `The original does not fit on one ${gpu}; ${who} ${good.length === 1 ? "does" : "do"}.`, plain };
  }
  return { strong: "The schemes side by side.", plain };
}
