import { formatNumber, formatPercent } from "../../base/format.ts";
import type { MethodShape } from "../parts/scheme-mark.ts";
import { type Caption, type Chart, type ChartCell, type ChartSize, type Drawing, figure, words } from "./chart.ts";
import { drawSweepCurves, type SweepCurve } from "./sweep-curves.ts";
import type { ChartTheme } from "./theme.ts";

/** A range of a figure. */
export interface SweepRange {
  readonly low: number;
  readonly high: number;
}

/** What a strength comes to; null where a figure has no value. */
export interface SweepStrength {
  /** Null: no smoothing. */
  readonly strength: number | null;
  /** Mean KL divergence in nats, at 95 %. */
  readonly kld: number | null;
  readonly interval: SweepRange | null;
  /** Mean errors of rounding as shares of squares. */
  readonly weights: number | null;
  readonly activations: number | null;
  /** All of it over the same without smoothing. */
  readonly relative: {
    readonly kld: number | null;
    readonly interval: SweepRange | null;
    readonly weights: number | null;
    readonly activations: number | null;
  };
}

/** Strengths of SmoothQuant beside each other. */
export interface SweepStrengthData {
  readonly plain: SweepStrength;
  /** From the lowest strength on. */
  readonly points: readonly SweepStrength[];
  /** The least divergence; null where none is finite. */
  readonly best: number | null;
  /** Strengths that cannot be told from it. */
  readonly ties: readonly number[];
  readonly family: string;
  readonly shape: MethodShape | null;
  readonly isHollow: boolean;
  readonly caption: Caption;
}

/** Divergence and errors of rounding over the strength, each as a share of what they are without smoothing. */
export const sweepStrengthChart: Chart<SweepStrengthData> = {
  name: "smoothquant-strength",
  draw: drawSweepStrength,
  caption: (data) => data.caption,
  table: (data) => ({
    columns: [
      { name: "strength", unit: "" },
      { name: "mean KLD", unit: "nats" },
      { name: "95 %, low", unit: "nats" },
      { name: "95 %, high", unit: "nats" },
      { name: "of that without", unit: "%" },
      { name: "error of weights", unit: "% of squares" },
      { name: "error of activations", unit: "% of squares" },
      { name: "", unit: "" },
    ],
    rows: [data.plain, ...data.points].map((own) => rowOf(own, data)),
  }),
};

function rowOf(own: SweepStrength, { best, ties }: SweepStrengthData): readonly ChartCell[] {
  const { strength, kld, interval, weights, activations, relative } = own;
  const standing =
    strength === null ? "" : strength === best ? "least" : ties.includes(strength) ? "not told from the least" : "";
  return [
    strength === null ? words("none") : figure(strength, String),
    figure(kld, formatNumber),
    figure(interval?.low, formatNumber),
    figure(interval?.high, formatNumber),
    ...[relative.kld, weights, activations].map((share) => figure(share === null ? null : share * 100, formatNumber)),
    words(standing),
  ];
}

/** Lays out three curves over the strength. */
export function drawSweepStrength(data: SweepStrengthData, size: ChartSize, theme: ChartTheme): Drawing {
  const { points, best, ties, family, shape, isHollow } = data;
  const curves = [divergences(points), errors(points, "weights"), errors(points, "activations")];
  const ticks = points.flatMap(({ strength }) => (strength === null ? [] : [{ at: strength, text: String(strength) }]));
  const plan = {
    ...{ curves, family, shape, isHollow },
    x: { isLog: false, ticks, title: "strength: exponent of the activations" },
    reference: "no smoothing",
    chosen: best === null ? null : { at: best, word: "least" },
    like: { at: ties, words: "not told from the least" },
  };
  return drawSweepCurves(plan, size, theme);
}

function divergences(points: readonly SweepStrength[]): SweepCurve {
  return {
    name: "mean KLD",
    look: "main",
    points: points.map(({ strength, kld, interval, relative }) => ({
      ...{ at: strength ?? 0, value: relative.kld },
      ...{ low: relative.interval?.low ?? null, high: relative.interval?.high ?? null },
      sentence: `strength ${strength}: mean KLD ${formatNumber(kld ?? Number.NaN)} nats${
        interval === null ? "" : `, 95 % ${formatNumber(interval.low)} … ${formatNumber(interval.high)}`
      }, ${shareWords(relative.kld)}`,
    })),
  };
}

function errors(points: readonly SweepStrength[], of: "weights" | "activations"): SweepCurve {
  return {
    name: `error of ${of}`,
    look: of === "weights" ? "whole" : "broken",
    points: points.map((own) => ({
      ...{ at: own.strength ?? 0, value: own.relative[of], low: null, high: null },
      sentence: `strength ${own.strength}: rounding takes ${formatPercent(own[of] ?? Number.NaN)} of the ${of}, ${shareWords(own.relative[of])}`,
    })),
  };
}

function shareWords(share: number | null): string {
  return share === null ? "no share of that without smoothing" : `${formatPercent(share)} of that without smoothing`;
}
