import type { LabErrorData } from "../base/errors.ts";
import type { Quantity } from "../base/quantity.ts";
import type { DeviceKind } from "../device/device.ts";
import type { FitResult } from "../planner/fit.ts";
import type { MethodReport } from "./methods/method-report.ts";

export type { FitResult } from "../planner/fit.ts";

/** Version of every JSON document that the lab prints. Raised when a field changes its meaning or goes away. */
export const SCHEMA_VERSION = 1;

/** The rounding rule of a result: torch's on a CPU, or the Triton kernel's on CUDA. */
export type ArithmeticName = "eager" | "triton";

/** Something about a checkpoint that its user should know before trusting a number. */
export interface Notice {
  readonly code: string;
  readonly severity: "info" | "warning";
  readonly text: string;
}

/** What one token keeps in the KV cache: `layers` × (key + value) × `kvHeads` × `headDim` elements. */
export interface KvCacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Bytes of one element; 2 for bf16 and f16. */
  readonly elementBytes: number;
}

/** What a checkpoint is, from its headers alone. */
export interface ModelSummary {
  readonly name: string;
  /** Weights in all tensors. */
  readonly parameters: Quantity;
  /** Bytes of all `.safetensors` files, headers included. */
  readonly fileBytes: Quantity;
  /** Bytes of all tensors, without file headers. */
  readonly tensorBytes: Quantity;
  /** Bits of those files per weight. */
  readonly bitsPerWeight: Quantity;
  /** Element types and how many weights have each, most first. */
  readonly dtypes: readonly { readonly dtype: string; readonly weights: number }[];
  readonly tensors: number;
  readonly shards: number;
  /** `model_type` of config.json, or null without one. */
  readonly modelType: string | null;
  /** What the planner needs for a KV cache, or in words why that is not known. */
  readonly kvCache: KvCacheShape | string;
  /** `max_position_embeddings` of config.json, or null. */
  readonly maxPositions: number | null;
  /**
   * What is wrong with config.json, text or numbers; what needs it (KV cache, `maxPositions`) is off. Absent where it is
   * sound, missing, or of an architecture that the lab does not know.
   */
  readonly configError?: LabErrorData;
  readonly notices: readonly Notice[];
}

/** What happens to the scales of some groups of a matrix, where the tool's arithmetic has a corner. Nothing is refused for it. */
export interface Corner {
  /**
   * `allZero`: the group has no weight but 0, its scale is the type's epsilon. `scaleTooSmall`: the scale rounded to 0 and
   * became epsilon, so that every code is that of 0. `scaleSubnormal`: it is used as it is. `scaleInfinite`: the range
   * overflows. `scaleNan`: a weight is not a number.
   */
  readonly corner: "allZero" | "scaleTooSmall" | "scaleSubnormal" | "scaleInfinite" | "scaleNan";
  /** Groups of weights that share a scale and have this corner. */
  readonly groups: number;
}

/** What is lost between original weights and what is loaded back; null where a value is not finite or nothing is measured. */
export interface ErrorFigures {
  /** Mean squared error. */
  readonly mse: number | null;
  /** Σ(W−Q)² / ΣW². */
  readonly relativeMse: number | null;
  /** −10·log10(relativeMse). */
  readonly sqnrDb: number | null;
  readonly maxAbsError: number | null;
  readonly cosine: number | null;
  /** Mean W² of the original weights; null where one is not finite. Absent in comparisons of older versions. */
  readonly meanSquare: number | null;
  /** Share of the weights whose code the end of the range cut off. Null where nothing is quantized. */
  readonly clippedShare: number | null;
  /** Share of the 2^bits codes that occur at all, a mean over matrices. Null where nothing is quantized. */
  readonly usedLevels: number | null;
  /**
   * Weight-histogram divergence: Jensen–Shannon divergence, in bits (0 to 1), between the histograms of original and
   * reconstructed weights, over evenly spaced rows that hold about 32,768 of them, in equal bins. It says how far the shape of the
   * distribution moved, and nothing of what the model says.
   */
  readonly histogramDivergence: number | null;
  /** Weights that are NaN or infinite, and reconstructions that overflow. Both 0 in a sound checkpoint. */
  readonly notFinite: { readonly weights: number; readonly reconstructions: number };
}

/** What happened to one weight matrix under one recipe. */
export interface LayerResult extends ErrorFigures {
  /** Module name, `model.layers.0.mlp.down_proj`. */
  readonly module: string;
  /** Number of the decoder layer in the name, or null. */
  readonly layer: number | null;
  /** Last part of the name, `down_proj`. */
  readonly moduleKind: string;
  readonly rows: number;
  readonly cols: number;
  /** The scheme that the recipe has for it; null where it is only pruned. */
  readonly scheme: string | null;
  /** Bytes of what is stored for this module: codes, scales, zero points, shape. */
  readonly storedBytes: number;
  /** Weights that `histogramDivergence` was measured on. */
  readonly histogramSamples: number;
  /** Empty as a rule. */
  readonly corners: readonly Corner[];
  /** Why this matrix has no figures; the others stand. */
  readonly error?: LabErrorData;
}

/** The matrices of one decoder layer together, or those outside of any. */
export interface DecoderLayerResult extends ErrorFigures {
  /** Null: modules whose name has no layer number. */
  readonly layer: number | null;
  /** Weights measured. */
  readonly weights: number;
}

/** One row of the comparison. */
export interface SchemeResult {
  /** The recipe as it is written: a preset's name, `int4:group=32:asym`, `magnitude:2:4 | W4A16`. */
  readonly scheme: string;
  /** What the weights become, in words: `int4, symmetric, groups of 128`. */
  readonly description: string;
  /** Activations are rounded too when the model is served; these figures are of the weights alone. */
  readonly roundsActivations: boolean;
  /** What is pruned first, in words, or null. */
  readonly pruning: string | null;
  /** How weights become codes: `rtn`, plain rounding, or a method as `parseMethod` reads it. */
  readonly method: string;
  /** What the method did, or the pruning where it is calibrated; null where there is neither. */
  readonly methodRun: MethodReport | null;
  readonly arithmetic: ArithmeticName;
  /** Bytes of the `.safetensors` files that export writes, headers included. */
  readonly fileBytes: Quantity;
  /** How many times smaller than the original files. */
  readonly smaller: Quantity;
  /** Bits of the whole file per weight of the model. */
  readonly bitsPerWeight: Quantity;
  /** Bits stored for the quantized weights, scales included, per quantized weight; absent where nothing is quantized. */
  readonly quantizedBitsPerWeight?: Quantity;
  /** Over all weights measured so far; absent where none is, or where a value is not finite. */
  readonly relativeMse?: Quantity;
  readonly sqnrDb?: Quantity;
  readonly maxAbsError?: Quantity;
  readonly cosine?: Quantity;
  readonly clippedShare?: Quantity;
  readonly usedLevels?: Quantity;
  /** Mean over matrices, weighted by their weights; its samples are the weights looked at. */
  readonly histogramDivergence?: Quantity;
  readonly layers: readonly LayerResult[];
  readonly decoderLayers: readonly DecoderLayerResult[];
  /** Matrices that the recipe targets, finished or not. */
  readonly modules: number;
  /** Those among them that it can take; the others carry their error. */
  readonly quantizedModules: number;
  readonly fit: FitResult;
  /** What its user should know before taking it further; safe to print. */
  readonly notices: readonly Notice[];
  /** The recipe cannot be exported as it is: LLM Compressor would stop. Its figures are of the other matrices. */
  readonly error?: LabErrorData;
}

/** Which device ran a kernel, and whether it may say bit-exact there. */
export interface KernelReport {
  readonly kernel: string;
  readonly device: DeviceKind;
  readonly adapter: string;
  /** `bit-exact`: passed the start-up self-test on this adapter. `tolerance`: sums, whose order is the device's own. */
  readonly exactness: "bit-exact" | "tolerance";
  /** Why it does not run where it was asked to, or null. */
  readonly fallback: string | null;
  /** Where there was a choice of devices: what the probe measured on each; else null. */
  readonly choice: string | null;
  /** The form of the kernel that ran: `default`, or another that suits this adapter better; it leaves some runs to the default. */
  readonly variant: string;
  /** Where there was a choice of forms: what was measured of each, or why nothing was; else null. */
  readonly variantChoice: string | null;
}

/** How fast a kernel ran on a tile of this model. */
export interface ThroughputResult {
  readonly kernel: string;
  readonly scheme: string | null;
  readonly device: DeviceKind;
  readonly bytesPerSecond: Quantity;
  readonly elementsPerSecond: Quantity;
  /** Share of what a plain copy reaches on the same device in the same rounds. */
  readonly shareOfCopyRoof: Quantity;
}

/** The whole comparison. Also what a running comparison hands out while it grows: `finished` is then false. */
export interface CompareResult {
  readonly schemaVersion: number;
  readonly kind: "compare";
  readonly outcome: "done" | "partial" | "cancelled" | "failed";
  readonly finished: boolean;
  readonly model: ModelSummary;
  readonly arithmetic: ArithmeticName;
  readonly ignore: readonly string[];
  readonly original: { readonly fit: FitResult };
  readonly schemes: readonly SchemeResult[];
  readonly kernels: readonly KernelReport[];
  readonly throughput: readonly ThroughputResult[];
  readonly elapsedMs: number;
}

/** How far a job is. Determinate from the first event on. */
export interface ProgressStep {
  /** What runs now, for people: `comparing`, `timing kernels`, `exporting W4A16`. */
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** The tensor or file at work, or null. */
  readonly item: string | null;
  readonly doneItems: number;
  readonly totalItems: number;
}

/** That, and how fast it goes. */
export interface Progress extends ProgressStep {
  /** Mean since the phase began; null in its first moments. */
  readonly bytesPerSecond: number | null;
  /** Until the phase ends at that pace; null in its first three seconds, when it would be a guess. */
  readonly leftMs: number | null;
}

/** What an export wrote. */
export interface ExportResult {
  readonly schemaVersion: number;
  readonly kind: "quantize";
  readonly outcome: "done";
  readonly scheme: string;
  readonly arithmetic: ArithmeticName;
  /** Of compressed-tensors; `dense` where nothing is quantized. */
  readonly format: string;
  readonly ignore: readonly string[];
  /** Bytes of the `.safetensors` files written: equal to `fileBytes` of the comparison. */
  readonly fileBytes: Quantity;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** As in `SchemeResult`. */
  readonly method: string;
  readonly methodRun: MethodReport | null;
  /** Modules that were quantized or pruned. */
  readonly quantizedModules: number;
  readonly untouchedTensors: number;
  /** Modules whose groups have a corner of the tool's arithmetic. It writes the same; empty as a rule. */
  readonly corners: readonly { readonly module: string; readonly corners: readonly Corner[] }[];
  /** What the next tool may stumble over; empty as a rule. */
  readonly notices: readonly Notice[];
  readonly kernels: readonly KernelReport[];
  readonly elapsedMs: number;
}
