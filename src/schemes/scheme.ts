/** Widths of an integer code that the lab computes. */
export type IntBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

/**
 * How many weights share one scale. `tensor`: all of a matrix. `channel`: one output row. `group`: `groupSize` neighbours
 * along the input.
 */
export type Granularity =
  | { readonly strategy: "tensor" }
  | { readonly strategy: "channel" }
  | { readonly strategy: "group"; readonly groupSize: number };

/** What the weights of a matrix [out, in] become. */
export interface WeightScheme {
  readonly type: "int";
  /** Width of a code. Codes run from −2^(bits−1) to 2^(bits−1)−1. */
  readonly bits: IntBits;
  /** Symmetric codes have no zero point; asymmetric ones have one beside each scale. */
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  /** Null: unset, for which LLM Compressor takes `memoryless_minmax`. */
  readonly observer: WeightObserver | null;
}

/**
 * How the range of the weights that share a scale comes about, under LLM Compressor's names.
 * `memoryless_minmax`: from the smallest to the largest; `minmax` and `static_minmax` are the same for weights.
 * `memoryless_mse`: that share of it under which Σ |difference|^2.4 is smallest; `mse` is the same for weights.
 * `imatrix_mse`: the same with an exponent of 3 and each column weighed by the mean square of what goes into it.
 * Source: LLM Compressor 0.14 `observers/mse.py`, `observers/imatrix.py`, `modifiers/quantization/calibration.py ::
 * initialize_observer`, which replaces the observers that remember.
 */
export const WEIGHT_OBSERVERS = [
  "memoryless_minmax",
  "minmax",
  "static_minmax",
  "memoryless_mse",
  "mse",
  "imatrix_mse",
] as const;
export type WeightObserver = (typeof WEIGHT_OBSERVERS)[number];

/** Observers of weights that search for a range. */
export type RangeSearcher = "memoryless_mse" | "imatrix_mse";

/** The search that an observer stands for; null: the range is from the smallest weight to the largest. */
export function rangeSearcher({ observer }: Pick<WeightScheme, "observer">): RangeSearcher | null {
  if (observer === "mse") return "memoryless_mse";
  return observer === "memoryless_mse" || observer === "imatrix_mse" ? observer : null;
}

/** How many activations share one scale. `token`: a row. `tensor`: all that come at once. `group`: neighbours in a row. */
export type ActivationGranularity =
  | { readonly strategy: "token" }
  | { readonly strategy: "tensor" }
  | { readonly strategy: "group"; readonly groupSize: number };

/**
 * How a static range comes about from the batches of a calibration text, under LLM Compressor's names.
 * `minmax`: moving averages of the smallest and largest values: 0.99 of what was, 0.01 of the new batch's.
 * `static_minmax`: the smallest and largest value of all batches.
 * `memoryless_minmax`: those of the last batch.
 * Source: LLM Compressor 0.14 `observers/min_max.py`.
 */
export const OBSERVERS = ["minmax", "static_minmax", "memoryless_minmax"] as const;
export type Observer = (typeof OBSERVERS)[number];

/** How the input of a layer [tokens, in] is rounded before the layer multiplies it. */
export interface ActivationScheme {
  readonly type: "int";
  /** Width of a code. Codes run from −2^(bits−1) to 2^(bits−1)−1. */
  readonly bits: 4 | 8;
  /** Symmetric codes have no zero point; asymmetric ones have one beside each scale. */
  readonly symmetric: boolean;
  readonly granularity: ActivationGranularity;
  /** Scales are taken from what is rounded. Otherwise from a calibration text, and stored; only with `tensor`. */
  readonly dynamic: boolean;
  /** Of static ranges; null: unset, for which LLM Compressor takes `minmax`. Always null where dynamic. */
  readonly observer: Observer | null;
}

/** The file formats of compressed-tensors that the lab writes. */
export type StorageFormat = "pack-quantized" | "int-quantized";

/**
 * A scheme: a preset under the name that LLM Compressor gives it, or a custom one (`int4:group=32:asym`,
 * `int8:channel/int8:tensor`).
 */
export interface Scheme {
  readonly name: string;
  readonly weights: WeightScheme;
  readonly inputActivations: ActivationScheme | null;
  /** compressed-tensors `compressors/format.py`: integer weights with rounded activations are int-quantized, else packed. */
  readonly format: StorageFormat;
}

/**
 * The rounding rule of a quotient.
 * `eager`: torch's, as on a CPU: the quotient is rounded to the checkpoint's own type before it is rounded to an integer.
 * `triton`: the kernel that compressed-tensors ≥ 0.19 runs on CUDA: the quotient stays float32.
 * Source: compressed-tensors 0.19 `quantization/lifecycle/forward_helpers.py :: _quantize, _quantize_kernel`.
 */
export type Arithmetic = "eager" | "triton";

/** How sure the lab is of each rule; shown wherever a result names its arithmetic. */
export const ARITHMETIC_EVIDENCE: Readonly<Record<Arithmetic, string>> = {
  eager: "torch on the CPU, or CT_ENFORCE_EAGER=1: compared byte for byte with LLM Compressor",
  triton: "compressed-tensors ≥ 0.19 on CUDA: followed from its kernel's source, not compared with a GPU",
};

/** Smallest and largest code. */
export function codeRange(bits: number): { readonly min: number; readonly max: number } {
  return { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 };
}

/** How many scales a matrix [rows, cols] has along its rows and its columns. */
export function scaleGrid(granularity: Granularity, rows: number, cols: number): readonly [number, number] {
  switch (granularity.strategy) {
    case "tensor":
      return [1, 1];
    case "channel":
      return [rows, 1];
    case "group":
      return [rows, cols / granularity.groupSize];
  }
}

/** A scheme in words: `int4, symmetric, groups of 128`, with activations `…, activations int8 per token`. */
export function describeScheme({ weights, inputActivations }: Pick<Scheme, "weights" | "inputActivations">): string {
  const { granularity } = weights;
  const shared = {
    tensor: "one scale per matrix",
    channel: "one scale per output row",
    group: `groups of ${granularity.strategy === "group" ? granularity.groupSize : ""}`,
  }[granularity.strategy];
  const ranges = weights.observer ? `, ranges by ${describeObserver(weights.observer)}` : "";
  const described = `int${weights.bits}, ${weights.symmetric ? "symmetric" : "asymmetric"}, ${shared}${ranges}`;
  return inputActivations ? `${described}, activations ${describeActivations(inputActivations)}` : described;
}

/** The name, and what it means for weights where that is another one. */
function describeObserver(observer: WeightObserver): string {
  const meant = rangeSearcher({ observer }) ?? "memoryless_minmax";
  return meant === observer ? observer : `${observer} (for weights ${meant})`;
}

/** `int8 per token`, `asymmetric int8 per tensor, static (static_minmax)`. Symmetric and dynamic where nothing is said. */
function describeActivations({ bits, symmetric, granularity, dynamic, observer }: ActivationScheme): string {
  const shared = granularity.strategy === "group" ? `group of ${granularity.groupSize}` : granularity.strategy;
  const ranges = dynamic ? "" : `, static${observer ? ` (${observer})` : ""}`;
  return `${symmetric ? "" : "asymmetric "}int${bits} per ${shared}${ranges}`;
}

/**
 * What rounding the inputs of layers is called in a report: `inputs: int 8 bit per token, dynamic`, in the words of the
 * conformance kit's `models.py :: activation_quantization`, so that both reports can be held side by side.
 */
export function activationWords({ type, bits, granularity, dynamic }: ActivationScheme): string {
  return `inputs: ${type} ${bits} bit per ${granularity.strategy}, ${dynamic ? "dynamic" : "static"}`;
}
