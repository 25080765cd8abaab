import type { LabErrorData } from "../base/errors.ts";
import type { Quantity } from "../base/quantity.ts";
import type { BootstrapFigure, Interval } from "../metrics/block-bootstrap.ts";
import type { KlStatistics } from "../metrics/kl-statistics.ts";
import type { SliceDivergence } from "../metrics/slices.ts";
import type { TokenScores } from "../metrics/token-scores.ts";
import type { Verdict } from "../metrics/verdict.ts";
import type { MethodReport } from "./methods/method-report.ts";

export type { Finding } from "../formats/text/doctor.ts";

import type { Finding } from "../formats/text/doctor.ts";
import type { ArithmeticName, KernelReport, ModelSummary, Notice } from "./result.ts";
import type { Roundings } from "./roundings.ts";

export type { BootstrapFigure, Interval } from "../metrics/block-bootstrap.ts";
export type { KlStatistics, UncertainValue } from "../metrics/kl-statistics.ts";
export type { SliceDivergence } from "../metrics/slices.ts";
export type { TokenScores } from "../metrics/token-scores.ts";
export type { Verdict } from "../metrics/verdict.ts";

/** The text that models are compared on. */
export interface MeasuredText {
  /** What it is, for people. */
  readonly name: string;
  /** Names its windows: SHA-256 over theirs. */
  readonly hash: string;
  /** What made the ids, for people. */
  readonly tokenizer: string;
  /** What the doctor found in the windows. */
  readonly findings: readonly Finding[];
  /** Windows in all, and those that are measured so far. */
  readonly windows: number;
  readonly doneWindows: number;
  /** Windows among them that were measured before, by an earlier job on the same device. */
  readonly knownWindows: number;
  /** Tokens of the longest window. */
  readonly context: number;
  /** Positions that are scored in all windows: each window's second half. */
  readonly positions: number;
}

/** How far a variant is from the original, on the positions scored so far. */
export interface Divergence extends KlStatistics {
  /** Arithmetic of the forward pass, as `measure.py` of the conformance kit names it. */
  readonly dtype: "float32" | "bfloat16";
  /** What the forward pass rounds besides weights, in `measure.py`'s words. */
  readonly activationQuantization: readonly string[];
  /** At 95 %, by resampling whole windows; null below two windows, and where a position is not finite. */
  readonly intervals: Readonly<Record<BootstrapFigure, Interval | null>>;
  /** Positions that are not finite: none in a sound model. */
  readonly notFinite: number;
  /** Parts of the positions: by slice of the text, late in a window, before rare tokens. */
  readonly slices: readonly SliceDivergence[];
}

/** A recipe as it is served: rounded by vLLM's rule where the tool simulates another. */
export interface ServedDivergence {
  /** Null until a position is scored. */
  readonly divergence: Divergence | null;
  /** Mean KL divergence served − simulated, in nats, and its interval at 95 % over the same windows; null as `divergence`. */
  readonly difference: { readonly value: number; readonly interval: Interval | null } | null;
  /** How sure the lab is of that rule. */
  readonly evidence: string;
}

/** What a method buys over plain rounding, or a calibrated pruning over one by magnitude, on the same windows. */
export interface MethodGain {
  /** The plain recipe, a row of its own. */
  readonly against: string;
  /** Mean KL divergence of the plain one less this one's, in nats: below 0 the method loses. */
  readonly difference: number;
  /** At 95 %, by resampling whole windows for both alike. */
  readonly interval: Interval | null;
  /** The difference as a share of the plain one's divergence; null where that is 0. */
  readonly recovered: number | null;
  /** What the interval says: `wins` and `loses` where it lies on one side of 0. */
  readonly verdict: "wins" | "loses" | "open";
}

/** One model beside the original. */
export interface MeasureRow {
  /** The recipe as it is written, or the name of the checkpoint that was given. */
  readonly scheme: string;
  /** How the values were chosen: `rtn`, plain rounding; a method as `parseMethod` reads it; `given` for a checkpoint. */
  readonly method: string;
  /** As in `SchemeResult`; null for a checkpoint. */
  readonly methodRun: MethodReport | null;
  /** What the method buys; null where the row has none, its plain twin is no row, or nothing is scored yet. */
  readonly gain: MethodGain | null;
  readonly arithmetic: ArithmeticName;
  /** Bytes of the `.safetensors` files that export writes. */
  readonly bytes: Quantity;
  readonly bitsPerWeight: Quantity;
  /** Activations are rounded too when such a model is served. */
  readonly roundsActivations: boolean;
  /** Null until a position is scored. */
  readonly divergence: Divergence | null;
  /** The same with activations rounded as vLLM's kernel rounds them; null where that was not asked for or is no other. */
  readonly served: ServedDivergence | null;
  readonly notices: readonly Notice[];
  /** The recipe cannot be exported as it is; the figures are of the matrices that it can take. */
  readonly error?: LabErrorData;
}

/** What a measurement says; also what a running one hands out while it grows. */
export interface MeasureResult {
  readonly schemaVersion: number;
  readonly kind: "measure";
  readonly outcome: "done" | "partial";
  readonly finished: boolean;
  readonly model: ModelSummary;
  readonly arithmetic: ArithmeticName;
  readonly ignore: readonly string[];
  readonly roundings: Roundings;
  /** The text that static ranges were taken from, or null. */
  readonly calibration: { readonly name: string; readonly hash: string; readonly windows: number } | null;
  readonly text: MeasuredText;
  readonly rows: readonly MeasureRow[];
  /** The original itself with every result rounded to bf16, as a server computes: differences below it say nothing. */
  readonly noiseFloor: { readonly dtype: "bf16"; readonly divergence: Divergence | null };
  /** Which rows differ for good, their numbers those of `rows`; null until a position is scored. */
  readonly verdict: Verdict | null;
  readonly kernels: readonly KernelReport[];
  readonly elapsedMs: number;
}

/** Every scored position of a measurement, as far as it has come: the same places for all rows. */
export interface MeasuredTokens {
  readonly doneWindows: number;
  /** Of each scored position, the window that it lies in and its place there: the token at place + 1 is what is predicted. */
  readonly windows: Uint32Array<ArrayBuffer>;
  readonly places: Uint32Array<ArrayBuffer>;
  /** In the order of the result's rows. */
  readonly rows: readonly { readonly scheme: string; readonly scores: TokenScores }[];
}
