import { measured, type Quantity } from "../base/quantity.ts";
import { type MatrixLoss, modelRelativeMse } from "../metrics/reconstruction.ts";
import type { Interval, MeasureResult, MeasureRow, Verdict } from "./measure-result.ts";
import type { LayerResult, SchemeResult } from "./result.ts";

/** Errors of two recipes that differ by less than this share of the larger one are the same. */
const TIE = 1e-6;

/** Where one recipe of a comparison stands between size and error. */
export interface FrontierPoint {
  readonly scheme: string;
  /** Bits of the whole file per weight of the model. */
  readonly bits: Quantity;
  readonly fileBytes: Quantity;
  /**
   * Σ(W−Q)² / ΣW² over every matrix that any of the compared recipes changes; those that this one leaves alone count with no
   * error. While the comparison runs, over those measured so far: recipes are measured together, so that all stand on the
   * same matrices. Absent before the first, and where a value is not finite. Its samples are the weights of them all.
   */
  readonly error?: Quantity;
  /**
   * `line`: no recipe that is as small errs less, and none that errs as little is smaller. `beaten`: one does. `tied`: it has
   * the size and the error of one on the line that was given before it. `waiting`: no matrix is measured yet.
   * `unknown`: it has no error to compare, or cannot be exported.
   */
  readonly place: "line" | "beaten" | "tied" | "waiting" | "unknown";
  /** More matrices are to come: error and place hold so far. */
  readonly isPartial: boolean;
  /** The recipe on the line that it is tied with, or the one that errs least among those there that are no larger. */
  readonly by: string | null;
  /** How much smaller `by` is: 0.18 = 18 %. */
  readonly smallerBy: number | null;
  /** Error of `by` divided by its own; null where its own is 0. */
  readonly errorRatio: number | null;
}

/**
 * Where one row of a measurement stands between size and divergence: its `error` is the mean KL divergence in nats, which are
 * as bare as a ratio; its samples are the scored positions.
 */
export interface DivergencePoint extends FrontierPoint {
  /** A checkpoint that was given, not a recipe. */
  readonly isGiven: boolean;
  /** At 95 %, by resampling whole windows; null below two windows. */
  readonly interval: Interval | null;
  /** 99 % of the positions diverge no more than this, nats; null where there is no figure. */
  readonly percentile99: number | null;
  /** Of a row on the line: the smaller one before it there from which it does not differ for good, or null. */
  readonly like: string | null;
  /** It diverges no more than bf16 arithmetic makes the original diverge from itself; null where that is not known. */
  readonly isBelowFloor: boolean | null;
}

/** A row whose size and error are known. */
interface Known<Row> {
  readonly row: Row;
  readonly bytes: number;
  readonly error: number;
}

/** Where each recipe of a comparison stands, in the order given. Matrices that could not be measured are in no sum. */
export function frontier(schemes: readonly SchemeResult[]): readonly FrontierPoint[] {
  const isMeasured = schemes.every(({ layers, modules }) => layers.length === modules);
  const matrices = changedMatrices(schemes);
  const weights = [...matrices.values()].reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const known: Known<SchemeResult>[] = [];
  for (const row of schemes) {
    const error = row.error ? null : modelRelativeMse(lossesOf(row, matrices));
    if (error !== null) known.push({ row, bytes: row.fileBytes.value, error });
  }
  const line = lineOf(known);
  return schemes.map((row): FrontierPoint => {
    const { scheme, bitsPerWeight: bits, fileBytes } = row;
    const own = known.find((candidate) => candidate.row === row);
    const nowhere = { scheme, bits, fileBytes, isPartial: !isMeasured, by: null, smallerBy: null, errorRatio: null };
    if (!own) return { ...nowhere, place: matrices.size > 0 || isMeasured || row.error ? "unknown" : "waiting" };
    const error = measured(own.error, "ratio", weights);
    const by = line.findLast(({ bytes }) => bytes <= own.bytes);
    if (!by || by === own) return { ...nowhere, error, place: "line" };
    return {
      ...nowhere,
      error,
      place: by.bytes === own.bytes && isTie(by.error, own.error) ? "tied" : "beaten",
      by: by.row.scheme,
      smallerBy: 1 - by.bytes / own.bytes,
      errorRatio: own.error > 0 ? by.error / own.error : null,
    };
  });
}

/**
 * Where each row of a measurement stands, in the order given: `beaten` only where the two differ for good. A row that is no
 * smaller than one on the line and does not differ from it is `tied`, whatever its own figure. A row that cannot be exported
 * has no place.
 */
export function divergenceFrontier({ rows, verdict, finished, text }: MeasureResult): readonly DivergencePoint[] {
  const known: Known<MeasureRow>[] = [];
  for (const row of rows) {
    const error = row.divergence?.kld.value;
    if (!row.error && error !== undefined && Number.isFinite(error)) known.push({ row, bytes: row.bytes.value, error });
  }
  const line = lineOf(known);
  const areAlike = (one: MeasureRow, other: MeasureRow) => isTiePair(verdict, rows.indexOf(one), rows.indexOf(other));
  return rows.map((row, index): DivergencePoint => {
    const own = known.find((candidate) => candidate.row === row);
    const nowhere = {
      scheme: row.scheme,
      bits: row.bitsPerWeight,
      fileBytes: row.bytes,
      isGiven: row.method === "given",
      // Nothing is said for good on one window.
      isPartial: !finished || text.doneWindows < 2,
      interval: row.divergence?.intervals.kld ?? null,
      percentile99: row.divergence?.kldPercentiles["99"] ?? null,
      isBelowFloor: verdict?.ranking.find(({ variant }) => variant === index)?.isBelowFloor ?? null,
      like: null,
      by: null,
      smallerBy: null,
      errorRatio: null,
    };
    if (!own) return { ...nowhere, place: row.divergence || row.error || finished ? "unknown" : "waiting" };
    const error = measured(own.error, "ratio", row.divergence?.scored ?? 0);
    const by = line.findLast(({ bytes }) => bytes <= own.bytes);
    if (!by || by === own) {
      const before = line[line.indexOf(own) - 1];
      const like = before && areAlike(before.row, row) ? before.row.scheme : null;
      return { ...nowhere, error, place: "line", like };
    }
    const isSame = by.bytes === own.bytes && isTie(by.error, own.error);
    return {
      ...nowhere,
      error,
      place: isSame || areAlike(by.row, row) ? "tied" : "beaten",
      by: by.row.scheme,
      smallerBy: 1 - by.bytes / own.bytes,
      errorRatio: own.error > 0 ? by.error / own.error : null,
    };
  });
}

function isTiePair(verdict: Verdict | null, one: number, other: number): boolean {
  const found = verdict?.pairs.find(({ pair }) => pair.includes(one) && pair.includes(other));
  return found !== undefined && found.tie !== null;
}

/** Every matrix that some recipe changes, by module. A recipe that cannot be exported leaves alone what it cannot take. */
function changedMatrices(schemes: readonly SchemeResult[]): ReadonlyMap<string, LayerResult> {
  const layers = schemes.flatMap((row) => row.layers.filter(({ error }) => !error));
  return new Map(layers.map((layer) => [layer.module, layer]));
}

function lossesOf({ layers }: SchemeResult, matrices: ReadonlyMap<string, LayerResult>): readonly MatrixLoss[] {
  const own = new Map(layers.map((layer) => [layer.module, layer]));
  // A matrix that it changes and that could not be measured has no error that could be left out.
  const failed = layers.filter(({ error }) => error).map(() => ({ weights: 0, meanSquare: null, mse: null }));
  const losses = [...matrices].map(([module, { rows, cols, meanSquare = null }]) => {
    const layer = own.get(module);
    return { weights: rows * cols, meanSquare, mse: layer ? layer.mse : 0 };
  });
  return [...losses, ...failed];
}

/**
 * The recipes that no other beats, smallest first, so that each errs less than those before it. Of those that are tied the
 * first given stands for all.
 */
function lineOf<Row>(known: readonly Known<Row>[]): readonly Known<Row>[] {
  const line: Known<Row>[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const size of [...new Set(known.map(({ bytes }) => bytes))].sort((a, b) => a - b)) {
    const better = known.filter(({ bytes, error }) => bytes === size && error < least);
    const best = Math.min(...better.map(({ error }) => error));
    const first = better.find(({ error }) => isTie(error, best));
    if (!first) continue;
    line.push(first);
    least = best;
  }
  return line;
}

function isTie(one: number, other: number): boolean {
  return one === other || Math.abs(one - other) < TIE * Math.max(one, other);
}
