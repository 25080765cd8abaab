import { F32, float32Of, roundHalfEven } from "../../base/float-format.ts";
import { byteAt } from "../int-params.ts";
import type { Span } from "./span.ts";

/** How an activation becomes a code and what the code is worth: compressed-tensors' way to simulate it, or vLLM's to serve it. */
export type RoundSource =
  | {
      readonly rule: "simulated";
      /** Width of a code. */
      readonly bits: 4 | 8;
      /** Without zero points. */
      readonly symmetric: boolean;
    }
  | { readonly rule: "served-token" }
  | { readonly rule: "served-token-head" };

/**
 * Piece h of row r takes scale and factor r · rowStep + h · pieceStep: its own where rowStep is the count of pieces and
 * pieceStep 1, its row's where they are 1 and 0, its head's where they are 0 and 1, the one of all where both are 0.
 */
export interface RoundShape extends Span {
  readonly rows: number;
  readonly rowStep: number;
  readonly pieceStep: number;
}

/** What is left of a number under a scale and what goes with it. */
type Rounding = (value: number, scale: number, factor: number) => number;

/**
 * Step by step, each rounded to float32 (RN).
 *
 * simulated: code = rint(clamp(RN(RN(x / scale) + zero point))), y = RN((code − zero point) · scale). Codes stay floats: a NaN
 * stays one, 0 · ∞ makes one, and a negative x whose code is 0 leaves −0, as long as its quotient is not 0 and there is no
 * zero point. Without zero points the tool adds zeros nevertheless (dynamic rounding, and static while it calibrates): −0
 * leaves +0. Source: compressed-tensors 0.19 `quantization/lifecycle/forward_helpers.py :: _quantize_dequantize`; held to what
 * it wrote (`fixtures/golden/activations`). Scales are not negative.
 *
 * served-token: code = rint(RN(x · multiplier)) cut off at −128 and 127, y = RN(code · scale).
 * served-token-head: code = RN(x · multiplier), cut off at −128 and 127, towards zero, y = RN(code · scale).
 * Codes are integers: that of a NaN is 0, and so is that of −0.2. Sources (vllm-project/vllm), which were read and not run:
 * `csrc/quantization/w8a8/int8/scaled_quant.cu :: dynamic_scaled_int8_quant_kernel, float_to_int8_rn` and
 * `vllm/v1/attention/ops/triton_reshape_and_cache_flash.py :: _reshape_cache_per_token_head`, whose store of a float32 to int8
 * cuts off.
 */
function roundingOf(source: RoundSource): Rounding {
  if (source.rule === "simulated") {
    const [lowest, highest] = [-(2 ** (source.bits - 1)), 2 ** (source.bits - 1) - 1];
    return (value, scale, zeroPoint) => {
      const sum = Math.fround(Math.fround(value / scale) + zeroPoint);
      const whole = roundHalfEven(Math.min(Math.max(sum, lowest), highest));
      const code = whole === 0 && sum < 0 ? -0 : whole;
      return Math.fround((code - zeroPoint) * scale);
    };
  }
  const toWhole = source.rule === "served-token" ? roundHalfEven : Math.trunc;
  return (value, scale, multiplier) => {
    const product = Math.fround(value * multiplier);
    const code = Number.isNaN(product) ? 0 : toWhole(Math.min(Math.max(product, -128), 127));
    // Without −0, which integers do not have.
    return Math.fround((code + 0) * scale);
  };
}

/** Number by number. */
export function roundOracle(
  source: RoundSource,
  { rows, width, start, stride, count, dim, rowStep, pieceStep }: RoundShape,
  [
    values = new Uint32Array(),
    scales = new Uint32Array(),
    factors = new Uint32Array(),
    rounded = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const rounding = roundingOf(source);
  const factorAt = (place: number) => {
    if (source.rule !== "simulated") return float32Of(factors[place] ?? 0);
    return source.symmetric ? 0 : byteAt(factors, place);
  };
  for (let row = 0; row < rows; row++) {
    for (let piece = 0; piece < count; piece++) {
      const place = row * rowStep + piece * pieceStep;
      const first = row * width + start + piece * stride;
      const [scale, factor] = [float32Of(scales[place] ?? 0), factorAt(place)];
      for (let index = first; index < first + dim; index++) {
        rounded[index] = F32.toBits(rounding(float32Of(values[index] ?? 0), scale, factor));
      }
    }
  }
}
