import { formatCount, formatDuration, formatNumber, formatPercent } from "../../base/format.ts";
import type { MethodShape } from "../parts/scheme-mark.ts";
import { type Caption, type Chart, type ChartSize, type Drawing, figure, words } from "./chart.ts";
import { drawSweepCurves, type SweepCurve } from "./sweep-curves.ts";
import type { SweepRange } from "./sweep-strength.ts";
import type { ChartTheme } from "./theme.ts";

/** What a method comes to with so many windows; null where a figure has no value. */
export interface SweepSamples {
  readonly samples: number;
  /** Mean KL divergence in nats, at 95 %. */
  readonly kld: number | null;
  readonly interval: SweepRange | null;
  /** That less the divergence with the most samples. */
  readonly excess: { readonly value: number; readonly interval: SweepRange | null } | null;
  /** Mean error that a layer adds on held-out text, as a share of the stream's power. */
  readonly outputError: number | null;
  /** Of the method alone, milliseconds. */
  readonly methodMs: number;
  /** Over the same by plain rounding; `onSamples`: error of outputs on the samples themselves. */
  readonly relative: {
    readonly kld: number | null;
    readonly interval: SweepRange | null;
    readonly outputError: number | null;
    readonly onSamples: number | null;
  };
}

/** Numbers of calibration samples beside each other. */
export interface SweepSamplesData {
  /** Rounded plainly, which takes none. */
  readonly plain: Pick<SweepSamples, "kld" | "interval" | "outputError">;
  /** From the fewest on. */
  readonly points: readonly SweepSamples[];
  /** The fewest that are known to be enough. */
  readonly enough: number | null;
  /** Its word in the picture. */
  readonly enoughWord: string;
  readonly family: string;
  readonly shape: MethodShape | null;
  readonly isHollow: boolean;
  readonly caption: Caption;
}

const LIKE = "not told from the most";

/** Divergence and errors over the number of calibration samples, each as a share of plain rounding's. */
export const sweepSamplesChart: Chart<SweepSamplesData> = {
  name: "calibration-samples",
  draw: drawSweepSamples,
  caption: (data) => data.caption,
  table: ({ plain, points, enough, enoughWord }) => ({
    columns: [
      { name: "samples", unit: "windows" },
      { name: "mean KLD", unit: "nats" },
      { name: "95 %, low", unit: "nats" },
      { name: "95 %, high", unit: "nats" },
      { name: "above the most", unit: "nats" },
      { name: "held-out error", unit: "% of power" },
      { name: "error on its samples", unit: "% of plain's" },
      { name: "time of the method", unit: "" },
      { name: "", unit: "" },
    ],
    rows: [
      [
        words("none"),
        ...divergenceCells(plain),
        figure(null, formatNumber),
        percentCell(plain.outputError),
        figure(null, formatNumber),
        figure(null, formatNumber),
        words("plain rounding"),
      ],
      ...points.map((own) => [
        figure(own.samples, formatCount),
        ...divergenceCells(own),
        figure(own.excess?.value, formatNumber),
        percentCell(own.outputError),
        percentCell(own.relative.onSamples),
        figure(own.methodMs, formatDuration),
        words(own.samples === enough ? enoughWord : isLike(own) ? LIKE : ""),
      ]),
    ],
  }),
};

function divergenceCells({ kld, interval }: Pick<SweepSamples, "kld" | "interval">) {
  return [figure(kld, formatNumber), figure(interval?.low, formatNumber), figure(interval?.high, formatNumber)];
}

function percentCell(share: number | null) {
  return figure(share === null ? null : share * 100, formatNumber);
}

/** Whether the windows cannot tell so many samples from the most. */
function isLike({ excess }: SweepSamples): boolean {
  return excess?.interval != null && excess.interval.low <= 0;
}

/** Lays out three curves over the number of samples, log. */
export function drawSweepSamples(data: SweepSamplesData, size: ChartSize, theme: ChartTheme): Drawing {
  const { points, enough, enoughWord, family, shape, isHollow } = data;
  const plan = {
    ...{ family, shape, isHollow },
    curves: [divergences(points), heldOut(points), onSamples(points)],
    x: {
      isLog: true,
      ticks: points.map(({ samples }) => ({ at: samples, text: formatCount(samples) })),
      title: "windows of calibration text · log scale",
    },
    reference: "plain rounding",
    chosen: enough === null ? null : { at: enough, word: enoughWord },
    like: { at: points.filter(isLike).map(({ samples }) => samples), words: LIKE },
  };
  return drawSweepCurves(plan, size, theme);
}

function divergences(points: readonly SweepSamples[]): SweepCurve {
  return {
    name: "mean KLD",
    look: "main",
    points: points.map(({ samples, kld, interval, relative }) => ({
      ...{ at: samples, value: relative.kld },
      ...{ low: relative.interval?.low ?? null, high: relative.interval?.high ?? null },
      sentence: `${windowsWords(samples)}: mean KLD ${formatNumber(kld ?? Number.NaN)} nats${
        interval === null ? "" : `, 95 % ${formatNumber(interval.low)} … ${formatNumber(interval.high)}`
      }, ${shareWords(relative.kld)}`,
    })),
  };
}

function heldOut(points: readonly SweepSamples[]): SweepCurve {
  return {
    name: "held-out error",
    look: "whole",
    points: points.map(({ samples, outputError, relative }) => ({
      ...{ at: samples, value: relative.outputError, low: null, high: null },
      sentence: `${windowsWords(samples)}: a layer adds ${formatPercent(outputError ?? Number.NaN)} of the power on held-out text, ${shareWords(relative.outputError)}`,
    })),
  };
}

function onSamples(points: readonly SweepSamples[]): SweepCurve {
  return {
    name: "error on its samples",
    look: "broken",
    points: points.map(({ samples, relative }) => ({
      ...{ at: samples, value: relative.onSamples, low: null, high: null },
      sentence: `${windowsWords(samples)}: error of the outputs on these samples ${shareWords(relative.onSamples)}`,
    })),
  };
}

function windowsWords(samples: number): string {
  return `${formatCount(samples)} ${samples === 1 ? "window" : "windows"}`;
}

function shareWords(share: number | null): string {
  return share === null ? "no share of plain rounding's" : `${formatPercent(share)} of plain rounding's`;
}
