/** One number for each cell of a matrix, or for blocks of it where it has more cells than a map holds. */
export interface MatrixMap {
  readonly rows: number;
  readonly columns: number;
  /** Rows that one cell stands for; 1 where the map is exact. The last row of cells may stand for fewer. */
  readonly rowsPerCell: number;
  /** The same along the columns. */
  readonly columnsPerCell: number;
  /** [rows, columns], row-major. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** What is lost in each place of a matrix. */
export interface ErrorMap {
  /** Root mean square of W − Q over each cell; NaN where one of them is not finite. */
  readonly rms: MatrixMap;
  /** Largest finite |W − Q| of the matrix. */
  readonly largest: number;
  /** Where that is, the first in row-major order; null where nothing is lost. */
  readonly largestAt: { readonly row: number; readonly column: number } | null;
}

/** One number for each input channel (column) of a matrix. */
export interface ChannelSpectrum {
  /** Largest |W|, as it is: infinite or NaN where a weight is. */
  readonly largest: Float32Array<ArrayBuffer>;
  /** Root mean square of W − Q; NaN where one of them is not finite. */
  readonly rmsError: Float32Array<ArrayBuffer>;
}

/** Most cells along each side of a map. */
export interface MapLimits {
  readonly rows: number;
  readonly columns: number;
}

/** How a matrix is cut into the cells of a map: into blocks of one size, as few as the limits ask for. */
export type CellGrid = Omit<MatrixMap, "values">;

/** The grid of a map of a matrix [rows, columns]. */
export function cellGrid(rows: number, columns: number, limits: MapLimits): CellGrid {
  const rowsPerCell = Math.max(1, Math.ceil(rows / limits.rows));
  const columnsPerCell = Math.max(1, Math.ceil(columns / limits.columns));
  return {
    rows: Math.ceil(rows / rowsPerCell),
    columns: Math.ceil(columns / columnsPerCell),
    rowsPerCell,
    columnsPerCell,
  };
}

/**
 * Adds up what is lost in each cell and each column of a matrix while its rows go by. Sums are float64 and form in
 * row-major order, so that they are the same whatever the tiles.
 */
export class ErrorSums {
  readonly #rows: number;
  readonly #cols: number;
  readonly #grid: CellGrid;
  readonly #squares: Float64Array;
  readonly #columnSquares: Float64Array;
  readonly #columnLargest: Float32Array<ArrayBuffer>;
  #largest = 0;
  /** Place of the largest, row-major; −1 before there is one. */
  #largestAt = -1;
  /** Weights added. */
  samples = 0;

  constructor(rows: number, cols: number, limits: MapLimits) {
    this.#rows = rows;
    this.#cols = cols;
    this.#grid = cellGrid(rows, cols, limits);
    this.#squares = new Float64Array(this.#grid.rows * this.#grid.columns);
    this.#columnSquares = new Float64Array(cols);
    this.#columnLargest = new Float32Array(cols);
  }

  /**
   * Adds whole rows, each once and in order.
   * @param firstRow its number in the matrix
   * @param originals W, [some rows, cols]
   * @param restored Q, what is loaded back in their place
   */
  addRows(firstRow: number, originals: Float32Array, restored: Float32Array): void {
    const { columns, columnsPerCell, rowsPerCell } = this.#grid;
    const cols = this.#cols;
    for (let start = 0, row = firstRow; start < originals.length; start += cols, row++) {
      const cellRow = Math.floor(row / rowsPerCell) * columns;
      for (let cell = 0; cell < columns; cell++) {
        const end = Math.min((cell + 1) * columnsPerCell, cols);
        let squares = 0;
        for (let column = cell * columnsPerCell; column < end; column++) {
          const weight = originals[start + column] ?? 0;
          const error = weight - (restored[start + column] ?? 0);
          const square = error * error;
          squares += square;
          this.#columnSquares[column] = (this.#columnSquares[column] ?? 0) + square;
          // Math.max keeps a NaN that it met.
          this.#columnLargest[column] = Math.max(this.#columnLargest[column] ?? 0, Math.abs(weight));
          const size = Math.abs(error);
          if (size > this.#largest && size < Number.POSITIVE_INFINITY) {
            this.#largest = size;
            this.#largestAt = row * cols + column;
          }
        }
        this.#squares[cellRow + cell] = (this.#squares[cellRow + cell] ?? 0) + squares;
      }
    }
    this.samples += originals.length;
  }

  /** The map of a matrix all of whose rows were added. */
  map(): ErrorMap {
    const grid = this.#grid;
    const values = new Float32Array(this.#squares.length);
    for (const [index, squares] of this.#squares.entries()) {
      const [row, column] = [Math.floor(index / grid.columns), index % grid.columns];
      const height = Math.min(grid.rowsPerCell, this.#rows - row * grid.rowsPerCell);
      const width = Math.min(grid.columnsPerCell, this.#cols - column * grid.columnsPerCell);
      values[index] = rootMean(squares, height * width);
    }
    const at = this.#largestAt;
    const largestAt = at < 0 ? null : { row: Math.floor(at / this.#cols), column: at % this.#cols };
    return { rms: { ...grid, values }, largest: this.#largest, largestAt };
  }

  /** The spectrum of a matrix all of whose rows were added. */
  channels(): ChannelSpectrum {
    return {
      largest: this.#columnLargest.slice(),
      rmsError: Float32Array.from(this.#columnSquares, (squares) => rootMean(squares, this.#rows)),
    };
  }
}

function rootMean(squares: number, count: number): number {
  const root = Math.sqrt(squares / count);
  return Number.isFinite(root) ? root : Number.NaN;
}

/** Some columns of whole rows. */
export interface ColumnRange {
  /** Columns of the matrix. */
  readonly cols: number;
  /** The first of those that are taken. */
  readonly column: number;
  readonly columns: number;
}

/**
 * W − Q and W of some columns, each difference rounded to float32 once.
 * @param originals W, [some rows, cols]
 * @param restored Q, what is loaded back in their place
 * @returns both [those rows, columns]
 */
export function windowErrors(
  originals: Float32Array,
  restored: Float32Array,
  { cols, column, columns }: ColumnRange,
): { readonly errors: Float32Array<ArrayBuffer>; readonly weights: Float32Array<ArrayBuffer> } {
  const rows = originals.length / cols;
  const errors = new Float32Array(rows * columns);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < columns; at++) {
      const from = row * cols + column + at;
      const weight = originals[from] ?? 0;
      weights[row * columns + at] = weight;
      errors[row * columns + at] = weight - (restored[from] ?? 0);
    }
  }
  return { errors, weights };
}
