import { FLOAT_FORMATS } from "../base/float-format.ts";

/**
 * Cosines and sines that pairs of columns are rotated by, float32 [positions, frequencies, 2]. The angle is rounded to
 * float32 before, as transformers does, and cosines and sines to the model's own type after.
 * Source: transformers 5.17 `models/llama/modeling_llama.py :: LlamaRotaryEmbedding.forward`.
 * @param frequencies in radians per position
 * @param scale of cosines and sines
 * @param roundsTo null: they stay float32
 */
export function rotaryAngles(
  positions: number,
  frequencies: readonly number[],
  scale: number,
  roundsTo: "bf16" | "f16" | null,
): Float32Array<ArrayBuffer> {
  const { round } = FLOAT_FORMATS[roundsTo ?? "f32"];
  const table = new Float32Array(positions * frequencies.length * 2);
  for (let position = 0; position < positions; position++) {
    for (const [pair, frequency] of frequencies.entries()) {
      const angle = Math.fround(position * Math.fround(frequency));
      const at = 2 * (position * frequencies.length + pair);
      table[at] = round(Math.fround(Math.cos(angle)) * scale);
      table[at + 1] = round(Math.fround(Math.sin(angle)) * scale);
    }
  }
  return table;
}
