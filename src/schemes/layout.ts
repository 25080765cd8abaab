import { LabError, quote } from "../base/errors.ts";
import type { FloatName } from "../base/float-format.ts";
import type { Pruning } from "./pruning.ts";
import { type Scheme, scaleGrid } from "./scheme.ts";

/** What a stored tensor is for. */
export type StoredRole = "codes" | "scale" | "zero-point" | "shape" | "input-scale" | "input-zero-point";

/** One tensor that a scheme stores in place of a weight. */
export interface StoredTensor {
  readonly role: StoredRole;
  /** Appended to the module's name: `.weight_packed`. */
  readonly suffix: string;
  /** safetensors type name. */
  readonly dtype: "I32" | "I8" | "I64" | "BF16" | "F16" | "F32";
  readonly shape: readonly number[];
  readonly sizeBytes: number;
}

/** Bytes of an element of the types that schemes store. */
const ELEMENT_BYTES = { I32: 4, I8: 1, I64: 8, BF16: 2, F16: 2, F32: 4 } as const;

/** safetensors names of the types that weights come in; scales are stored in the weight's own. */
const FLOAT_DTYPES = { bf16: "BF16", f16: "F16", f32: "F32" } as const satisfies Record<FloatName, string>;

/**
 * What `scheme` stores for a weight [rows, cols], to the byte. The planner and the writer share this one formula.
 *
 * - `pack-quantized`: codes in the bits of int32 words, row by row; the shape that they hide; the scales in the weight's
 *   type. A zero point a scale where the scheme is asymmetric: packed down the rows, but a plain int8 for a whole matrix.
 * - `int-quantized`: a byte for each code, whatever its bits, and the scales.
 * - Static activations: one scale in the weight's type, and where they are asymmetric a plain int8; dynamic ones: nothing.
 *
 * A matrix without rows stores empty tensors; only `tensor` keeps its one scale, which LLM Compressor leaves
 * uninitialised there.
 * Source: compressed-tensors 0.19 `compressors/pack_quantized/base.py`, `compressors/naive_quantized/base.py`,
 * `quantization/lifecycle/initialize.py :: initialize_qparams`.
 * @param element type of the weight in the checkpoint
 * @throws LabError `scheme/group-does-not-divide`, `scheme/activation-group-does-not-divide`
 */
export function storedTensors(scheme: Scheme, element: FloatName, rows: number, cols: number): readonly StoredTensor[] {
  const { bits, granularity, symmetric } = scheme.weights;
  requireWholeGroups(scheme, rows, cols);
  requireWholeActivationGroups(scheme, rows, cols);
  const perMatrix = granularity.strategy === "tensor";
  const grid = scaleGrid(granularity, rows, cols);
  const scaleShape = perMatrix ? [1] : grid;
  const isPacked = scheme.format === "pack-quantized";
  const words = (codes: number) => Math.ceil((codes * bits) / 32);
  const tensors = [
    isPacked
      ? stored("codes", ".weight_packed", "I32", [rows, words(cols)])
      : stored("codes", ".weight", "I8", [rows, cols]),
    stored("scale", ".weight_scale", FLOAT_DTYPES[element], scaleShape),
  ];
  if (!symmetric) {
    tensors.push(
      isPacked && !perMatrix
        ? stored("zero-point", ".weight_zero_point", "I32", [words(rows), grid[1]])
        : stored("zero-point", ".weight_zero_point", "I8", scaleShape),
    );
  }
  if (isPacked) tensors.push(stored("shape", ".weight_shape", "I64", [2]));
  const activations = scheme.inputActivations;
  if (activations && !activations.dynamic) {
    tensors.push(stored("input-scale", ".input_scale", FLOAT_DTYPES[element], [1]));
    if (!activations.symmetric) tensors.push(stored("input-zero-point", ".input_zero_point", "I8", [1]));
  }
  return tensors;
}

/**
 * Bytes of all that `scheme` stores for a weight [rows, cols].
 * @throws LabError `scheme/group-does-not-divide`, `scheme/activation-group-does-not-divide`
 */
export function storedBytes(scheme: Scheme, element: FloatName, rows: number, cols: number): number {
  return storedTensors(scheme, element, rows, cols).reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
}

function stored(
  role: StoredRole,
  suffix: string,
  dtype: StoredTensor["dtype"],
  shape: readonly number[],
): StoredTensor {
  return {
    role,
    suffix,
    dtype,
    shape,
    sizeBytes: shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype]),
  };
}

function requireWholeGroups({ name, weights: { granularity } }: Scheme, rows: number, cols: number): void {
  if (granularity.strategy !== "group" || cols % granularity.groupSize === 0) return;
  throw new LabError({
    code: "scheme/group-does-not-divide",
    doing: `laying out ${name} for a matrix of ${rows} × ${cols}`,
    found: `${cols} columns, groups of ${granularity.groupSize}`,
    allowed: "a number of columns that the group size divides, as LLM Compressor demands",
    advice: "ignore this module, or take a scheme with one scale per row",
    fields: { scheme: name, rows, cols, groupSize: granularity.groupSize },
  });
}

/**
 * compressed-tensors writes such a checkpoint and stops when it is run: `quantization/utils/helpers.py ::
 * compute_dynamic_scales_and_zp` cuts a row of inputs into groups by `unflatten`.
 */
function requireWholeActivationGroups({ name, inputActivations }: Scheme, rows: number, cols: number): void {
  const granularity = inputActivations?.granularity;
  if (granularity?.strategy !== "group" || cols % granularity.groupSize === 0) return;
  throw new LabError({
    code: "scheme/activation-group-does-not-divide",
    doing: `laying out ${name} for a matrix of ${rows} × ${cols}`,
    found: `inputs of ${cols}, groups of ${granularity.groupSize}`,
    allowed:
      "a number of inputs that the group size of the activations divides, as compressed-tensors demands when it runs",
    advice: "ignore this module, or take activations with one scale per token",
    fields: { scheme: name, rows, cols, groupSize: granularity.groupSize },
  });
}

/**
 * Refuses a matrix [rows, cols] that N:M pruning cannot cut into whole patterns. Every other pruning takes any matrix.
 * @throws LabError `scheme/pattern-does-not-divide`
 */
export function requirePrunable(pruning: Pruning, rows: number, cols: number): void {
  if (pruning.structure !== "n-of-m" || cols % pruning.m === 0) return;
  throw new LabError({
    code: "scheme/pattern-does-not-divide",
    doing: `pruning ${pruning.n} of ${pruning.m} in a matrix of ${rows} × ${cols}`,
    found: `${cols} columns, patterns of ${pruning.m}`,
    allowed: "a number of columns that the length of the pattern divides",
    advice: "ignore this module, or prune a share of all weights (magnitude:0.5)",
    fields: { rows, cols, patternLength: pruning.m },
  });
}

/**
 * Refuses a weight that the lab cannot quantize.
 * @param dtype safetensors name of the weight's type
 * @returns the type of its elements
 * @throws LabError `scheme/not-a-matrix`, `scheme/unsupported-dtype`, `scheme/empty-rows`
 */
export function requireQuantizable(tensorName: string, dtype: string, shape: readonly number[]): FloatName {
  const doing = `preparing to quantize ${quote(tensorName)}`;
  if (shape.length !== 2) {
    throw new LabError({
      code: "scheme/not-a-matrix",
      doing,
      found: `a tensor of ${shape.length} dimensions`,
      allowed: "matrices [out, in]; LLM Compressor refuses this tensor as well",
      advice: "add its module to the ignore list",
      fields: { tensor: quote(tensorName), dimensions: shape.length },
    });
  }
  const element = floatNameOf(dtype, tensorName, doing);
  if (shape[1] === 0) {
    throw new LabError({
      code: "scheme/empty-rows",
      doing,
      found: `${shape[0]} rows without a single weight`,
      allowed: "rows of 1 weight or more; of empty ones LLM Compressor stores scales that it never set",
      advice: "add its module to the ignore list",
      fields: { tensor: quote(tensorName), rows: shape[0] ?? 0 },
    });
  }
  return element;
}

/**
 * The format of weights of a safetensors type.
 * @throws LabError `scheme/unsupported-dtype`
 */
export function floatNameOf(dtype: string, tensorName: string, doing: string): FloatName {
  const element = FLOAT_NAMES.get(dtype);
  if (element !== undefined) return element;
  throw new LabError({
    code: "scheme/unsupported-dtype",
    doing,
    found: `weights of type ${quote(dtype)}`,
    allowed: [...FLOAT_NAMES.keys()].join(", "),
    advice: "take a checkpoint in one of these types, or add this module to the ignore list",
    fields: { tensor: quote(tensorName), dtype: quote(dtype) },
  });
}

const FLOAT_NAMES: ReadonlyMap<string, FloatName> = new Map(
  Object.entries(FLOAT_DTYPES).map(([name, dtype]) => [dtype, name as FloatName]),
);
