import { quote } from "../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../base/format.ts";
import type { Interval } from "../metrics/block-bootstrap.ts";
import type {
  ChannelChoice,
  SalientChannels,
  SampleCurve,
  SamplePoint,
  StrengthPoint,
  StrengthSweep,
  SweepGround,
  SweptDivergence,
} from "./sweep-api.ts";

export type { ChannelChoice, SalientChannels, SampleCurve, StrengthSweep, SweepGround } from "./sweep-api.ts";

/** What a sweep comes to. */
export type SweepResult = StrengthSweep | SampleCurve | SalientChannels;
export type SweepKind = SweepResult["kind"];
export const SWEEP_KINDS = ["strengths", "samples", "salient"] as const satisfies readonly SweepKind[];

/** A result in two sentences: the answer, and what it stands on. */
export interface SweepWords {
  readonly strong: string;
  readonly plain: string;
}

/** `1, 2 and 3`. */
const LIST = new Intl.ListFormat("en-GB");
/** Below this a paired interval is as wide as most differences that one looks for. */
const FEW_WINDOWS = 8;

/** A figure over the same one of a reference; null where either is not finite, and where the reference is 0. */
export function relativeTo(figure: number | null, reference: number | null): number | null {
  return figure === null || reference === null || reference === 0 ? null : figure / reference;
}

/** The same of both ends of an interval. */
export function relativeInterval(interval: Interval | null, reference: number | null): Interval | null {
  if (interval === null || reference === null || reference === 0) return null;
  return { low: interval.low / reference, high: interval.high / reference };
}

/** What a strength comes to over what no smoothing comes to. */
export interface RelativeStrength {
  readonly kld: number | null;
  /** Of the strength's own divergence, the reference held fast. */
  readonly interval: Interval | null;
  readonly weights: number | null;
  readonly activations: number | null;
}

export function relativeStrength(own: StrengthPoint, { plain }: StrengthSweep): RelativeStrength {
  return {
    kld: relativeTo(own.kld, plain.kld),
    interval: relativeInterval(own.interval, plain.kld),
    weights: relativeTo(own.weights, plain.weights),
    activations: relativeTo(own.activations, plain.activations),
  };
}

/** What so many samples come to over what plain rounding comes to. */
export interface RelativeSamples {
  readonly kld: number | null;
  /** Of the point's own divergence, the reference held fast. */
  readonly interval: Interval | null;
  readonly outputError: number | null;
  /** On the samples themselves; the engine has it as a ratio. */
  readonly onSamples: number | null;
}

export function relativeSamples(own: SamplePoint, { plain }: SampleCurve): RelativeSamples {
  return {
    kld: relativeTo(own.kld, plain.kld),
    interval: relativeInterval(own.interval, plain.kld),
    outputError: relativeTo(own.outputError, plain.outputError),
    onSamples: own.calibrationRatio,
  };
}

/** Which strength to take, whether it is any better than none, and which others are as good. */
export function strengthWords(sweep: StrengthSweep): SweepWords {
  const { plain, points, best, windows } = sweep;
  if (best === null) return { strong: "No strength has a finite divergence to compare.", plain: "" };
  const kld = points.find(({ strength }) => strength === best.strength)?.kld ?? null;
  const share = relativeTo(kld, plain.kld);
  const mean = `mean KLD ${figure(kld)}${share === null ? "" : `, ${formatPercent(share)} of that without smoothing`}`;
  const ties = tieWords(sweep);
  const by = `by ${formatNumber(Math.abs(best.gain))} nats${rangeWords(best.interval)}`;
  switch (best.verdict) {
    case "wins":
      return { strong: `Strength ${best.strength} is least: ${mean}.`, plain: join(`Better than none ${by}.`, ties) };
    case "loses":
      return {
        strong: `Every strength is worse than none: the least, ${best.strength}, has ${mean}.`,
        plain: join(`It loses ${by}.`, ties),
      };
    case "open":
      return {
        strong:
          windows < 2
            ? "One window cannot tell any strength from no smoothing."
            : `No strength is known to be better than none on ${windowsWords(windows)}.`,
        plain: join(`Least at ${best.strength}: ${mean}.`, ties, fewWords(windows)),
      };
  }
}

/** Which other strengths the windows cannot tell from the best. */
function tieWords({ best, points, windows }: StrengthSweep): string {
  if (best === null || windows < 2) return "";
  const others = points.filter(({ strength, kld }) => strength !== best.strength && kld !== null).length;
  if (others === 0) return "";
  if (best.ties.length === 0) return "Every other strength is known to be worse.";
  const on = `on ${windowsWords(windows)}`;
  if (best.ties.length === others && others > 1) return `It cannot be told from any other strength ${on}.`;
  return `It cannot be told from ${LIST.format(best.ties.map(String))} ${on}.`;
}

/** What the layers would choose for themselves, and what that comes to as one recipe; null where nothing is known of it. */
export function layerStrengthWords({ layers, perLayer, points, best }: StrengthSweep): SweepWords | null {
  const wanted = layers.flatMap(({ strength }) => strength ?? []);
  if (perLayer === null || wanted.length === 0) return null;
  const [low, high] = [Math.min(...wanted), Math.max(...wanted)];
  const strong =
    low === high
      ? `By the errors of its own rounding every layer wants ${low}.`
      : `By the errors of their own rounding layers want ${low} to ${high}.`;
  const single = points.find(({ strength }) => strength === best?.strength);
  const whole = `As a recipe: mean KLD ${figure(perLayer.kld)}${rangeWords(perLayer.interval)}`;
  const isSame = single === undefined || single.recipe === perLayer.recipe;
  return { strong, plain: isSame ? `${whole}.` : `${whole}; ${single.strength} for all has ${figure(single.kld)}.` };
}

/** How many samples are enough, or that nothing can be said of it. */
export function sampleWords(curve: SampleCurve): SweepWords {
  const { plain, points, enough, windows } = curve;
  const [least, most] = [points[0], points.at(-1)];
  if (least === undefined || most === undefined) return { strong: "No number of samples was tried.", plain: "" };
  const at = ({ samples, kld }: SamplePoint) => `${figure(kld)} with ${formatCount(samples)}`;
  const shown = points.filter((own) => own === least || own === most || own.samples === enough);
  const means = `Mean KLD ${LIST.format(shown.map(at))}; ${figure(plain.kld)} by plain rounding.`;
  const end = join(means, learntWords(curve));
  const all = windowsWords(most.samples);
  if (least === most) return { strong: `${upper(all)} alone ${verb(most.samples)} no curve.`, plain: end };
  if (windows < 2) return { strong: "One window of text cannot tell numbers of samples apart.", plain: end };
  const on = `on ${windowsWords(windows)} of text`;
  if (enough === null) {
    return { strong: `No fewer than ${all} are known to be enough ${on}.`, plain: join(end, fewWords(windows)) };
  }
  // That a few windows see no difference does not make it none.
  const strong = isFew(curve)
    ? `Nothing tells ${windowsWords(enough)} from ${formatCount(most.samples)} ${on}.`
    : `${upper(windowsWords(enough))} ${enough === 1 ? "is" : "are"} enough: nothing tells ${enough === 1 ? "it" : "them"} from ${formatCount(most.samples)} ${on}.`;
  return { strong, plain: join(end, fewWords(windows)) };
}

/** Points whose error fell on the samples and rose on the text that the method has not seen. */
function learntWords(curve: SampleCurve): string {
  const learnt = curve.points.filter((own) => {
    const { outputError, onSamples } = relativeSamples(own, curve);
    return outputError !== null && onSamples !== null && outputError > 1 && onSamples < 1;
  });
  if (learnt.length === 0) return "";
  const named = LIST.format(learnt.map(({ samples }) => formatCount(samples)));
  return `With ${named} the error falls on the samples and rises on held-out text.`;
}

/**
 * Where the divergence with kept channels lies beside that with none, which is held fast: at 95 % by their paired difference, which
 * leaves out what the text does to both. Null where there is no such interval.
 */
export function besideNone({ rows }: SalientChannels, choice: ChannelChoice): Interval | null {
  const whole = rows.find((row) => row.choice === "none")?.kld ?? null;
  const gain = rows.find((row) => row.choice === choice)?.gain?.interval ?? null;
  return whole === null || gain === null ? null : { low: whole - gain.high, high: whole - gain.low };
}

/** What kept channels take from the divergence, the loudest first. */
export function salientWords(salient: SalientChannels): SweepWords {
  const { share, common, channels } = salient;
  if (channels.kept === 0) return { strong: "No channel is kept.", plain: "" };
  const end = common === null ? "" : `${formatPercent(common)} of the channels are chosen by both.`;
  return {
    strong: `The loudest ${shareWords(share)} of the input channels kept: ${keptWords(salient, "activations")}.`,
    plain: join(
      `The largest by weight: ${keptWords(salient, "weights")}.`,
      `Any: ${keptWords(salient, "random")}.`,
      end,
    ),
  };
}

/** What one choice does: `45.0 % of the divergence gone`, `the divergence grows by 3.00 %`, or that it cannot be told. */
export function keptWords({ rows, windows }: SalientChannels, choice: ChannelChoice): string {
  const whole = rows.find((row) => row.choice === "none")?.kld ?? null;
  const gain = rows.find((row) => row.choice === choice)?.gain ?? null;
  const share = relativeTo(gain?.value ?? null, whole);
  if (gain === null || share === null) return "no finite divergence to compare";
  if (gain.interval === null) {
    return `${changeWords(share)}, which one window cannot tell from nothing`;
  }
  if (gain.interval.low * gain.interval.high <= 0) return `no difference that ${windowsWords(windows)} can tell`;
  return changeWords(share);
}

/** `1 %`, `1.5 %`: as it was asked for. */
export function shareWords(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function changeWords(share: number): string {
  return share < 0
    ? `the divergence grows by ${formatPercent(-share)}`
    : `${formatPercent(share)} of the divergence gone`;
}

/** A mean KL divergence with its interval: `0.0123 nats, 95 % 0.0100 … 0.0150`. */
export function sweptWords({ kld, interval }: Pick<SweptDivergence, "kld" | "interval">): string {
  return kld === null ? "not finite" : `${figure(kld)} nats${rangeWords(interval)}`;
}

/** What the figures of a sweep stand on, and where they were made. */
export function sweepBasis({ positions, text, calibration, kernels }: SweepGround): string {
  const places = [
    ...new Set(
      kernels.map(({ device, adapter, fallback, choice }) => {
        const why = fallback ?? choice;
        return `${device} (${quote(adapter)})${why === null ? "" : `: ${why}`}`;
      }),
    ),
  ];
  const ran = places.length === 0 ? "" : `; kernels ran on ${places.join("; ")}`;
  return `Measured here over ${formatCount(positions)} positions of ${text}; calibrated on ${calibration.name}${ran}`;
}

function figure(value: number | null): string {
  return value === null ? "not finite" : formatNumber(value);
}

/** `, 95 % 0.0100 … 0.0150`; empty where there is none. */
function rangeWords(interval: Interval | null): string {
  return interval === null ? "" : `, 95 % ${formatNumber(interval.low)} … ${formatNumber(interval.high)}`;
}

function windowsWords(windows: number): string {
  return windows === 1 ? "one window" : `${formatCount(windows)} windows`;
}

/** Whether so few windows were measured that what they cannot tell apart may well differ. */
export function isFew({ windows }: Pick<SweepGround, "windows">): boolean {
  return windows < FEW_WINDOWS;
}

function fewWords(windows: number): string {
  return windows < 2 || !isFew({ windows }) ? "" : "So few tell little apart: more of them may.";
}

function verb(count: number): string {
  return count === 1 ? "makes" : "make";
}

function join(...sentences: readonly string[]): string {
  return sentences.filter(Boolean).join(" ");
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
