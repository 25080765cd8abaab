import type { RecipeLook } from "../parts/scheme-mark.ts";
import type { Caption } from "./chart.ts";

/**
 * How a scheme stands against the others. `line`: no file that is no larger errs less. `beaten`: one does. `tied`: as good as
 * one on the line. `waiting`: not measured yet. `unknown`: it has no finite error.
 */
export type FrontierPlace = "line" | "beaten" | "tied" | "waiting" | "unknown";

/** One scheme. */
export interface FrontierDot {
  /** What a press picks. */
  readonly key: string;
  /** Safe to show, any length. */
  readonly name: string;
  readonly look: RecipeLook;
  /** Of the whole file, per weight. */
  readonly bits: number;
  readonly bytes: number;
  /** Null until it is measured, or where it is not finite. */
  readonly error: number | null;
  readonly place: FrontierPlace;
  /** More is to be measured: its error and place hold so far. */
  readonly isPartial: boolean;
  readonly isSelected: boolean;
  /** It cannot be exported: a cross stands at its size. */
  readonly hasFailed: boolean;
  /** What is spoken and shown. */
  readonly sentence: string;
  /** Against the others, for the table. */
  readonly verdict: string;
  /** A second line below its name where there is room, or empty. */
  readonly note: string;
}

/** Schemes by size and error. */
export interface FrontierData {
  /** In the order of the table twin. */
  readonly points: readonly FrontierDot[];
  /** The checkpoint as it came; it has no error. */
  readonly original: { readonly bits: number; readonly bytes: number } | null;
  readonly caption: Caption;
}

/** A scheme with an error, and where it lies in the picture. */
export interface PlacedDot {
  readonly dot: FrontierDot;
  readonly x: number;
  readonly y: number;
}

/** The part of a picture that is drawn into. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Whether it is drawn as a dot, not as a column that has no height yet. */
export function hasHeight(dot: FrontierDot): dot is FrontierDot & { readonly error: number } {
  return (
    dot.error !== null && !dot.hasFailed && (dot.place === "line" || dot.place === "beaten" || dot.place === "tied")
  );
}

/** In reading order: by size, the larger error first. */
export function readingOrder(dots: readonly FrontierDot[]): readonly FrontierDot[] {
  return [...dots].sort((a, b) => a.bits - b.bits || (b.error ?? 0) - (a.error ?? 0));
}
