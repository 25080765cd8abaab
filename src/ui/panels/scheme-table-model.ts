import { quote } from "../../base/errors.ts";
import { formatBytes, formatNumber } from "../../base/format.ts";
import { measured, type Quantity } from "../../base/quantity.ts";
import { ACTIVATIONS_LEFT_OUT, leavesActivations, roundedWords } from "../../engine/divergence-words.ts";
import { type FrontierPoint, frontier } from "../../engine/frontier.ts";
import type { MeasureResult, MeasureRow } from "../../engine/measure-result.ts";
import { methodNote } from "../../engine/method-lines.ts";
import type { CompareResult, FitResult, SchemeResult } from "../../engine/result.ts";
import { verdictWords } from "../../engine/verdict-words.ts";
import { listWords } from "../parts/list-words.ts";
import { splitUnit } from "../parts/number-kind.ts";
import { shortName } from "../parts/safe-name.ts";
import { ORIGINAL_LOOK, type RecipeLook, recipeLook } from "../parts/scheme-mark.ts";

/** One cell: a figure with its unit, a place that waits, a dash, or words. Rows are sorted by `amount`. */
export type TableCell =
  | { readonly form: "figure"; readonly value: string; readonly unit: string; readonly amount: number }
  | { readonly form: "waiting" }
  | { readonly form: "none" }
  | { readonly form: "words"; readonly text: string; readonly amount: number };

/** One column with the quantity that stands for its kind. */
export interface TableColumn {
  readonly name: string;
  readonly group: "size" | "error" | "divergence" | "plan";
  /** The unit that all figures of the column share, or empty: then each bears its own. */
  readonly unit: string;
  readonly example: Quantity | undefined;
  /** Where words that are no quantity come from, or empty. */
  readonly about: string;
  /** Whether less or more of it is better: the better ones come first when it is sorted. */
  readonly best: "low" | "high";
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
type Head = Omit<TableColumn, "unit" | "about" | "cells">;

const WAITING: TableCell = { form: "waiting" };
const NONE: TableCell = { form: "none" };

/**
 * The original and each scheme: size, error, divergence where it was measured, what it means on the planned GPU.
 * @param divergence of these recipes under these rules, or null
 */
export function schemeTable(result: CompareResult, divergence: MeasureResult | null = null): SchemeTable {
  const { model, schemes, original } = result;
  const exampleOf = (pick: Pick): Quantity | undefined => schemes.map(pick).find((quantity) => quantity !== undefined);
  const size = (name: string, best: Head["best"], first: TableCell, pick: Pick, digits?: number): TableColumn =>
    column({ name, group: "size", example: exampleOf(pick), best }, [
      first,
      ...schemes.map((scheme) => quantityCell(pick(scheme), digits)),
    ]);
  const error = (name: string, best: Head["best"], pick: Pick): TableColumn => {
    const cells = schemes.map((scheme) => {
      const quantity = pick(scheme);
      if (quantity !== undefined) return quantityCell(quantity);
      return result.finished ? NONE : WAITING;
    });
    return column({ name, group: "error", example: exampleOf(pick), best }, [NONE, ...cells]);
  };
  const notes = notesOf(schemes);
  const fits = [original.fit, ...schemes.map((scheme) => scheme.fit)];
  const plan = (name: string, best: Head["best"], pick: (fit: FitResult) => Quantity | undefined): TableColumn =>
    column(
      { name, group: "plan", example: pick(original.fit), best },
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
        description: [scheme.description, ...activationWords(scheme, divergence)].join("; "),
        failure: scheme.error ? `${scheme.error.found}.` : null,
        notes: notes.filter(({ text }) => textsOf(scheme, schemes).includes(text)).map(numberOf),
      })),
    ],
    notes,
    columns: [
      size("file", "low", quantityCell(model.fileBytes, 4), (scheme) => scheme.fileBytes, 4),
      size("smaller", "high", figureOf(`${formatNumber(1)} ×`, 1), (scheme) => scheme.smaller),
      size("whole file", "low", quantityCell(model.bitsPerWeight, 4), (scheme) => scheme.bitsPerWeight, 4),
      size("quantized", "low", NONE, (scheme) => scheme.quantizedBitsPerWeight, 4),
      error("relative MSE", "low", (scheme) => scheme.relativeMse),
      error("signal over error", "high", (scheme) => scheme.sqnrDb),
      error("largest error", "low", (scheme) => scheme.maxAbsError),
      verdictColumn(schemes),
      ...(divergence === null ? [] : [kldColumn(schemes, divergence)]),
      plan("weights", "low", (fit) => fit.weightBytes),
      plan("keys, values", "low", (fit) => fit.kvCacheBytes),
      plan("free", "high", (fit) => fit.freeBytes),
      column({ name: "fits", group: "plan", example: undefined, best: "high" }, fits.map(fitsCell)),
    ],
    caption: captionOf(result, divergence),
  };
}

/** What the figures of a scheme that rounds activations leave out: those of the weights always, the divergence as it was asked. */
function activationWords(scheme: SchemeResult, divergence: MeasureResult | null): readonly string[] {
  if (!scheme.roundsActivations) return [];
  if (divergence === null) return ["activations are rounded too: that error comes with a measurement over text"];
  if (leavesActivations(scheme, divergence)) return [ACTIVATIONS_LEFT_OUT];
  return ["activations are rounded too: in the mean KLD, not in the error of the weights"];
}

/** What to know of a row: how to read what a method made of it first. */
function textsOf(scheme: SchemeResult, schemes: readonly SchemeResult[]): readonly string[] {
  const method = methodNote(scheme, schemes);
  return [...(method === "" ? [] : [method]), ...scheme.notices.map(({ text }) => text)];
}

function notesOf(schemes: readonly SchemeResult[]): SchemeTable["notes"] {
  const texts = new Set(schemes.flatMap((scheme) => textsOf(scheme, schemes)));
  return [...texts].map((text, at) => ({ number: at + 1, text }));
}

function numberOf(note: SchemeTable["notes"][number]): number {
  return note.number;
}

function column(head: Head, cells: readonly TableCell[], about = ""): TableColumn {
  const units = new Set(cells.flatMap((cell) => (cell.form === "figure" ? [cell.unit] : [])));
  const [only = ""] = units;
  if (units.size !== 1) return { ...head, unit: "", about, cells };
  const bare = cells.map((cell) => (cell.form === "figure" ? { ...cell, unit: "" } : cell));
  return { ...head, unit: only, about, cells: bare };
}

/** Order of the verdicts, best first. */
const PLACES: readonly FrontierPoint["place"][] = ["line", "tied", "beaten"];
const VERDICT_WORDS =
  "Computed: a scheme is on the line unless a file that is no larger errs less, by the relative squared error over every matrix that any compared scheme changes";

function verdictColumn(schemes: readonly SchemeResult[]): TableColumn {
  const cells = frontier(schemes).map((point): TableCell => {
    if (point.place === "waiting") return WAITING;
    const amount = PLACES.indexOf(point.place);
    const text = verdictWords(point, point.by === null ? "" : shortName(point.by));
    return amount < 0 ? NONE : { form: "words", text, amount };
  });
  return column({ name: "verdict", group: "error", example: undefined, best: "low" }, [NONE, ...cells], VERDICT_WORDS);
}

/** Mean KL divergence; its interval stands where others have their unit. */
function kldColumn(schemes: readonly SchemeResult[], { rows, finished }: MeasureResult): TableColumn {
  const own = schemes.map(({ scheme }) => rows.find((row) => row.scheme === scheme && row.method !== "given"));
  const some = own.find((row) => row?.divergence)?.divergence;
  const example = some ? measured(some.kld.value, "ratio", some.scored) : undefined;
  const cells = own.map((row) => kldCell(row, finished));
  return {
    name: "mean KLD",
    group: "divergence",
    unit: "nats, 95 %",
    example,
    about: "",
    best: "low",
    cells: [NONE, ...cells],
  };
}

function kldCell(row: MeasureRow | undefined, isFinished: boolean): TableCell {
  const divergence = row?.divergence ?? null;
  if (divergence === null) return row === undefined || isFinished ? NONE : WAITING;
  const { kld, intervals } = divergence;
  if (!Number.isFinite(kld.value)) return NONE;
  const range = intervals.kld;
  const unit = range === null ? "" : `${formatNumber(range.low, 2)} … ${formatNumber(range.high, 2)}`;
  return { form: "figure", value: formatNumber(kld.value), unit, amount: kld.value };
}

function quantityCell(quantity: Quantity | undefined, digits?: number): TableCell {
  if (quantity === undefined) return NONE;
  const amount = quantity.value;
  switch (quantity.unit) {
    case "bytes":
      return figureOf(formatBytes(amount, digits), amount);
    case "ratio":
      // How many times smaller bears its sign; a relative error is a plain number.
      return { form: "figure", value: formatNumber(amount), unit: quantity.kind === "computed" ? "×" : "", amount };
    case "weight units":
      return { form: "figure", value: formatNumber(amount), unit: "", amount };
    default:
      return { form: "figure", value: formatNumber(amount, digits), unit: quantity.unit, amount };
  }
}

function figureOf(text: string, amount: number): TableCell {
  const [value, unit] = splitUnit(text);
  return value === "–" ? NONE : { form: "figure", value, unit, amount };
}

function fitsCell(fit: FitResult): TableCell {
  if (fit.fits === null) return { form: "words", text: "not known", amount: 1 };
  return fit.fits ? { form: "words", text: "yes", amount: 2 } : { form: "words", text: "no", amount: 0 };
}

function dtypeWords(result: CompareResult): string {
  const [first, ...others] = result.model.dtypes;
  if (first === undefined) return "no weights";
  return others.length === 0 ? first.dtype.toLowerCase() : `mostly ${first.dtype.toLowerCase()}`;
}

/** More schemes than this are counted in the caption, not named. */
const NAMED_IN_CAPTION = 3;

function captionOf(result: CompareResult, divergence: MeasureResult | null): SchemeTable["caption"] {
  const refused = result.schemes.filter((scheme) => scheme.error !== undefined).length;
  const measured = divergence === null ? "" : ` Mean KLD: ${roundedWords(divergence)}.`;
  const plain = `Sizes are those of the files that export writes; errors compare the original with what is loaded back.${measured}`;
  const fitting = [result.original.fit, ...result.schemes.map((scheme) => scheme.fit)];
  const gpu = result.original.fit.gpu;
  if (refused > 0) {
    const strong = `${refused} of ${result.schemes.length} schemes cannot be exported as they are.`;
    return { strong, plain: "The row says why; the map of the layers shows what can be taken." };
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

/** The column of names; it is sorted too. */
export const NAME_COLUMN = "scheme";

/** By which column the schemes are sorted, and which way. */
export interface TableSort {
  readonly column: string;
  readonly direction: "ascending" | "descending";
}

/** What a press on the head of a column does: best first, then worst first, then back to the order given. */
export function nextSort(table: SchemeTable, current: TableSort | null, name: string): TableSort | null {
  const best = table.columns.find((candidate) => candidate.name === name)?.best ?? "low";
  const [first, second] =
    best === "low" ? (["ascending", "descending"] as const) : (["descending", "ascending"] as const);
  if (current?.column !== name) return { column: name, direction: first };
  return current.direction === first ? { column: name, direction: second } : null;
}

/** The numbers of the rows in the order to show: the original first, what has no figure there last, equals as given. */
export function sortedRows({ rows, columns }: SchemeTable, sort: TableSort | null): readonly number[] {
  const all = rows.map((_, index) => index);
  const by = columns.find((candidate) => candidate.name === sort?.column);
  if (sort === null || (by === undefined && sort.column !== NAME_COLUMN)) return all;
  const sign = sort.direction === "ascending" ? 1 : -1;
  const [fixed, free] = [
    all.filter((row) => rows[row]?.scheme === null),
    all.filter((row) => rows[row]?.scheme !== null),
  ];
  if (by === undefined) {
    const nameOf = (row: number): string => rows[row]?.name ?? "";
    return [...fixed, ...free.sort((a, b) => sign * NAMES.compare(nameOf(a), nameOf(b)))];
  }
  const amounts = new Map(free.map((row) => [row, shownAmount(rows[row], by, row)]));
  const present = free.filter((row) => amounts.get(row) !== null);
  present.sort((a, b) => sign * ((amounts.get(a) ?? 0) - (amounts.get(b) ?? 0)));
  return [...fixed, ...present, ...free.filter((row) => amounts.get(row) === null)];
}

/** W4A16 before W10A16. */
const NAMES = new Intl.Collator("en", { numeric: true });

function shownAmount(row: SchemeTable["rows"][number] | undefined, column: TableColumn, at: number): number | null {
  const cell = column.cells[at];
  // The reason of a failure stands in the place of those figures.
  if (cell === undefined || (row?.failure !== null && column.group !== "size")) return null;
  return cell.form === "figure" || cell.form === "words" ? cell.amount : null;
}

/** The columns in which not all rows read the same. */
export function differingColumns({ rows, columns }: SchemeTable): readonly TableColumn[] {
  return columns.filter((column) => {
    const texts = column.cells.map((cell, row) => {
      if (rows[row]?.failure !== null && column.group !== "size") return null;
      // What waits may still come to differ.
      return cell.form === "waiting" ? `waits ${row}` : cell.form === "none" ? "" : cellText(cell);
    });
    return new Set(texts.filter((text) => text !== null)).size > 1;
  });
}

function cellText(cell: Extract<TableCell, { form: "figure" | "words" }>): string {
  return cell.form === "figure" ? `${cell.value} ${cell.unit}` : cell.text;
}

/** What the toggle of the columns has done. */
export function hiddenWords(hidden: number): string {
  if (hidden === 0) return "every column differs";
  return hidden === 1 ? "1 column hidden, the same in every row" : `${hidden} columns hidden, the same in every row`;
}
