/** Windows of text that are run together. A row is a token; the rows of a window lie one after the other. */
export interface WindowBatch {
  readonly rows: number;
  /** Token ids. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** Place of each token in its window. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** First row of each window. */
  readonly starts: readonly number[];
  /** Tokens of the longest window. */
  readonly longest: number;
}

/** Windows of token ids, one below the other. */
export function batchWindows(windows: readonly (readonly number[])[]): WindowBatch {
  const starts: number[] = [];
  let rows = 0;
  let longest = 0;
  for (const window of windows) {
    starts.push(rows);
    rows += window.length;
    longest = Math.max(longest, window.length);
  }
  const tokens = new Uint32Array(rows);
  const positions = new Uint32Array(rows);
  for (const [index, window] of windows.entries()) {
    const start = starts[index] ?? 0;
    tokens.set(window, start);
    for (let place = 0; place < window.length; place++) positions[start + place] = place;
  }
  return { rows, tokens, positions, starts, longest };
}
