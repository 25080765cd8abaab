import type { Span } from "./span.ts";

export interface ExtremesShape extends Span {
  readonly rows: number;
}

/** By the order of the bits of magnitudes, which is that of the numbers, every NaN beyond infinity. */
export function extremesOracle(
  _source: Record<string, never>,
  { rows, width, start, stride, count, dim }: ExtremesShape,
  [values = new Uint32Array(), extremes = new Uint32Array()]: readonly Uint32Array[],
): void {
  for (let row = 0; row < rows; row++) {
    for (let piece = 0; piece < count; piece++) {
      const first = row * width + start + piece * stride;
      const own = [...values.subarray(first, first + dim)];
      const largest = (sign: 0 | 1) =>
        Math.max(0, ...own.filter((bits) => bits >>> 31 === sign).map((bits) => bits % 2 ** 31));
      extremes.set([largest(0), largest(1)], 2 * (row * count + piece));
    }
  }
}
