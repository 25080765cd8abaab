export interface ScatterRowsShape {
  /** Rows of the source. */
  readonly rows: number;
  /** A multiple of 4. */
  readonly width: number;
}

/** Row by row, word by word. */
export function scatterRowsOracle(
  _source: Record<string, never>,
  { rows, width }: ScatterRowsShape,
  [targets = new Uint32Array(), source = new Uint32Array(), destination = new Uint32Array()]: readonly Uint32Array[],
): void {
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) destination[(targets[row] ?? 0) * width + i] = source[row * width + i] ?? 0;
  }
}
