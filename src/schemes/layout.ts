import { LabError, quote } from "../base/errors.ts";
import { type Scheme, weightsPerScale } from "./scheme.ts";

/** What a stored tensor is for. */
export type StoredRole = "codes" | "scale" | "shape";

/** One tensor that a scheme stores in place of a weight. */
export interface StoredTensor {
  readonly role: StoredRole;
  /** Appended to the module's name: `.weight_packed`. */
  readonly suffix: string;
  /** safetensors type name. */
  readonly dtype: "I32" | "I8" | "I64" | "BF16";
  readonly shape: readonly number[];
  readonly sizeBytes: number;
}

/** Bytes of an element of the types that schemes store. */
const ELEMENT_BYTES = { I32: 4, I8: 1, I64: 8, BF16: 2 } as const;

/**
 * What `scheme` stores for a bf16 weight [rows, cols], to the byte. The planner and the writer share this one formula.
 * Source: compressed-tensors 0.19 `compressors/pack_quantized/base.py`, `compressors/naive_quantized/base.py`.
 * @throws LabError `scheme/group-does-not-divide`
 */
export function storedTensors(scheme: Scheme, rows: number, cols: number): readonly StoredTensor[] {
  const perScale = weightsPerScale(scheme.weights.granularity, cols);
  if (cols % perScale !== 0) {
    throw new LabError({
      code: "scheme/group-does-not-divide",
      doing: `laying out ${scheme.name} for a matrix of ${rows} × ${cols}`,
      found: `${cols} columns, groups of ${perScale}`,
      allowed: "a number of columns that the group size divides, as LLM Compressor demands",
      advice: "ignore this module, or take a scheme with one scale per row",
      fields: { scheme: scheme.name, rows, cols, groupSize: perScale },
    });
  }
  const scale = stored("scale", ".weight_scale", "BF16", [rows, cols / perScale]);
  if (scheme.format === "int-quantized") return [stored("codes", ".weight", "I8", [rows, cols]), scale];
  const words = Math.ceil((cols * scheme.weights.bits) / 32);
  return [stored("codes", ".weight_packed", "I32", [rows, words]), scale, stored("shape", ".weight_shape", "I64", [2])];
}

/** Bytes of all that `scheme` stores for a weight [rows, cols]. */
export function storedBytes(scheme: Scheme, rows: number, cols: number): number {
  return storedTensors(scheme, rows, cols).reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
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

/** The checkpoint types whose weights the lab can quantize today. */
export const SUPPORTED_WEIGHT_DTYPES: readonly string[] = ["BF16"];

/**
 * Refuses a weight that the lab cannot quantize.
 * @throws LabError `scheme/unsupported-dtype`, `scheme/not-a-matrix`
 */
export function requireQuantizable(tensorName: string, dtype: string, shape: readonly number[]): void {
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
  if (!SUPPORTED_WEIGHT_DTYPES.includes(dtype)) {
    throw new LabError({
      code: "scheme/unsupported-dtype",
      doing,
      found: `weights of type ${dtype}`,
      allowed: SUPPORTED_WEIGHT_DTYPES.join(", "),
      advice: "take a bf16 checkpoint, or add this module to the ignore list",
      fields: { tensor: quote(tensorName), dtype },
    });
  }
}
