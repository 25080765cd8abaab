import type { Interval } from "../metrics/block-bootstrap.ts";
import type { DiagnosisRequest } from "./diagnosis-api.ts";
import type { KernelReport } from "./result.ts";

/** How far a recipe is from the original on the text of a sweep, in nats a position. */
export interface SweptDivergence {
  /** As it is written, its method in it. */
  readonly recipe: string;
  /** Mean KL divergence; null where a position is not finite, or none is scored. */
  readonly kld: number | null;
  /** At 95 %, by resampling whole windows; null below two windows. */
  readonly interval: Interval | null;
}

/** What every sweep says of what it ran on. */
export interface SweepGround {
  /** The recipe that was asked for. */
  readonly scheme: string;
  /** The text that divergences are of, and how many positions of it are scored. */
  readonly text: string;
  readonly windows: number;
  readonly positions: number;
  /** The text that methods were calibrated on. */
  readonly calibration: { readonly name: string; readonly hash: string; readonly windows: number };
  readonly kernels: readonly KernelReport[];
  readonly elapsedMs: number;
}

/** A sweep over SmoothQuant's strength. */
export interface StrengthRequest extends DiagnosisRequest {
  /** From 0 to 1, with at most six digits after the point; absent: 0, 0.1, … 1. */
  readonly strengths?: readonly number[];
}

/** What rounding takes from one matrix and from what goes into it. */
export interface RoundingErrors {
  /** Σ(W − Q(W))² / ΣW² of the smoothed weights; null where they are not rounded, and where it is not finite. */
  readonly weights: number | null;
  /** Σ(x − Q(x))² / Σx² over the text, x of the smoothed model with nothing rounded before; null likewise. */
  readonly activations: number | null;
}

export interface StrengthMatrix extends RoundingErrors {
  /** Safe to print. */
  readonly module: string;
  /** Decoder layer. */
  readonly layer: number;
  /** Whether SmoothQuant scales its columns. */
  readonly isSmoothed: boolean;
}

/** Means over the smoothed matrices of a decoder layer. */
export interface StrengthLayer extends RoundingErrors {
  readonly layer: number;
  /**
   * Both together, which to first order is what they add to the outputs; null where a part of it is not finite, and where nothing
   * is rounded.
   */
  readonly sum: number | null;
}

/** A strength, and what comes of it; the errors are means over all smoothed matrices. */
export interface StrengthPoint extends SweptDivergence, RoundingErrors {
  /** Null: no smoothing. */
  readonly strength: number | null;
  readonly matrices: readonly StrengthMatrix[];
  /** Layers with smoothed matrices, in order. */
  readonly layers: readonly StrengthLayer[];
}

/** How strongly activations' range should move into the weights. */
export interface StrengthSweep extends SweepGround {
  readonly kind: "strengths";
  /** The same recipe without SmoothQuant. */
  readonly plain: StrengthPoint;
  /** From the lowest strength to the highest. */
  readonly points: readonly StrengthPoint[];
  /** The least mean KL divergence; null where none is finite. */
  readonly best: {
    readonly strength: number;
    /** Other strengths whose difference from it the windows cannot tell from 0. */
    readonly ties: readonly number[];
    /** The divergence without smoothing less that of the best strength: below 0 smoothing loses at every strength. */
    readonly gain: number;
    readonly interval: Interval | null;
    readonly verdict: "wins" | "loses" | "open";
  } | null;
  /** Of each layer with smoothed matrices, the strength with the least sum of both errors; null where none is finite. */
  readonly layers: readonly { readonly layer: number; readonly strength: number | null }[];
  /** The recipe with those, measured as the others are; null where no layer has any. */
  readonly perLayer: SweptDivergence | null;
}

/** A sweep over the length of the calibration text. */
export interface SampleRequest extends DiagnosisRequest {
  /** Numbers of windows, of the first of the calibration text; absent: 8, 16, 32, … and all, 512 at most. */
  readonly counts?: readonly number[];
}

/** What a method comes to with so many windows. */
export interface SamplePoint extends SweptDivergence {
  readonly samples: number;
  readonly tokens: number;
  /**
   * Mean over the decoder layers of the error that a layer adds to the residual stream on the held-out text, fed by the
   * original: Σ(x − x̂)² / Σx². Null where it is not finite.
   */
  readonly outputError: number | null;
  /** The same of each layer. */
  readonly layers: readonly (number | null)[];
  /**
   * Error of the matrices' outputs on the calibration text itself, over that of plain rounding there: far below what the held-out
   * text says, the method has learnt its samples by heart. Null for methods that have none.
   */
  readonly calibrationRatio: number | null;
  /** Its divergence less that of the most samples; null for the most, and where it is not finite. */
  readonly excess: { readonly value: number; readonly interval: Interval | null } | null;
  /** Of the method alone. */
  readonly methodMs: number;
}

/** How many calibration samples are enough. */
export interface SampleCurve extends SweepGround {
  readonly kind: "samples";
  /** The recipe rounded plainly, which takes no samples. */
  readonly plain: SweptDivergence & Pick<SamplePoint, "outputError" | "layers">;
  readonly points: readonly SamplePoint[];
  /**
   * The fewest samples whose excess the windows cannot tell from 0, or that have none; null where that takes the most, and where
   * a single window has no interval.
   */
  readonly enough: number | null;
}

/** A look at what a few input channels are worth. */
export interface SalientRequest extends DiagnosisRequest {
  /** Of the input channels of each matrix, rounded up to whole channels; from 0 to 1, default 0.01. */
  readonly share?: number;
  /** Of the random choice; default 0. */
  readonly seed?: number;
}

/** By what channels are chosen. */
export type ChannelChoice = "none" | "activations" | "weights" | "random";

/**
 * Mean KL divergence where the columns of some input channels keep the original's weights: the loudest by mean |x| on the
 * calibration text, the largest by ‖column‖ of the weights, or any.
 * Source of the question: Lin et al., AWQ (2024), section 3.1 and table 1.
 */
export interface SalientChannels extends SweepGround {
  readonly kind: "salient";
  readonly share: number;
  readonly seed: number;
  /** `scheme` rounded plainly, whatever its method: what the rows keep columns of. */
  readonly recipe: string;
  /** Matrices whose columns are kept, and those for which nobody knows what goes into them. */
  readonly matrices: number;
  readonly leftOut: number;
  /** Kept channels, and all of them, over those matrices. */
  readonly channels: { readonly kept: number; readonly all: number };
  /** Share of the channels that both the activations and the weights choose; null where none is kept. */
  readonly common: number | null;
  readonly rows: readonly (Omit<SweptDivergence, "recipe"> & {
    readonly choice: ChannelChoice;
    /** Divergence with nothing kept less this one's, and its interval; null for the first row, and where it is not finite. */
    readonly gain: { readonly value: number; readonly interval: Interval | null } | null;
  })[];
}
