import { quote } from "../../base/errors.ts";
import { formatCount, formatNumber } from "../../base/format.ts";
import { cornerWords } from "../../engine/corner-words.ts";
import type { DecoderLayerResult, LayerResult, SchemeResult } from "../../engine/result.ts";
import type { HeatMapCell, HeatMapData } from "../charts/heat-map.ts";

/** The heat map of one scheme, and what it says. */
export interface LayerMap {
  /** Rows are module kinds, columns decoder layers. Null where no name has a layer. */
  readonly grid: HeatMapData | null;
  /** Modules outside the layers, one a line. Null where there are none. */
  readonly list: HeatMapData | null;
  readonly caption: { readonly strong: string; readonly plain: string };
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
/** A gap in the sorted values from which one speaks of standing out. */
const OUTLIER_GAP_DB = 1;

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
 */
export function layerMap(scheme: SchemeResult, decoderLayers: number | null): LayerMap {
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
  return {
    grid:
      inLayers.length > 0 || (waits && decoderLayers !== null)
        ? withTotals(gridOf(inLayers, domain, telling, isFinished ? null : decoderLayers), scheme, isFinished)
        : null,
    list: loners.length === 0 ? null : listOf(loners, domain, telling),
    caption: captionOf(scheme, ranked),
    legend: ranked.length === 0 ? null : { good: `${decibel(domain.good)} dB`, bad: `${decibel(domain.bad)} dB` },
    notches: notchWords(scheme.layers.filter(hasCorners).length),
  };
}

type Ranked = LayerResult & { readonly sqnrDb: number };

function hasValue(layer: LayerResult): layer is Ranked {
  return layer.sqnrDb !== null && Number.isFinite(layer.sqnrDb);
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

function gridOf(
  layers: readonly LayerResult[],
  domain: HeatMapData["domain"],
  telling: Telling,
  expectedLayers: number | null,
): HeatMapData {
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
  return {
    rows: rows.map(quote),
    hasTotals: false,
    columns: columns.map(String),
    columnWord: "layer",
    cells,
    domain,
  };
}

/** The map with each decoder layer as a whole beneath it; as it is where that would only say the same again. */
function withTotals(grid: HeatMapData, scheme: SchemeResult, isFinished: boolean): HeatMapData {
  const results = new Map(scheme.decoderLayers.map((result) => [String(result.layer), result]));
  if (grid.rows.length < 2 || (isFinished && results.size === 0)) return grid;
  const row = grid.rows.length;
  const totals = grid.columns.flatMap((column, at) => {
    if (!isFinished) return [waitingCell("", Number(column), row, at)];
    const result = results.get(column);
    return result === undefined ? [] : [totalCell(result, row, at)];
  });
  return { ...grid, rows: [...grid.rows, "together"], hasTotals: true, cells: [...grid.cells, ...totals] };
}

function totalCell(result: DecoderLayerResult, row: number, column: number): HeatMapCell {
  const { layer, sqnrDb, mse, weights } = result;
  const value = sqnrDb !== null && Number.isFinite(sqnrDb) ? sqnrDb : null;
  const said =
    value !== null ? `${decibel(value)} dB` : mse === 0 ? "comes back without any error" : "has no finite figure";
  return {
    key: `together ${row}:${column}`,
    row,
    column,
    state: "measured",
    value,
    label: value === null ? (mse === 0 ? "exact" : "–") : decibel(value),
    sentence: `layer ${layer} together: ${said}, over ${formatCount(weights)} weights`,
    isNotched: false,
  };
}

function listOf(layers: readonly LayerResult[], domain: HeatMapData["domain"], telling: Telling): HeatMapData {
  return {
    rows: layers.map((layer) => quote(layer.module)),
    hasTotals: false,
    columns: [""],
    columnWord: "",
    cells: layers.map((layer, row) => cellOf({ layers: [layer], worst: layer }, row, 0, telling)),
    domain,
  };
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

/** Whether the scheme does not apply to a matrix, as opposed to a measurement that failed. */
function isRefused(layer: LayerResult): boolean {
  return layer.error?.code.startsWith("scheme/") ?? false;
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

/** `3rd worst of 28`; the last is the best. */
export function rankWords(rank: number, count: number): string {
  if (count === 1) return "the only one";
  if (rank === count) return `best of ${count}`;
  if (rank === 1) return `worst of ${count}`;
  const teen = rank % 100 >= 11 && rank % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${rank}${ending} worst of ${count}`;
}

/** `o_proj of layer 0`, or the whole name outside the layers. */
export function nameOf(layer: LayerResult): string {
  return layer.layer === null ? quote(layer.module) : `${quote(layer.moduleKind)} of layer ${layer.layer}`;
}

function captionOf(scheme: SchemeResult, ranked: readonly Ranked[]): LayerMap["caption"] {
  const worst = ranked[0];
  const best = ranked.at(-1);
  const failed = scheme.layers.filter((layer) => layer.error !== undefined && !isRefused(layer)).length;
  const refused = scheme.layers.filter(isRefused).length;
  const but =
    (refused === 0 ? "" : ` ${refused} cannot take this scheme.`) +
    (failed === 0 ? "" : ` ${failed} could not be measured; the others stand.`);
  if (scheme.layers.length < scheme.modules) {
    if (worst === undefined) return { strong: "No matrix is measured yet.", plain: "Hatched ones wait." };
    const plain = `${ranked.length} of ${scheme.modules} measured; hatched ones wait.${but}`;
    return { strong: `Worst so far: ${nameOf(worst)}, ${decibel(worst.sqnrDb)} dB.`, plain };
  }
  if (worst === undefined || best === undefined) {
    return {
      strong: "No matrix has a figure.",
      plain: but === "" ? "Nothing here is pruned or quantized." : but.trim(),
    };
  }
  if (ranked.length === 1) return { strong: `${nameOf(worst)} keeps ${decibel(worst.sqnrDb)} dB.`, plain: but.trim() };
  const outliers = outlierCount(ranked);
  const mildest = ranked[outliers];
  if (outliers > 0 && mildest !== undefined) {
    const rest = `The other ${ranked.length - outliers} keep ${range(mildest, best)} dB of signal over error.${but}`;
    const who = `${nameOf(worst)}, ${decibel(worst.sqnrDb)} dB`;
    const strong =
      outliers === 1 ? `One matrix stands out: ${who}.` : `${outliers} matrices stand out, most of all ${who}.`;
    return { strong, plain: rest };
  }
  if (best.sqnrDb - worst.sqnrDb < OUTLIER_GAP_DB) {
    const plain = `All ${ranked.length} keep ${range(worst, best)} dB of signal over error.${but}`;
    return { strong: "No matrix stands out.", plain };
  }
  return {
    strong: `It hurts most in ${nameOf(worst)}, ${decibel(worst.sqnrDb)} dB.`,
    plain: `The best, ${nameOf(best)}, keeps ${decibel(best.sqnrDb)} dB.${but}`,
  };
}

/** How many lie below the widest gap, where that gap is wide and they are few; else 0. */
function outlierCount(ranked: readonly Ranked[]): number {
  let widest = OUTLIER_GAP_DB;
  let count = 0;
  for (let index = 1; index <= ranked.length / 4; index++) {
    const gap = (ranked[index]?.sqnrDb ?? 0) - (ranked[index - 1]?.sqnrDb ?? 0);
    if (gap > widest) {
      widest = gap;
      count = index;
    }
  }
  return count;
}

function range(low: Ranked, high: Ranked): string {
  const [from, to] = [decibel(low.sqnrDb), decibel(high.sqnrDb)];
  return from === to ? from : `${from} to ${to}`;
}

function decibel(value: number): string {
  return formatNumber(value);
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
