import type { ChartTheme } from "./theme.ts";

/** What a chart says: the answer, and a second sentence that is less. */
export interface Caption {
  readonly strong: string;
  readonly plain: string;
}

/** Pixels that a picture may fill. It keeps to the width and chooses its own height where `height` does not suit it. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** How a shape is painted. Colours are those of the theme; `HATCH` is its hatching. Without a fill or stroke there is none. */
export interface Paint {
  readonly fill?: string;
  readonly stroke?: string;
  readonly strokeWidth?: number;
  /** Lengths of dashes and gaps, in pixels. */
  readonly dash?: readonly number[];
  readonly opacity?: number;
}

/** The fill of what is not finished. */
export const HATCH = "hatch";

/** What pictures are made of. Plain data, the same for the page, for an SVG file and for a PNG. */
export type Shape =
  | (Paint & {
      readonly kind: "rect";
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly radius?: number;
    })
  | (Paint & { readonly kind: "circle"; readonly x: number; readonly y: number; readonly radius: number })
  /** `d` as in SVG. */
  | (Paint & { readonly kind: "path"; readonly d: string })
  | {
      readonly kind: "text";
      readonly x: number;
      /** Of the baseline. */
      readonly y: number;
      readonly text: string;
      readonly fill: string;
      /** In pixels; default 12. */
      readonly size?: number;
      readonly anchor?: "start" | "middle" | "end";
      readonly isBold?: boolean;
      readonly isMono?: boolean;
      /** Colour of an outline that keeps the text apart from what it lies on. */
      readonly halo?: string;
    }
  /** An image of `columns` × `rows` pixels, RGBA, row by row, drawn without smoothing. */
  | {
      readonly kind: "image";
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly columns: number;
      readonly rows: number;
      readonly pixels: Uint8ClampedArray<ArrayBuffer>;
    };

/** One thing that can be reached by arrows, is spoken and shows its words beside the pointer. */
export interface Mark {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** What is spoken and shown. */
  readonly sentence: string;
  /** Place in a grid; without one, arrows go by pixels. */
  readonly place?: { readonly row: number; readonly column: number };
  readonly isPickable: boolean;
  readonly isSelected: boolean;
}

/** A picture as data. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Many small shapes and images: painted on a canvas beneath the others. */
  readonly dense?: readonly Shape[];
  readonly shapes: readonly Shape[];
  /** What stays in view at the left, as high as the rest, while the others pan. It takes its own width beside theirs. */
  readonly pinned?: { readonly width: number; readonly shapes: readonly Shape[] };
  /** In reading order. */
  readonly marks: readonly Mark[];
}

/** One cell of a table twin: what people read, and what a file gets (a number without rounding where it is one). */
export interface ChartCell {
  readonly text: string;
  readonly value: number | string | null;
}

/** The same as the picture, as a table. */
export interface ChartTable {
  readonly columns: readonly { readonly name: string; readonly unit: string }[];
  readonly rows: readonly (readonly ChartCell[])[];
}

/** One chart: everything around it (caption, table, walk, words, files, print) comes from `lab-chart`. */
export interface Chart<Data> {
  /** Stem of its files: `frontier`. */
  readonly name: string;
  /** Lays it out. Pure: the same data, size and theme give the same drawing. */
  draw(data: Data, size: ChartSize, theme: ChartTheme): Drawing;
  caption(data: Data): Caption;
  table(data: Data): ChartTable;
}

/** A text cell. */
export function words(text: string): ChartCell {
  return { text, value: text };
}

/** A number with the text that stands for it; null where there is none. */
export function figure(value: number | null | undefined, write: (value: number) => string): ChartCell {
  return value === null || value === undefined ? { text: "–", value: null } : { text: write(value), value };
}

/** A drawing whose pinned part stands beside the rest, as in a file. */
export function unpinned(drawing: Drawing): {
  readonly width: number;
  readonly height: number;
  readonly parts: readonly Part[];
} {
  const { width, height, pinned, dense = [], shapes } = drawing;
  const main = { x: pinned?.width ?? 0, shapes: [...dense, ...shapes] };
  const parts = pinned === undefined ? [main] : [{ x: 0, shapes: pinned.shapes }, main];
  return { width: width + main.x, height, parts };
}

/** Shapes that are moved to the right together. */
export interface Part {
  readonly x: number;
  readonly shapes: readonly Shape[];
}
