import { FLOAT_FORMATS, float32Bits, float32Of } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { elementsOf, groupsOf, type IntCodes, type IntShape } from "../int-params.ts";
import { intCoder } from "./int_code.oracle.ts";
import { qparamsOf } from "./int_qparams.oracle.ts";

/** What changes the program. */
export interface RangeSearchSource extends Pick<IntCodes, "element" | "bits" | "symmetric"> {
  /**
   * `own`: differences, powers and sums are rounded to the weights' format, as `memoryless_mse` does, and importance is not
   * looked at; `f32`: they are float32 and weighed by importance, as `imatrix_mse` does.
   */
  readonly precision: "own" | "f32";
}

/** Weights of a run, and the step of the search. A group of one scale for all weights is one group. */
export interface RangeSearchShape extends IntShape {
  /** Share of the range that is tried, p: rounded to float32, as torch takes a Python number. */
  readonly shrink: number;
  /** Exponent of the differences, 2 to 3. */
  readonly norm: number;
  /** Whether there is no best yet: what `best` holds is not looked at. */
  readonly isFirst: boolean;
  /** Which word of `improved` is the step's own. */
  readonly slot: number;
}

/** What one weight adds to its group's error, from its difference: the exponent is the shape's. */
export type Power = (difference: number, norm: number) => number;

/**
 * What becomes of weights whose group has such largest magnitudes on either side of zero.
 * Source: compressed-tensors 0.19 `forward_helpers.py :: _quantize_dequantize`.
 */
export function restorerOf(
  source: Pick<IntCodes, "element" | "bits" | "symmetric">,
  positive: number,
  negative: number,
): (weight: number) => number {
  const format = FLOAT_FORMATS[source.element];
  const { scale, zeroPoint } = qparamsOf(source, format, positive, negative);
  const codeOf = intCoder({ ...source, arithmetic: "eager" });
  return (weight) => format.round((codeOf(weight, scale, zeroPoint).code - zeroPoint) * scale);
}

/** Shrinks a magnitude as torch multiplies a tensor by a Python number: in float32, then rounded to the tensor's type. */
export function shrunkBits({ element }: Pick<IntCodes, "element">, bits: number, shrink: number): number {
  return float32Bits(FLOAT_FORMATS[element].round(Math.fround(float32Of(bits) * Math.fround(shrink))));
}

/**
 * |difference|^norm as torch has it on a CPU. The exponent is rounded to the type too, so that 2.4 is 2.40625 in bf16. Whole
 * exponents are products, each of them rounded; but f16 knows only the power.
 * Source: torch 2.13 `aten/src/ATen/native/cpu/PowKernel.cpp :: pow_tensor_scalar_kernel`.
 */
export function powerOf({ element, precision }: Pick<RangeSearchSource, "element" | "precision">): Power {
  const own = precision === "own" ? element : "f32";
  const { round } = FLOAT_FORMATS[own];
  return (difference, norm) => {
    const magnitude = Math.abs(round(difference));
    if (own !== "f16" && (norm === 2 || norm === 3)) {
      const square = round(Math.fround(magnitude * magnitude));
      return norm === 2 ? square : round(Math.fround(square * magnitude));
    }
    return round(Math.fround(magnitude ** round(norm)));
  };
}

/** The error of a group whose weights are restored by `restore`, before the sum is rounded; not finite where a weight is not. */
export function groupError(
  { element, precision }: RangeSearchSource,
  shape: RangeSearchShape,
  [weights, importance]: readonly [Uint32Array, Uint32Array],
  group: number,
  term: (weight: number) => number,
): number {
  const format = FLOAT_FORMATS[element];
  const factors = asFloats(importance);
  let error = 0;
  const first = group * shape.groupSize;
  for (let at = first; at < Math.min(first + shape.groupSize, elementsOf(shape)); at++) {
    const factor = precision === "own" ? 1 : (factors[at % shape.streamLength] ?? 0);
    error += Math.fround(term(format.fromBits(elementAt(weights, at, element))) * factor);
  }
  return error;
}

/** The largest finite number of the type that errors are compared in: where the search begins. */
export function worstError({ element, precision }: Pick<RangeSearchSource, "element" | "precision">): number {
  const format = FLOAT_FORMATS[precision === "own" ? element : "f32"];
  return format.fromBits(format.infinity - 1);
}

/**
 * A step of the search, group by group.
 * Source: LLM Compressor 0.14 `observers/mse_quant.py :: _grid_search_mse, _calculate_error`, `observers/imatrix.py ::
 * _grid_search`.
 */
export function rangeSearchOracle(
  source: RangeSearchSource,
  shape: RangeSearchShape,
  [
    weights = new Uint32Array(),
    extremes = new Uint32Array(),
    importance = new Uint32Array(),
    improved = new Uint32Array(),
    best = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const groups = groupsOf(shape);
  const errors = asFloats(best).subarray(2 * groups);
  const power = powerOf(source);
  const { round } = FLOAT_FORMATS[source.precision === "own" ? source.element : "f32"];
  for (let group = 0; group < groups; group++) {
    const [positive = 0, negative = 0] = extremes.subarray(2 * group, 2 * group + 2);
    if (shape.isFirst) {
      best.set([positive, negative], 2 * group);
      errors[group] = worstError(source);
    }
    const shrunk = [positive, negative].map((bits) => shrunkBits(source, bits, shape.shrink));
    const [high = 0, low = 0] = shrunk.map(float32Of);
    const restore = restorerOf(source, high, low);
    const error = round(
      Math.fround(
        groupError(source, shape, [weights, importance], group, (weight) =>
          power(Math.fround(restore(weight) - weight), shape.norm),
        ),
      ),
    );
    if (!(error < (errors[group] ?? 0))) continue;
    best.set(shrunk, 2 * group);
    errors[group] = error;
    improved[shape.slot] = 1;
  }
}
