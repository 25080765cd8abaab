import type { TaskItem } from "../formats/tasks/task-file.ts";
import type { Interval } from "../metrics/block-bootstrap.ts";
import type { KernelReport } from "./result.ts";
import type { RunRules } from "./roundings.ts";
import type { PreparedText } from "./text-api.ts";

/** One recipe over some windows of token ids. */
export interface DiagnosisRequest extends RunRules {
  /** A recipe, as in `CompareRequest`. */
  readonly scheme: string;
  readonly text: PreparedText;
}

/** Error of the residual stream after a decoder layer: Σ(x − x̂)² / Σx² over all tokens. */
export interface LayerError {
  /** Null where it is not finite. */
  readonly relative: number | null;
  /** −10·log₁₀ of it; null for none at all, and where it is not finite. */
  readonly signalToNoiseDb: number | null;
}

/** How error grows along depth. */
export interface DepthResult {
  readonly kind: "depth";
  readonly scheme: string;
  /** What is rounded, in the words of `activationWords` and `kvCacheWords`; weights first. */
  readonly rounded: readonly string[];
  readonly windows: number;
  readonly tokens: number;
  readonly layers: readonly {
    readonly layer: number;
    /** The layer was fed what the quantized layers before it made. */
    readonly inherited: LayerError;
    /** The layer was fed what the original made. */
    readonly fresh: LayerError;
  }[];
  readonly kernels: readonly KernelReport[];
}

/** A token that may come next. */
export interface NextToken {
  readonly id: number;
  /** Probability by the original, and by the variant. */
  readonly p: number;
  readonly q: number;
}

/** The most likely next tokens at one position, by the original and by the variant; most likely first. */
export interface TokenLook {
  readonly kind: "token";
  readonly scheme: string;
  /** Place of the window in the text, and of the position in it: its successor is what is predicted. */
  readonly window: number;
  readonly position: number;
  /** What came next in the text; null at the end of the window. */
  readonly next: NextToken | null;
  readonly original: readonly NextToken[];
  readonly variant: readonly NextToken[];
  /** Nats, over the whole vocabulary. */
  readonly kld: number;
}

/** What is put back together when it is found out what heals. */
export type HealUnit = "layer" | "kind";

/** Positions of which the mean KL divergence is healed. */
export interface HealRequest extends DiagnosisRequest {
  readonly unit: HealUnit;
  /** One position of one window, or the scored positions of a slice of the text; null: those of all of it. */
  readonly at: { readonly window: number; readonly position: number } | { readonly slice: string } | null;
}

/** What comes of putting one part of the original back. */
export interface HealedPart {
  /** `3`, or `self_attn.q_proj`. */
  readonly name: string;
  /** Its modules that the recipe changes. */
  readonly modules: readonly string[];
  /** Mean KL divergence with it put back, in nats; null where it is not finite. */
  readonly kld: number | null;
  /** How much of the divergence is gone: (whole − healed) / whole; negative where it grew. Null where there was none. */
  readonly recovered: number | null;
}

/** Which parts heal, those that heal most first. */
export interface HealResult {
  readonly kind: "heal";
  readonly scheme: string;
  readonly unit: HealUnit;
  readonly at: HealRequest["at"];
  readonly positions: number;
  /** Mean KL divergence with nothing put back, in nats. */
  readonly kld: number | null;
  /** The same with everything put back: 0. */
  readonly healed: number | null;
  readonly parts: readonly HealedPart[];
  readonly outcome: "done" | "partial";
  readonly kernels: readonly KernelReport[];
}

export interface GenerationRequest extends RunRules {
  readonly schemes: readonly string[];
  /** Its windows' first halves are the prompts. */
  readonly text: PreparedText;
  /** Tokens that the original goes on by, at most. */
  readonly tokens: number;
}

/** How long a variant says the same as the original when both always take the most likely token. */
export interface GenerationRow {
  readonly scheme: string;
  /** Tokens until they differ, prompt by prompt; null: not within the tokens that were made. */
  readonly firstDifference: readonly (number | null)[];
  /** Prompts that never differed. */
  readonly same: number;
  /** Median tokens until they differ; null where half of the prompts or more never differ. */
  readonly median: number | null;
  /**
   * Of the median, at 95 %, by the order of the prompts; an end that lies beyond what was made is null. From 0 to null below
   * six prompts, which say nothing of it.
   */
  readonly interval: { readonly low: number | null; readonly high: number | null };
}

export interface GenerationResult {
  readonly kind: "generation";
  readonly prompts: number;
  /** Of the longest prompt. */
  readonly promptTokens: number;
  readonly tokens: number;
  readonly rows: readonly GenerationRow[];
  readonly kernels: readonly KernelReport[];
}

export interface TaskRequest extends RunRules {
  readonly schemes: readonly string[];
  readonly tasks: { readonly name: string; readonly hash: string; readonly items: readonly TaskItem[] };
}

/** How often a model gave the right choice the largest likelihood. */
export interface TaskRow {
  readonly scheme: string;
  readonly accuracy: number;
  /** accuracy − the original's, with a 95 % interval of the paired difference; null below two items. */
  readonly difference: number;
  readonly interval: Interval | null;
  /** Items that only the original, and that only this model answers right. */
  readonly lost: number;
  readonly won: number;
}

export interface TaskResult {
  readonly kind: "tasks";
  readonly name: string;
  readonly items: number;
  /** Share that guessing would answer right. */
  readonly chance: number;
  readonly original: number;
  readonly rows: readonly TaskRow[];
  /** Says what so few items can tell. */
  readonly evidence: string;
  readonly kernels: readonly KernelReport[];
}

/** Activations that went into one linear layer of the original. */
export interface LayerActivations {
  readonly module: string;
  readonly channels: number;
  /** Of all entries. */
  readonly absMax: number;
  readonly min: number;
  readonly max: number;
  readonly meanAbs: number;
  readonly meanSquare: number;
  /** E[(x − mean)⁴] / variance²: 3 for a normal distribution; null where the variance is 0. */
  readonly kurtosis: number | null;
  /** Channels whose largest magnitude is at least eight times the median channel's, loudest first. */
  readonly outliers: readonly { readonly channel: number; readonly absMax: number; readonly ratio: number }[];
  /** Largest magnitude of each channel, in their order. */
  readonly channelAbsMax: Float64Array<ArrayBuffer>;
}

/** What went into every linear layer of the original, over a text. */
export interface ActivationReport {
  readonly kind: "activations";
  readonly model: string;
  readonly modelHash: string;
  readonly text: string;
  readonly textHash: string;
  readonly tokens: number;
  readonly layers: readonly LayerActivations[];
  /** Measured here, or read from a file. */
  readonly origin: "measured" | "file";
  readonly kernels: readonly KernelReport[];
}

/** What an importance matrix of llama.cpp says of the input of one linear layer: sums of squares alone. */
export interface LayerImportance {
  readonly module: string;
  readonly channels: number;
  /** Rows that were counted, at least 1. */
  readonly rows: number;
  /** Mean of x² over all rows and channels. */
  readonly meanSquare: number;
  /** Channels whose root mean square is at least eight times the median channel's, loudest first. */
  readonly outliers: readonly { readonly channel: number; readonly ratio: number }[];
  /** Mean of x² of each channel, in their order. */
  readonly channelMeanSquare: Float64Array<ArrayBuffer>;
}

/** An importance matrix of llama.cpp that fits the open model. Such files do not say of which weights they are. */
export interface ImportanceReport {
  readonly kind: "importance";
  /** Names of the texts that it was collected on. */
  readonly datasets: readonly string[];
  readonly chunks: { readonly count: number; readonly sizeTokens: number } | null;
  readonly layers: readonly LayerImportance[];
  /** Linear layers of which it says nothing: none of its rows went through them. */
  readonly missing: readonly string[];
}

/** Largest magnitudes of tokens by channels, in cells. */
export interface ActivationStrip {
  readonly module: string;
  readonly window: number;
  readonly tokens: number;
  readonly channels: number;
  /** Neighbouring channels of a cell. */
  readonly channelsPerCell: number;
  /** [tokens, cells], the largest |x| in each. */
  readonly values: Float32Array<ArrayBuffer>;
}
