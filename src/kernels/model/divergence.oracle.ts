import { float32Bits } from "../../base/float-format.ts";
import { asFloats } from "../floats.ts";

/** What changes only the run. */
export interface DivergenceShape {
  readonly rows: number;
  /** Columns of a row that count. */
  readonly columns: number;
  /** Float32 from one row to the next. */
  readonly stride: number;
  /** Id of column 0. */
  readonly first: number;
  /** Columns that are added up in one place. */
  readonly blockColumns: number;
}

/** Words of a row and block. */
export const WORDS = 10;

/** Blocks of a row. */
export function blocksOf({ columns, blockColumns }: Pick<DivergenceShape, "columns" | "blockColumns">): number {
  return Math.ceil(columns / blockColumns);
}

/** Sums in float64, each rounded once. */
export function divergenceOracle(
  _source: Record<string, never>,
  shape: DivergenceShape,
  [
    base = new Uint32Array(),
    other = new Uint32Array(),
    targets = new Uint32Array(),
    sums = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const { rows, columns, stride, first, blockColumns } = shape;
  const blocks = blocksOf(shape);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const [start, end] = [block * blockColumns, Math.min((block + 1) * blockColumns, columns)];
      const of = (words: Uint32Array) => asFloats(words.subarray(row * stride + start, row * stride + end));
      const words = wordsOf(of(base), of(other), (targets[row] ?? 0) - first - start, first + start);
      sums.set(words, (row * blocks + block) * WORDS);
    }
  }
}

/** The words of one row and block. `target` is the column that came next, inside or outside of it. */
function wordsOf(base: Float32Array, other: Float32Array, target: number, firstId: number): readonly number[] {
  const [one, two] = [sideOf(base), sideOf(other)];
  const isNothing = one.largest === Number.NEGATIVE_INFINITY;
  const shift = isNothing ? 0 : Math.fround((base[one.top] ?? 0) - (other[one.top] ?? 0));
  let cross = 0;
  for (const [column, weight] of one.weights.entries()) {
    if (weight !== 0) cross += weight * ((base[column] ?? 0) - (other[column] ?? 0) - shift);
  }
  if (Number.isNaN(two.sum)) cross = Number.NaN;
  return [
    float32Bits(one.largest),
    float32Bits(one.sum),
    firstId + one.top,
    float32Bits(two.largest),
    float32Bits(two.sum),
    firstId + two.top,
    float32Bits(cross),
    float32Bits(shift),
    float32Bits(base[target] ?? 0),
    float32Bits(other[target] ?? 0),
  ];
}

/** The largest logit, its first column, exp(logit − largest) of each and their sum. */
function sideOf(logits: Float32Array) {
  const largest = logits.reduce((most, logit) => (logit > most ? logit : most), Number.NEGATIVE_INFINITY);
  const weights = Array.from(logits, (logit) => (logit === Number.NEGATIVE_INFINITY ? 0 : Math.exp(logit - largest)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { largest, top: Math.max(logits.indexOf(largest), 0), weights, sum };
}
