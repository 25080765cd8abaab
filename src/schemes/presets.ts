import { LabError, quote } from "../base/errors.ts";
import type { ActivationScheme, Granularity, IntBits, Scheme } from "./scheme.ts";

const CHANNEL: Granularity = { strategy: "channel" };
const GROUPS_OF_128: Granularity = { strategy: "group", groupSize: 128 };

/** The regular names W⟨weights⟩A⟨activations⟩: symmetric groups of 128. 16 stands for activations left alone. */
const REGULAR: readonly {
  readonly activations: ActivationScheme["bits"] | 16;
  readonly weights: readonly IntBits[];
}[] = [
  { activations: 16, weights: [2, 3, 4, 5, 6, 7, 8] },
  { activations: 8, weights: [2, 3, 4, 5, 6, 7] },
  { activations: 4, weights: [2, 3, 4] },
];

/**
 * The preset schemes of integers, under LLM Compressor's names.
 * Source: compressed-tensors 0.19 `quantization/quant_scheme.py :: PRESET_SCHEMES`; the formats from
 * `compressors/format.py :: COMPRESSION_FORMAT_PRIORITY`, where any rounded activation means a byte for each code.
 */
export const PRESETS: readonly Scheme[] = [
  ...REGULAR.flatMap(({ activations, weights }) =>
    weights.map((bits) => preset(`W${bits}A${activations}`, bits, GROUPS_OF_128, activations)),
  ),
  preset("W4A16_ASYM", 4, GROUPS_OF_128, 16, false),
  preset("W8A8", 8, CHANNEL, 8),
  // The same scheme under its other name.
  preset("INT8", 8, CHANNEL, 8),
];

/** What a comparison shows unless its user chose otherwise: from small to large, so that the trade is seen at once. */
export const DEFAULT_SCHEMES: readonly string[] = ["W3A16", "W4A16", "W4A16_ASYM", "W6A16", "W8A8"];

/** Presets of LLM Compressor that round to other types than integers. */
const NOT_BUILT: ReadonlySet<string> = new Set([
  "FP8",
  "FP8_DYNAMIC",
  "FP8_BLOCK",
  "NVFP4",
  "NVFP4A16",
  "MXFP4",
  "MXFP4A16",
  "MXFP8",
  "MXFP8A16",
  "W4AFP8",
]);

function preset(
  name: string,
  bits: IntBits,
  granularity: Granularity,
  activations: ActivationScheme["bits"] | 16,
  symmetric = true,
): Scheme {
  return {
    name,
    weights: { type: "int", bits, symmetric, granularity, observer: null },
    inputActivations: activations === 16 ? null : perToken(activations),
    format: activations === 16 ? "pack-quantized" : "int-quantized",
  };
}

/** How every preset of integers rounds activations. */
function perToken(bits: ActivationScheme["bits"]): ActivationScheme {
  return { type: "int", bits, symmetric: true, granularity: { strategy: "token" }, dynamic: true, observer: null };
}

/** The preset of that name, whatever its letter case: `w4a16`, `int8`. */
export function findPreset(name: string): Scheme | undefined {
  return PRESETS.find((candidate) => candidate.name === name.toUpperCase());
}

/** The error `scheme/unknown` of a name that is no preset; it tells a name that LLM Compressor knows from a wrong one. */
export function unknownScheme(name: string): LabError {
  const isBuiltElsewhere = NOT_BUILT.has(name.toUpperCase());
  return new LabError({
    code: "scheme/unknown",
    doing: "choosing a scheme",
    found: isBuiltElsewhere
      ? `"${quote(name)}", a scheme of LLM Compressor that the lab does not compute yet`
      : `no scheme named "${quote(name)}"`,
    allowed: `${PRESETS.map((known) => known.name).join(", ")}, or a custom scheme such as int4:group=32:asym`,
    advice: isBuiltElsewhere ? "take a scheme of integers" : "take one of these names",
    fields: { scheme: quote(name), isBuiltElsewhere },
  });
}
