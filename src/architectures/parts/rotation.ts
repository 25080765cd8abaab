import type { ConfigReader } from "../architecture.ts";
import type { Heads, RotateStep } from "../graph.ts";
import { badValue, missingKey, unsupportedFeature } from "./config-errors.ts";

/** Angles of rotary position embeddings, in radians per position; one for each pair of columns. */
export type Frequencies = readonly number[];

/** Where the settings of a rotation stand in a config, and what stands for those that are absent. */
export interface RotationDefaults {
  /** Base of the wavelengths. */
  readonly theta: number;
  /** Key of the base in older configs. */
  readonly thetaKey: string;
  /** Part of each head that is rotated, and its key in older configs; null for families that rotate whole heads. */
  readonly partial: { readonly factor: number; readonly key: string } | null;
  /** Values of `rope_type` that the family knows. */
  readonly types: readonly RotationType[];
}

export type RotationType = "default" | "linear" | "llama3";

/** What most families do. */
export const WHOLE_HEADS: RotationDefaults = {
  theta: 10_000,
  thetaKey: "rope_theta",
  partial: null,
  types: ["default", "linear", "llama3"],
};

/**
 * The frequencies of a model with one rotation for all layers: `rope_parameters` today, `rope_scaling` and keys beside it in
 * older configs. Where both stand, `rope_scaling` counts, and a key inside of them before one beside them.
 * Source: transformers 5.17 `modeling_rope_utils.py`, `convert_rope_params_to_dict` and `standardize_rope_params`.
 */
export function readFrequencies(config: ConfigReader, headDim: number, defaults: RotationDefaults): Frequencies {
  const settings = config.optionalObject("rope_scaling") ?? config.optionalObject("rope_parameters");
  for (const layerType of ["full_attention", "sliding_attention"]) {
    if (settings?.has(layerType)) {
      throw unsupportedFeature(
        `rope_parameters for each kind of layer ("${layerType}")`,
        "one rotation for all layers",
      );
    }
  }
  return frequenciesOf(config, settings, headDim, defaults);
}

/**
 * Frequencies from their settings.
 * @param config of the model, for keys beside the settings
 * @param settings the object that has `rope_type`; null for none
 * @throws LabError `config/unsupported-feature` for other types of scaling, `config/missing-key`, `config/bad-value`
 */
export function frequenciesOf(
  config: ConfigReader,
  settings: ConfigReader | null,
  headDim: number,
  { theta, thetaKey, partial, types }: RotationDefaults,
): Frequencies {
  const type = settings?.optionalText("rope_type", "type") ?? "default";
  const known = types.find((name) => name === type);
  if (!known) throw unsupportedFeature(`rope_type "${type}"`, types.join(", "));
  const base = settings?.optionalNumber("rope_theta") ?? config.optionalNumber(thetaKey) ?? theta;
  const factor = partialFactor(config, settings, partial);
  const rotated = Math.floor(headDim * factor);
  const frequencies = plainFrequencies(base, rotated);
  if (2 * frequencies.length > headDim) {
    throw badValue("head_dim", `${headDim}`, "an even number, because columns are rotated in pairs");
  }
  if (!settings || known === "default") return frequencies;
  const scale = required(settings, "factor");
  if (known === "linear") return frequencies.map((frequency) => Math.fround(frequency / Math.fround(scale)));
  return llama3Frequencies(frequencies, {
    factor: scale,
    lowFactor: required(settings, "low_freq_factor"),
    highFactor: required(settings, "high_freq_factor"),
    originalPositions:
      config.optionalInteger("original_max_position_embeddings") ??
      settings.optionalInteger("original_max_position_embeddings") ??
      config.integer("max_position_embeddings"),
  });
}

/** A rotation of all heads in place. */
export function rotate(heads: Heads, frequencies: Frequencies): RotateStep {
  return { kind: "rotate", heads, frequencies, scale: 1, pairing: "halves" };
}

/**
 * 1 / base^(2i / dim), in float32 steps as PyTorch takes them. Its power is not rounded correctly, so that one in a hundred
 * differs from these by one or two units in the last place; which ones depends on the processor that PyTorch runs on.
 */
function plainFrequencies(base: number, dim: number): Frequencies {
  const frequencies: number[] = [];
  for (let column = 0; column < dim; column += 2) {
    frequencies.push(Math.fround(1 / Math.fround(Math.fround(base) ** Math.fround(column / dim))));
  }
  return frequencies;
}

interface Llama3Scaling {
  readonly factor: number;
  readonly lowFactor: number;
  readonly highFactor: number;
  readonly originalPositions: number;
}

/**
 * Long wavelengths are stretched by the factor, short ones stay, those between are interpolated.
 * Source: transformers 5.17 `modeling_rope_utils.py`, `_compute_llama3_parameters`. A number divided by a tensor is, in
 * PyTorch, the number times the reciprocal.
 */
function llama3Frequencies(frequencies: Frequencies, scaling: Llama3Scaling): Frequencies {
  const f = Math.fround;
  const { factor, lowFactor, highFactor, originalPositions } = scaling;
  if (!(highFactor > lowFactor)) {
    throw badValue("high_freq_factor", `${highFactor}`, `a number above low_freq_factor, ${lowFactor}`);
  }
  const longest = f(originalPositions / lowFactor);
  const shortest = f(originalPositions / highFactor);
  return frequencies.map((frequency) => {
    const wavelength = f(f(1 / frequency) * f(2 * Math.PI));
    if (wavelength > longest) return f(frequency / f(factor));
    if (wavelength < shortest) return frequency;
    const turns = f(f(1 / wavelength) * f(originalPositions));
    const smooth = f(f(turns - f(lowFactor)) / f(highFactor - lowFactor));
    const stretched = f(f(f(1 - smooth) * frequency) / f(factor));
    return f(stretched + f(smooth * frequency));
  });
}

function partialFactor(
  config: ConfigReader,
  settings: ConfigReader | null,
  partial: RotationDefaults["partial"],
): number {
  const stated = settings?.optionalNumber("partial_rotary_factor");
  if (!partial) {
    const factor = stated ?? config.optionalNumber("partial_rotary_factor") ?? 1;
    if (factor !== 1) throw unsupportedFeature(`partial_rotary_factor ${factor}`, "rotation of whole heads here");
    return 1;
  }
  const factor = stated ?? config.optionalNumber(partial.key) ?? partial.factor;
  if (factor > 1) throw badValue(partial.key, `${factor}`, "a number from 0 to 1");
  return factor;
}

function required(settings: ConfigReader, key: string): number {
  const value = settings.optionalNumber(key);
  if (value === null) throw missingKey(key, [key]);
  return value;
}
