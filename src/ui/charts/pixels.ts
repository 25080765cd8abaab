import type { Shape } from "./chart.ts";

/** `#rrggbb` as one word of an image's memory: a, b, g, r from the highest byte, as every machine that runs browsers has it. */
export function pixelOf(colour: string): number {
  const value = Number.parseInt(colour.slice(1), 16);
  const [red, green, blue] = [(value >> 16) & 255, (value >> 8) & 255, value & 255];
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Where an image lies, in pixels of the drawing. */
type Box = Pick<Extract<Shape, { kind: "image" }>, "x" | "y" | "width" | "height">;

/** Colours of equal steps from `from` to `to`, by value; what lies beyond has the colour of its end. */
export function colourSteps(from: number, to: number, colours: readonly number[]): (value: number) => number {
  const steps = Uint32Array.from(colours);
  const [last, perUnit] = [steps.length - 1, steps.length / (to - from)];
  return (value) => steps[Math.max(0, Math.min(last, Math.floor((value - from) * perUnit)))] ?? 0;
}

/** An image of `columns` × `rows` pixels, each painted by `pixel` as `pixelOf` has it. */
export function imageShape(
  box: Box,
  columns: number,
  rows: number,
  pixel: (row: number, column: number) => number,
): Shape {
  const words = new Uint32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) words[row * columns + column] = pixel(row, column);
  }
  return { kind: "image", ...box, columns, rows, pixels: new Uint8ClampedArray(words.buffer) };
}
