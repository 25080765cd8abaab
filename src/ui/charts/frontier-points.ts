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
  /** Where its error lies at 95 %, drawn as a whisker; null where that is not known. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** What 99 % of what it is the mean of do not pass, drawn as a cap above; null where that is not known. */
  readonly cap: number | null;
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

/** What errors are, on the axis and in the table. */
export interface FrontierMeasure {
  readonly name: string;
  readonly unit: string;
  /** Beside the row of those that have none. */
  readonly none: string;
  /** The columns of whisker and cap, where dots may have them. */
  readonly hasSpread: boolean;
}

/** Schemes by size and error. */
export interface FrontierData {
  /** In the order of the table twin. */
  readonly points: readonly FrontierDot[];
  /** The checkpoint as it came; it has no error. */
  readonly original: { readonly bits: number; readonly bytes: number } | null;
  readonly measure: FrontierMeasure;
  /** An error that is there without any scheme: a line across. Null where there is none. */
  readonly floor: { readonly error: number; readonly words: string; readonly sentence: string } | null;
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

/** A whisker is drawn down to a tenth of its middle at most: what may be nothing has no place on a logarithmic axis. */
const LOWEST_SHARE = 0.1;

/** What of a dot has a height: its error first, then the ends of its whisker and its cap. */
export function heightsOf({ error, interval, cap }: FrontierDot & { readonly error: number }): readonly number[] {
  if (error <= 0) return [error];
  const low = interval === null ? [] : [Math.max(interval.low, error * LOWEST_SHARE), interval.high];
  return [error, ...low, ...(cap !== null && cap > error ? [cap] : [])];
}

/** In reading order: by size, the larger error first. */
export function readingOrder(dots: readonly FrontierDot[]): readonly FrontierDot[] {
  return [...dots].sort((a, b) => a.bits - b.bits || (b.error ?? 0) - (a.error ?? 0));
}
