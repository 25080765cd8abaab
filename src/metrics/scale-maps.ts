import type { FloatFormat } from "../base/float-format.ts";
import { kthBin } from "../kernels/stats/magnitude_histogram.ts";
import { type CellGrid, cellGrid, type MapLimits, type MatrixMap } from "./matrix-maps.ts";

/** The scales of a matrix and how well its groups use their levels. One row per matrix row, one column per group of it. */
export interface ScaleMap {
  /** Largest scale of each cell. One scale for a row has one column, one for a matrix a single cell. */
  readonly scales: MatrixMap;
  /** Levels that a group's codes take, the fewest in each cell. */
  readonly usedLevels: MatrixMap;
  /** Levels that there are, 2^bits. */
  readonly levels: number;
  /** Weights that share a scale. */
  readonly groupSize: number;
  readonly groups: number;
  /** Over the scales that are finite; NaN where none is. */
  readonly smallest: number;
  /** The middle one of them in order of size; of two the smaller. */
  readonly median: number;
  readonly largest: number;
  /** Levels that the poorest group uses. */
  readonly fewestLevels: number;
  /** Groups that use every level. */
  readonly fullGroups: number;
  /** Levels that the median group uses; of two the fewer. */
  readonly medianLevels: number;
}

/** How the scales of a matrix lie. */
export interface ScaleShape {
  readonly rows: number;
  /** Groups of a row. */
  readonly columns: number;
  /** Weights that share a scale. */
  readonly groupSize: number;
  /** Width of a code. */
  readonly bits: number;
  /** Of the scales. */
  readonly format: FloatFormat;
}

/** Values of 16 bits. */
const DIGIT = 2 ** 16;

/** Gathers the scales and the codes of a matrix group by group, in memory that does not grow with the matrix. */
export class ScaleSums {
  readonly #shape: ScaleShape;
  readonly #grid: CellGrid;
  readonly #largest: Float32Array<ArrayBuffer>;
  readonly #fewest: Float32Array<ArrayBuffer>;
  /** Groups that use so many levels. */
  readonly #uses: Float64Array<ArrayBuffer>;
  /** The last group that used each level, and so the set of levels of the group at hand. */
  readonly #lastUse: Float64Array;
  readonly #scales: MiddleOfFloats;
  #group = -1;
  #scale = 0;
  #used = 0;

  constructor(shape: ScaleShape, limits: MapLimits) {
    this.#shape = shape;
    this.#grid = cellGrid(shape.rows, shape.columns, limits);
    const cells = this.#grid.rows * this.#grid.columns;
    this.#largest = new Float32Array(cells);
    this.#fewest = new Float32Array(cells).fill(Number.POSITIVE_INFINITY);
    this.#uses = new Float64Array(2 ** shape.bits + 1);
    this.#lastUse = new Float64Array(2 ** shape.bits).fill(-1);
    this.#scales = new MiddleOfFloats(shape.format);
  }

  /**
   * Adds groups in order. The one group of a matrix with one scale may come in pieces.
   * @param firstGroup number of the first of them
   * @param scaleBits one for each group, bits of the format
   * @param codes a byte each, from 0 for the lowest level on, group after group
   * @param pieceSize codes of each group
   */
  add(firstGroup: number, scaleBits: ArrayLike<number>, codes: Uint8Array, pieceSize: number): void {
    for (let start = 0, group = firstGroup; start < codes.length; start += pieceSize, group++) {
      if (group !== this.#group) {
        this.#finish();
        this.#group = group;
        this.#used = 0;
        const bits = scaleBits[group - firstGroup] ?? 0;
        this.#scale = this.#shape.format.fromBits(bits);
        this.#scales.add(bits);
      }
      const end = Math.min(start + pieceSize, codes.length);
      for (let at = start; at < end; at++) {
        const level = codes[at] ?? 0;
        if (this.#lastUse[level] !== group) {
          this.#lastUse[level] = group;
          this.#used++;
        }
      }
    }
  }

  /** Puts the group at hand into the maps. */
  #finish(): void {
    if (this.#group < 0) return;
    const { columns, columnsPerCell, rowsPerCell } = this.#grid;
    const row = Math.floor(this.#group / this.#shape.columns);
    const column = this.#group % this.#shape.columns;
    const cell = Math.floor(row / rowsPerCell) * columns + Math.floor(column / columnsPerCell);
    this.#largest[cell] = Math.max(this.#largest[cell] ?? 0, this.#scale);
    this.#fewest[cell] = Math.min(this.#fewest[cell] ?? 0, this.#used);
    this.#uses[this.#used] = (this.#uses[this.#used] ?? 0) + 1;
    this.#group = -1;
  }

  /** Whether the median needs a second look at every scale; asked once all groups were added. */
  get needsSecondLook(): boolean {
    return this.#scales.needsSecondLook;
  }

  /** A second look at some scales, in any order. */
  lookAgain(scaleBits: ArrayLike<number>): void {
    this.#scales.lookAgain(scaleBits);
  }

  /** The map of a matrix all of whose groups were added, and looked at again where that is needed. */
  map(): ScaleMap {
    this.#finish();
    const { rows, columns, groupSize, bits } = this.#shape;
    const groups = rows * columns;
    const { smallest, largest } = this.#scales;
    return {
      scales: { ...this.#grid, values: this.#largest.slice() },
      usedLevels: { ...this.#grid, values: this.#fewest.slice() },
      levels: 2 ** bits,
      groupSize,
      groups,
      smallest,
      median: this.#scales.median(),
      largest,
      fewestLevels: Math.max(
        this.#uses.findIndex((count) => count > 0),
        0,
      ),
      fullGroups: this.#uses[2 ** bits] ?? 0,
      medianLevels: groups > 0 ? kthBin(this.#uses, Math.ceil(groups / 2)).bin : 0,
    };
  }
}

/**
 * The middle one of any number of floats of one sign, exactly: their bits order as they do, so counting those of each 16
 * leading bits tells where it lies, and the rest of a float32 is counted in a second look at the same floats.
 */
class MiddleOfFloats {
  readonly #format: FloatFormat;
  readonly #isWide: boolean;
  readonly #high = new Float64Array(DIGIT);
  readonly #low = new Float64Array(DIGIT);
  #count = 0;
  #smallest = Number.POSITIVE_INFINITY;
  #largest = Number.NEGATIVE_INFINITY;

  constructor(format: FloatFormat) {
    this.#format = format;
    this.#isWide = format.sizeBytes === 4;
  }

  get smallest(): number {
    return this.#count > 0 ? this.#format.fromBits(this.#smallest) : Number.NaN;
  }

  get largest(): number {
    return this.#count > 0 ? this.#format.fromBits(this.#largest) : Number.NaN;
  }

  get needsSecondLook(): boolean {
    return this.#isWide && this.#smallest < this.#largest;
  }

  /** Counts a float by its bits; one that is not finite is left out. */
  add(bits: number): void {
    if (bits >= this.#format.infinity) return;
    const digit = this.#isWide ? bits >>> 16 : bits;
    this.#high[digit] = (this.#high[digit] ?? 0) + 1;
    this.#count++;
    this.#smallest = Math.min(this.#smallest, bits);
    this.#largest = Math.max(this.#largest, bits);
  }

  lookAgain(all: ArrayLike<number>): void {
    const middle = this.#middle().bin;
    for (let index = 0; index < all.length; index++) {
      const bits = all[index] ?? 0;
      if (bits >= this.#format.infinity || bits >>> 16 !== middle) continue;
      this.#low[bits % DIGIT] = (this.#low[bits % DIGIT] ?? 0) + 1;
    }
  }

  #middle(): { readonly bin: number; readonly below: number } {
    return kthBin(this.#high, Math.ceil(this.#count / 2));
  }

  median(): number {
    if (this.#count === 0 || this.#smallest === this.#largest) return this.smallest;
    const { bin, below } = this.#middle();
    if (!this.#isWide) return this.#format.fromBits(bin);
    const low = kthBin(this.#low, Math.ceil(this.#count / 2) - below).bin;
    return this.#format.fromBits(bin * DIGIT + low);
  }
}
