import { quote } from "../../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../../base/format.ts";
import { ACTIVATIONS_LEFT_OUT, leavesActivations, roundedWords } from "../../engine/divergence-words.ts";
import type {
  Divergence,
  Interval,
  MeasureResult,
  MeasureRow,
  MethodGain,
  ServedDivergence,
  SliceDivergence,
} from "../../engine/measure-result.ts";
import {
  llamaCppText,
  STATISTICS_SECTIONS,
  type StatisticsLine,
  statisticsLines,
} from "../../engine/statistics-lines.ts";
import type { Caption, ChartCell, ChartTable } from "../charts/chart.ts";
import { figure, words } from "../charts/chart.ts";
import { shortName } from "../parts/safe-name.ts";
import { ORIGINAL_LOOK, type RecipeLook, recipeLook } from "../parts/scheme-mark.ts";

/** One measured model: a column of the table. */
export interface StatisticsColumn {
  readonly name: string;
  /** The recipe to pick; null for the noise floor and for a checkpoint that was given. */
  readonly scheme: string | null;
  readonly look: RecipeLook;
  /** What its figures leave out, or why it cannot be exported; or empty. */
  readonly note: string;
}

/** A figure in its parts, or null where there is none. */
export interface StatisticsCell {
  readonly value: string;
  /** What stands behind it, smaller: `± 0.0012`, or an interval. */
  readonly spread: string;
  /** It is worse than doing nothing. */
  readonly isAlarm?: boolean;
}

/** One statistic of all columns. */
export interface StatisticsRow {
  readonly label: string;
  readonly unit: string;
  readonly cells: readonly (StatisticsCell | null)[];
  /** Whence it comes, where its label does not say so. */
  readonly about?: string;
}

/** llama.cpp's table of several models, and the parts of the text below it. */
export interface StatisticsTable {
  readonly columns: readonly StatisticsColumn[];
  readonly sections: readonly { readonly title: string; readonly rows: readonly StatisticsRow[] }[];
  readonly caption: Caption;
}

interface Measured {
  readonly column: StatisticsColumn;
  readonly divergence: Divergence | null;
  readonly served: ServedDivergence | null;
  readonly gain: MethodGain | null;
}

export function statisticsTable(result: MeasureResult): StatisticsTable {
  const all = measuredOf(result);
  const columns = all.map(({ column }) => column);
  const lines = all.map(({ divergence }) => (divergence === null ? [] : statisticsLines(divergence)));
  const known = lines.find((own) => own.length > 0) ?? [];
  const sections = STATISTICS_SECTIONS.map((title) => ({
    title: `${title} statistics`,
    rows: known.flatMap((line, at): readonly StatisticsRow[] => {
      if (line.section !== title) return [];
      const row = { label: line.label, unit: unitOf(line), cells: lines.map((own) => cellOf(own[at])) };
      return line.label === MEAN ? [row, ...gainRows(all), ...servedRows(all)] : [row];
    }),
  }));
  return { columns, sections: [...sections, slicesSection(all)], caption: captionOf(result) };
}

function measuredOf(result: MeasureResult): readonly Measured[] {
  const { rows, noiseFloor } = result;
  const recipes = rows.filter(({ method }) => method !== "given");
  const own = rows.map((row): Measured => {
    const { scheme, method, error, divergence, served, gain } = row;
    const isGiven = method === "given";
    const words = leavesActivations(row, result) ? [ACTIVATIONS_LEFT_OUT] : ownRoundings(row, recipes);
    const note = error ? `${error.found}.` : words.join(" · ");
    const look = isGiven ? ORIGINAL_LOOK : recipeLook(scheme);
    return { column: { name: quote(scheme), scheme: isGiven ? null : scheme, look, note }, divergence, served, gain };
  });
  const floor = { name: `noise floor, ${noiseFloor.dtype}`, scheme: null, look: ORIGINAL_LOOK, note: "" };
  return [...own, { column: floor, divergence: noiseFloor.divergence, served: null, gain: null }];
}

/** What a row rounds besides weights that not all recipes do: the caption says what all of them round. */
function ownRoundings({ divergence }: MeasureRow, recipes: readonly MeasureRow[]): readonly string[] {
  const isOfAll = (words: string): boolean =>
    recipes.every((other) => other.divergence?.activationQuantization.includes(words) ?? true);
  return divergence?.activationQuantization.filter((words) => !isOfAll(words)) ?? [];
}

/** llama.cpp's name of the line that serving is held against. */
const MEAN = "Mean KLD";
const SERVED = "as served (vLLM)";
const SERVED_DIFFERENCE = "served − simulated, 95 %";

const GAIN = "plain − with method, 95 %";
const RECOVERED = "of plain’s mean KLD recovered";
const GAIN_ABOUT =
  "Measured here over the same windows as the plain recipe, a column of its own: below 0 the method makes it worse, an interval that holds 0 leaves it open";

/** What methods buy, beneath the means that it is the difference of; none where no column has a method. */
function gainRows(all: readonly Measured[]): readonly StatisticsRow[] {
  if (all.every(({ gain }) => gain === null)) return [];
  const differences = all.map(({ gain }): StatisticsCell | null =>
    gain === null || !Number.isFinite(gain.difference)
      ? null
      : { value: formatNumber(gain.difference), spread: spreadOf(gain.interval) },
  );
  const shares = all.map(({ gain }): StatisticsCell | null => {
    if (gain === null) return null;
    const value = gain.recovered === null ? "–" : formatNumber(100 * gain.recovered);
    return { value, spread: gain.verdict, isAlarm: gain.verdict === "loses" };
  });
  return [
    { label: GAIN, unit: "nats", cells: differences, about: GAIN_ABOUT },
    { label: RECOVERED, unit: "%", cells: shares, about: "The difference as a share of the plain recipe’s mean KLD" },
  ];
}

/** What serving does, beneath what is simulated; none where it was not asked for or is no other. */
function servedRows(all: readonly Measured[]): readonly StatisticsRow[] {
  const about = all.find(({ served }) => served !== null)?.served?.evidence;
  if (about === undefined) return [];
  const cells = all.map(({ served }) => meanCell(served?.divergence ?? null));
  const differences = all.map(({ served }): StatisticsCell | null => {
    const difference = served?.difference ?? null;
    if (difference === null || !Number.isFinite(difference.value)) return null;
    return { value: formatNumber(difference.value), spread: spreadOf(difference.interval) };
  });
  return [
    { label: SERVED, unit: "nats", cells, about: `Measured here by another rule: ${about}` },
    {
      ...{ label: SERVED_DIFFERENCE, unit: "nats", cells: differences },
      about: "Measured here over the same windows; an interval that holds 0 says that the two rules do not differ here",
    },
  ];
}

function meanCell(divergence: Divergence | null): StatisticsCell | null {
  return divergence === null ? null : cellOf(statisticsLines(divergence).find(({ label }) => label === MEAN));
}

function unitOf({ unit, label }: StatisticsLine): string {
  return unit === "" && label.endsWith("KLD") ? "nats" : unit;
}

function cellOf(line: StatisticsLine | undefined): StatisticsCell | null {
  if (line === undefined || !Number.isFinite(line.value)) return null;
  return { value: line.valueText, spread: line.uncertaintyText && `± ${line.uncertaintyText}` };
}

function slicesSection(all: readonly Measured[]): StatisticsTable["sections"][number] {
  const known = all.find(({ divergence }) => divergence !== null)?.divergence?.slices ?? [];
  const rows = known.map((slice): StatisticsRow => {
    const cells = all.map(({ divergence }) => sliceCell(divergence?.slices.find((own) => isSame(own, slice))));
    return { label: `${sliceName(slice)}, ${formatCount(slice.positions)} positions`, unit: "nats", cells };
  });
  return { title: "Mean KLD by part of the text, 95 % by windows", rows };
}

function isSame(one: SliceDivergence, other: SliceDivergence): boolean {
  return one.kind === other.kind && one.name === other.name;
}

function sliceName({ kind, name }: SliceDivergence): string {
  return { text: quote(name), late: "late in a window", rare: "before a rare token" }[kind];
}

function sliceCell(slice: SliceDivergence | undefined): StatisticsCell | null {
  if (slice === undefined || !Number.isFinite(slice.kld)) return null;
  return { value: formatNumber(slice.kld, 4), spread: spreadOf(slice.interval) };
}

function spreadOf(interval: Interval | null): string {
  return interval === null ? "" : `${formatNumber(interval.low, 2)} … ${formatNumber(interval.high, 2)}`;
}

function captionOf(result: MeasureResult): Caption {
  const { rows, text, finished } = result;
  const ranked = rows
    .flatMap(({ scheme, divergence }) => (divergence ? [{ scheme, share: divergence.sameTopP.value }] : []))
    .sort((a, b) => b.share - a.share);
  const [best, worst] = [ranked[0], ranked.at(-1)];
  const kept = (one: { readonly scheme: string; readonly share: number }) =>
    `${shortName(one.scheme)} at ${formatPercent(one.share)}`;
  const strong =
    best === undefined || worst === undefined
      ? "No figure yet."
      : best === worst
        ? `The most likely token stays the same under ${kept(best)} of positions.`
        : `The most likely token stays the same under ${kept(best)} of positions, under ${kept(worst)}.`;
  const scored = formatCount(rows[0]?.divergence?.scored ?? 0);
  const windows = finished
    ? `${formatCount(text.windows)} windows`
    : `${formatCount(text.doneWindows)} of ${formatCount(text.windows)} windows so far`;
  const rounded = roundedWords(result);
  const plain = `${rounded.charAt(0).toUpperCase()}${rounded.slice(1)}. ${scored} positions, the second half of each of ${windows}; KLD in nats, Δp in percent; ± is one standard error, as llama.cpp gives it.`;
  return { strong, plain };
}

/** The table for a spreadsheet: a statistic a row, value and standard error of each model side by side, unrounded. */
export function statisticsCsvTable(result: MeasureResult): ChartTable {
  const all = measuredOf(result);
  const lines = all.map(({ divergence }) => (divergence === null ? [] : statisticsLines(divergence)));
  const known = lines.find((own) => own.length > 0) ?? [];
  const exact = (value: number | null | undefined): ChartCell => figure(value, String);
  return {
    columns: [
      { name: "statistic", unit: "" },
      { name: "unit", unit: "" },
      ...all.flatMap(({ column: { name } }) => [
        { name, unit: "" },
        { name: `${name} ±`, unit: "" },
      ]),
    ],
    rows: [
      ...known.map((line, at) => [
        words(line.label),
        words(unitOf(line)),
        ...lines.flatMap((own) => [exact(own[at]?.value), exact(own[at]?.uncertainty)]),
      ]),
      ...gainCsv(all),
      ...servedCsv(all),
      ...(all[0]?.divergence?.slices ?? []).map((slice) => [
        words(`Mean KLD, ${sliceName(slice)}`),
        words("nats"),
        ...all.flatMap(({ divergence }) => [
          exact(divergence?.slices.find((own) => isSame(own, slice))?.kld),
          exact(null),
        ]),
      ]),
    ],
  };
}

/** The same two lines as in the table; nothing where no column has a method. */
function gainCsv(all: readonly Measured[]): ChartTable["rows"] {
  if (all.every(({ gain }) => gain === null)) return [];
  const line = (label: string, unit: string, pick: (gain: MethodGain) => number | null) => [
    words(label),
    words(unit),
    ...all.flatMap(({ gain }) => [figure(gain && pick(gain), String), figure(null, String)]),
  ];
  return [
    line("plain − with method", "nats", ({ difference }) => difference),
    line("low end at 95 %", "nats", ({ interval }) => interval?.low ?? null),
    line("high end at 95 %", "nats", ({ interval }) => interval?.high ?? null),
    line("share of plain's mean KLD", "", ({ recovered }) => recovered),
  ];
}

/** The same two lines as in the table; nothing where serving was not measured. */
function servedCsv(all: readonly Measured[]): ChartTable["rows"] {
  if (all.every(({ served }) => served === null)) return [];
  const exact = (value: number | null | undefined): ChartCell => figure(value, String);
  return [
    [
      words(`${MEAN}, ${SERVED}`),
      words("nats"),
      ...all.flatMap(({ served }) => {
        const kld = served?.divergence?.kld;
        return [exact(kld?.value), exact(kld?.uncertainty)];
      }),
    ],
    [
      words(`${MEAN}, ${SERVED_DIFFERENCE}`),
      words("nats"),
      ...all.flatMap(({ served }) => [exact(served?.difference?.value), exact(null)]),
    ],
  ];
}

/** What llama.cpp would print of each model, one after the other. */
export function statisticsText(result: MeasureResult): string {
  const heads = `${quote(result.model.name)} on ${result.text.name}`;
  return measuredOf(result)
    .flatMap(({ column, divergence }) =>
      divergence === null ? [] : [`${column.name}, ${heads}\n\n${llamaCppText(divergence)}`],
    )
    .join("\n");
}

/** A few lines of W4A16 and W8A16 on quantlab-4m, as `lab measure` prints them. */
const EXAMPLE_ROWS: readonly (readonly [label: string, unit: string, first: string, second: string])[] = [
  ["Mean PPL(Q)/PPL(base)", "", "1.024", "0.9987"],
  ["Mean KLD", "nats", "0.0328", "1.39e−4"],
  ["99.0 % KLD", "nats", "0.159", "7.87e−4"],
  ["RMS Δp", "%", "3.70", "0.216"],
  ["Same top p", "%", "87.5", "99.3"],
];

/** What stands there, dimmed, before anything is measured; hatched for these recipes while the first window runs. */
export function exampleTable(waiting: readonly string[] | null): StatisticsTable {
  const columns = (waiting ?? ["W4A16", "W8A16"]).map((scheme) => ({
    name: quote(scheme),
    scheme: null,
    look: recipeLook(scheme),
    note: "",
  }));
  const rows = EXAMPLE_ROWS.map(([label, unit, ...values]) => ({
    label,
    unit,
    cells: columns.map((_, at) => (waiting === null ? { value: values[at] ?? "", spread: "" } : null)),
  }));
  return { columns, sections: [{ title: "", rows }], caption: { strong: "", plain: "" } };
}
