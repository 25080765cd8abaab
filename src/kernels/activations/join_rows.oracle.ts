export interface JoinRowsShape {
  readonly rows: number;
}

/** Window by window. */
export function joinRowsOracle(
  _source: Record<string, never>,
  { rows }: JoinRowsShape,
  [extremes = new Uint32Array(), positions = new Uint32Array(), joined = new Uint32Array()]: readonly Uint32Array[],
): void {
  const starts = Array.from({ length: rows }, (_, row) => row).filter((row) => row === 0 || positions[row] === 0);
  for (const [window, start] of starts.entries()) {
    const own = [...extremes.subarray(2 * start, 2 * (starts[window + 1] ?? rows))];
    for (const side of [0, 1]) {
      const largest = Math.max(...own.filter((_, at) => at % 2 === side));
      for (let at = side; at < own.length; at += 2) joined[2 * start + at] = largest;
    }
  }
}
