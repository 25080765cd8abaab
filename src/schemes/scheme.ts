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
}

/** How a served model rounds the input of the layer; the lab stores it in the config and does not yet apply it. */
export interface ActivationScheme {
  readonly type: "int";
  readonly bits: 4 | 8;
  readonly strategy: "token";
}

/** The file formats of compressed-tensors that the lab writes. */
export type StorageFormat = "pack-quantized" | "int-quantized";

/** A scheme: a preset under the name that LLM Compressor gives it, or a custom one (`int4:group=32:asym`). */
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

/** A scheme's weights in words: `int4, symmetric, groups of 128`. */
export function describeWeights({ weights }: Pick<Scheme, "weights">): string {
  const { granularity } = weights;
  const shared = {
    tensor: "one scale per matrix",
    channel: "one scale per output row",
    group: `groups of ${granularity.strategy === "group" ? granularity.groupSize : ""}`,
  }[granularity.strategy];
  return `int${weights.bits}, ${weights.symmetric ? "symmetric" : "asymmetric"}, ${shared}`;
}
