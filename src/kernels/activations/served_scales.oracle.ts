import { F32, float32Of } from "../../base/float-format.ts";

/** Of vLLM: activations of a token; keys or values of a token and head. */
export type ServedScalesRule = "int8-token" | "int8-token-head";

export interface ServedScalesSource {
  readonly rule: ServedScalesRule;
}

export interface ServedScalesShape {
  readonly pieces: number;
}

/** What the engine takes for the least scale of a token and head: the float32 nearest to 10⁻⁶. */
const LEAST_SCALE = Math.fround(1e-6);

/**
 * Of the largest magnitude a of a piece, each division rounded to float32:
 * int8-token: scale a / 127, multiplier 127 / a, but 0 where a is 0.
 * int8-token-head: scale a / 127, but 10⁻⁶ at the least, multiplier 1 / scale.
 * A NaN makes both NaN; an infinite a makes the scale infinite and the multiplier 0.
 *
 * Sources (vllm-project/vllm), which were read and not run:
 * `csrc/quantization/w8a8/int8/scaled_quant.cu :: dynamic_scaled_int8_quant_kernel` and
 * `vllm/v1/attention/ops/triton_reshape_and_cache_flash.py :: _reshape_cache_per_token_head`. Both pass over a NaN when they
 * look for the maximum, so that only its own code suffers; here it makes its whole piece NaN. Triton's division may be 2
 * units in the last place off; here it is exact.
 */
export function servedScalesOracle(
  { rule }: ServedScalesSource,
  { pieces }: ServedScalesShape,
  [extremes = new Uint32Array(), scales = new Uint32Array(), multipliers = new Uint32Array()]: readonly Uint32Array[],
): void {
  for (let piece = 0; piece < pieces; piece++) {
    const absmax = float32Of(Math.max(extremes[2 * piece] ?? 0, extremes[2 * piece + 1] ?? 0));
    const quotient = Math.fround(absmax / 127);
    const scale = rule === "int8-token" ? quotient : Math.max(quotient, LEAST_SCALE);
    const inverse = rule === "int8-token" ? 127 / absmax : 1 / scale;
    scales[piece] = F32.toBits(scale);
    multipliers[piece] = F32.toBits(absmax === 0 && rule === "int8-token" ? 0 : Math.fround(inverse));
  }
}
