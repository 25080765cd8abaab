import { asFloats } from "../floats.ts";

export interface EmbedSource {
  /** Whether rows are added to instead of overwritten: learned positions. */
  readonly adds: boolean;
}

export interface EmbedShape {
  /** Tokens, and rows of `hidden`. */
  readonly rows: number;
  readonly width: number;
  /** Row of the embedding with which the table begins. */
  readonly first: number;
  /** Rows of the table. */
  readonly count: number;
  /** What rows of the table are multiplied with. */
  readonly scale: number;
}

/** In float64, rounded to float32 in the end; the scale is a float32. */
export function embedOracle(
  { adds }: EmbedSource,
  { rows, width, first, count, scale }: EmbedShape,
  [tokens = new Uint32Array(), table = new Uint32Array(), hidden = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [from, to] = [asFloats(table), asFloats(hidden)];
  for (let row = 0; row < rows; row++) {
    const place = (tokens[row] ?? 0) - first;
    if (place < 0 || place >= count) continue;
    for (let i = 0; i < width; i++) {
      const at = row * width + i;
      to[at] = Math.fround(scale) * (from[place * width + i] ?? 0) + (adds ? (to[at] ?? 0) : 0);
    }
  }
}
