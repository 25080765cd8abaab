import { LabError, quote } from "../base/errors.ts";
import type { Scheme } from "./scheme.ts";

/**
 * The preset schemes that the lab can compute today, under LLM Compressor's names.
 * Source: compressed-tensors 0.19 `quantization/quant_scheme.py :: PRESET_SCHEMES`.
 */
export const PRESETS: readonly Scheme[] = [
  {
    name: "W4A16",
    weights: { type: "int", bits: 4, symmetric: true, granularity: { strategy: "group", groupSize: 128 } },
    inputActivations: null,
    format: "pack-quantized",
  },
  {
    name: "W8A16",
    weights: { type: "int", bits: 8, symmetric: true, granularity: { strategy: "group", groupSize: 128 } },
    inputActivations: null,
    format: "pack-quantized",
  },
  {
    name: "W8A8",
    weights: { type: "int", bits: 8, symmetric: true, granularity: { strategy: "channel" } },
    inputActivations: { type: "int", bits: 8, strategy: "token" },
    format: "int-quantized",
  },
];

/** What a comparison shows unless its user chose otherwise. */
export const DEFAULT_SCHEMES: readonly string[] = ["W4A16", "W8A8"];

/**
 * The preset of that name, whatever its letter case.
 * @throws LabError `scheme/unknown`
 */
export function findPreset(name: string): Scheme {
  const found = PRESETS.find((preset) => preset.name === name.toUpperCase());
  if (found) return found;
  throw new LabError({
    code: "scheme/unknown",
    doing: "choosing a scheme",
    found: `no scheme named "${quote(name)}"`,
    allowed: PRESETS.map((preset) => preset.name).join(", "),
    advice: "take one of these names",
    fields: { scheme: quote(name) },
  });
}
