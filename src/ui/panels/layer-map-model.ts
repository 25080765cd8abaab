import { quote } from "../../base/errors.ts";
import { formatCount, formatPercent } from "../../base/format.ts";
import { cornerWords } from "../../engine/corner-words.ts";
import { errorShares } from "../../engine/error-shares.ts";
import type { DecoderLayerResult, LayerResult, SchemeResult } from "../../engine/result.ts";
import type { HeatMapCell, HeatMapData, HeatMapTotal } from "../charts/heat-map.ts";
import { decibel, hasValue, isRefused, nameOf, type Ranked, rankWords, shareCaption } from "./layer-map-words.ts";

/** The heat map of one scheme, and what stands beneath it. */
export interface LayerMap {
  /** Rows are module kinds, columns decoder layers; modules outside of the layers are its loners. */
  readonly data: HeatMapData;
  readonly legend: { readonly good: string; readonly bad: string } | null;
  /** What the notches are, or null where there is none. */
  readonly notches: string | null;
}

/** Kinds in the order in which data walks through a decoder layer; others follow as they come. */
const KIND_ORDER: readonly string[] = [
  "q_proj",
  "k_proj",
  "v_proj",
  "qkv_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "gate_up_proj",
  "down_proj",
];

/** A flat map shall look flat: the ramp never spans less than this. */
const SMALLEST_SPAN_DB = 3;

/** What every cell of a map is told with. */
interface Telling {
  readonly ranks: ReadonlyMap<string, number>;
  /** The recipe treats matrices differently: each says what applies to it. */
  readonly isMixed: boolean;
}

interface Place {
  readonly layers: readonly LayerResult[];
  /** The one with the smallest signal over error, or the first that failed. */
  readonly worst: LayerResult;
}

/**
 * The map of `scheme`. Matrices that share a place (experts of one layer) stand there by their worst.
 * @param decoderLayers columns known from the config, so that unfinished ones can be hatched; null when unknown
 * @param selected the module that is opened, or null
 */
export function layerMap(scheme: SchemeResult, decoderLayers: number | null, selected: string | null): LayerMap {
  const isFinished = scheme.layers.length >= scheme.modules;
  const ranked = scheme.layers.filter(hasValue).sort((a, b) => a.sqnrDb - b.sqnrDb);
  const domain = domainOf(ranked);
  const telling: Telling = {
    ranks: new Map(ranked.map((layer, index) => [layer.module, index + 1])),
    isMixed: new Set(scheme.layers.map((layer) => layer.scheme)).size > 1,
  };
  const inLayers = scheme.layers.filter((layer) => layer.layer !== null);
  const loners = scheme.layers.filter((layer) => layer.layer === null);
  const waits = !isFinished && (loners.length === 0 || inLayers.length > 0);
  const expected = waits ? decoderLayers : null;
  const grid =
    inLayers.length > 0 || expected !== null
      ? gridOf(inLayers, telling, isFinished ? null : decoderLayers)
      : { rows: [], columns: [], cells: [] };
  const totals = totalsOf(grid, scheme, isFinished);
  return {
    data: {
      ...grid,
      ...totals,
      columnWord: "layer",
      loners: loners.map((layer, index) => ({
        name: quote(layer.module),
        cell: cellOf({ layers: [layer], worst: layer }, grid.rows.length + index, 0, telling),
      })),
      domain,
      unit: "dB",
      selected,
      caption: shareCaption(scheme, ranked, totals),
    },
    legend: ranked.length === 0 ? null : { good: `${decibel(domain.good)} dB`, bad: `${decibel(domain.bad)} dB` },
    notches: notchWords(scheme.layers.filter(hasCorners).length),
  };
}

function hasCorners(layer: LayerResult): boolean {
  return layer.corners.length > 0;
}

function notchWords(count: number): string | null {
  if (count === 0) return null;
  return count === 1
    ? "1 matrix has groups with unusual scales: it says which"
    : `${formatCount(count)} matrices have groups with unusual scales: each says which`;
}

function domainOf(ranked: readonly Ranked[]): HeatMapData["domain"] {
  const worst = ranked[0]?.sqnrDb ?? 0;
  const good = ranked.at(-1)?.sqnrDb ?? SMALLEST_SPAN_DB;
  return { good, bad: Math.min(worst, good - SMALLEST_SPAN_DB) };
}

type Grid = Pick<HeatMapData, "rows" | "columns" | "cells">;

function gridOf(layers: readonly LayerResult[], telling: Telling, expectedLayers: number | null): Grid {
  const kinds = [...new Set(layers.map((layer) => layer.moduleKind))].sort(byKind);
  const numbers = new Set(layers.map((layer) => layer.layer ?? 0));
  for (let number = 0; number < (expectedLayers ?? 0); number++) numbers.add(number);
  const columns = [...numbers].sort((a, b) => a - b);
  const rows = kinds.length > 0 ? kinds : KIND_ORDER.slice(0, 1).map(() => "");
  const columnOf = new Map(columns.map((number, index) => [number, index]));
  const rowOf = new Map(rows.map((kind, index) => [kind, index]));
  const places = new Map<string, Place>();
  for (const layer of layers) {
    const key = `${rowOf.get(layer.moduleKind)}:${columnOf.get(layer.layer ?? 0)}`;
    const known = places.get(key);
    places.set(key, {
      layers: [...(known?.layers ?? []), layer],
      worst: known === undefined || isWorse(layer, known.worst) ? layer : known.worst,
    });
  }
  const cells: HeatMapCell[] = [];
  for (const [row, kind] of rows.entries()) {
    for (const [column, number] of columns.entries()) {
      const place = places.get(`${row}:${column}`);
      if (place !== undefined) cells.push(cellOf(place, row, column, telling));
      else if (expectedLayers !== null) cells.push(waitingCell(kind, number, row, column));
    }
  }
  return { rows: rows.map(quote), columns: columns.map(String), cells };
}

/** Each decoder layer and each module kind as a whole; nothing where that would only say the same again. */
function totalsOf(
  { rows, columns }: Grid,
  scheme: SchemeResult,
  isFinished: boolean,
): Pick<HeatMapData, "rowTotals" | "columnTotals" | "totalWord"> {
  const totalWord = "of all squared error";
  if (rows.length < 2) return { rowTotals: [], columnTotals: [], totalWord };
  const shares = errorShares(scheme);
  const together = new Map(scheme.decoderLayers.map((result) => [String(result.layer), result]));
  const total = (at: number, share: number | undefined, name: string, all: string): HeatMapTotal => ({
    at,
    share: share ?? null,
    isWaiting: share === undefined && !isFinished,
    name,
    sentence: `${name} ${all}: ${share === undefined ? (isFinished ? "nothing that could be measured" : "not measured yet") : `${formatPercent(share)} ${totalWord}`}`,
  });
  return {
    rowTotals: rows.map((kind, at) => total(at, shares.kinds.get(kind), kind, "of all layers")),
    columnTotals: columns.map((column, at) => {
      const result = together.get(column);
      const whole = total(at, shares.layers.get(Number(column)), `layer ${column}`, "together");
      return result === undefined ? whole : { ...whole, sentence: `${whole.sentence}, ${wholeWords(result)}` };
    }),
    totalWord,
  };
}

function wholeWords({ sqnrDb, mse, weights }: DecoderLayerResult): string {
  const said =
    sqnrDb !== null && Number.isFinite(sqnrDb)
      ? `${decibel(sqnrDb)} dB`
      : mse === 0
        ? "comes back without any error"
        : "no finite figure";
  return `${said} over ${formatCount(weights)} weights`;
}

function cellOf(place: Place, row: number, column: number, telling: Telling): HeatMapCell {
  const { worst, layers } = place;
  const name = layers.length === 1 ? nameOf(worst) : `${nameOf(worst)}, worst of ${layers.length} here`;
  const value = hasValue(worst) ? worst.sqnrDb : null;
  return {
    key: worst.module,
    row,
    column,
    state: worst.error === undefined ? "measured" : isRefused(worst) ? "refused" : "failed",
    value,
    label: value === null ? (worst.mse === 0 ? "exact" : "–") : decibel(value),
    sentence: `${name}: ${saying(worst, value, telling)}${cornersOf(place)}`,
    isNotched: layers.some(hasCorners),
  };
}

/** The corners of a place: those of the matrix that stands for it, and how many others have some. */
function cornersOf({ worst, layers }: Place): string {
  const others = layers.filter((layer) => layer !== worst && hasCorners(layer)).length;
  const parts = worst.corners.map(cornerWords);
  if (others > 0) parts.push(`${others} of the others here ${others === 1 ? "has" : "have"} unusual scales`);
  return parts.length === 0 ? "" : `. ${parts.join("; ")}`;
}

function saying(layer: LayerResult, value: number | null, { ranks, isMixed }: Telling): string {
  if (layer.error !== undefined) {
    return `${isRefused(layer) ? "cannot take this scheme" : "could not be measured"}. ${layer.error.message}`;
  }
  const under = !isMixed ? "" : layer.scheme === null ? ", only pruned" : `, ${quote(layer.scheme)}`;
  if (layer.mse === 0) return `comes back without any error${under}`;
  if (value === null) return `has no figure, for it holds values that are not finite${under}`;
  return `${decibel(value)} dB${under}, ${rankWords(ranks.get(layer.module) ?? 0, ranks.size)}`;
}

function waitingCell(kind: string, number: number, row: number, column: number): HeatMapCell {
  const name = kind === "" ? `layer ${number}` : `${quote(kind)} of layer ${number}`;
  return {
    key: `waiting ${row}:${column}`,
    row,
    column,
    state: "waiting",
    value: null,
    label: "",
    sentence: `${name}: not measured yet`,
    isNotched: false,
  };
}

function byKind(a: string, b: string): number {
  const [left, right] = [KIND_ORDER.indexOf(a), KIND_ORDER.indexOf(b)];
  if (left >= 0 && right >= 0) return left - right;
  if (left >= 0 || right >= 0) return left >= 0 ? -1 : 1;
  return 0;
}

function isWorse(candidate: LayerResult, known: LayerResult): boolean {
  if (known.error !== undefined) return false;
  if (candidate.error !== undefined) return true;
  return (candidate.sqnrDb ?? Number.POSITIVE_INFINITY) < (known.sqnrDb ?? Number.POSITIVE_INFINITY);
}

/** Signal over error of quantlab-4m under W4A16, in dB: what an empty map shows, dimmed. Measured by `lab compare`. */
const EXAMPLE: Readonly<Record<string, readonly number[]>> = {
  q_proj: [19.31, 19.24, 19.1, 19.14],
  k_proj: [19.21, 19.03, 19.09, 19.28],
  v_proj: [19.05, 18.7, 18.82, 18.91],
  o_proj: [18.99, 19.08, 19.13, 19.13],
  gate_proj: [19.16, 18.99, 18.98, 19.0],
  up_proj: [19.15, 19.08, 19.0, 19.12],
  down_proj: [18.97, 19.1, 19.09, 19.05],
};

function mapOfExample(): HeatMapData {
  const kinds = Object.entries(EXAMPLE);
  const values = kinds.flatMap(([, own]) => own);
  return {
    rows: kinds.map(([kind]) => kind),
    columns: (kinds[0]?.[1] ?? []).map((_, column) => String(column)),
    columnWord: "layer",
    cells: kinds.flatMap(([, own], row) =>
      own.map((value, column) => ({
        key: `${row}:${column}`,
        row,
        column,
        state: "measured" as const,
        value,
        label: decibel(value),
        sentence: "",
        isNotched: false,
      })),
    ),
    rowTotals: [],
    columnTotals: [],
    totalWord: "",
    loners: [],
    domain: { good: Math.max(...values), bad: Math.min(...values) },
    unit: "dB",
    selected: null,
    caption: { strong: "", plain: "" },
  };
}

/** A real map to show dimmed while no model is open. */
export const EXAMPLE_MAP: HeatMapData = mapOfExample();
