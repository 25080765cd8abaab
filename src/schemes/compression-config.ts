import type { PlainJsonValue } from "../base/json.ts";
import type { Rounding } from "./method.ts";
import { findPreset } from "./presets.ts";
import { type ConfigGroup, EVERY_LINEAR, type Recipe } from "./recipe.ts";
import type { ActivationScheme, WeightScheme } from "./scheme.ts";

/** The compressed-tensors version whose config form is written. */
const CONFIG_VERSION = "0.19.0";

/** Keys of compressed-tensors' `QuantizationArgs` in a dump, with the values of a field left alone. */
const UNSET_ARGS = {
  actorder: null,
  block_structure: null,
  dynamic: false,
  group_size: null,
  num_bits: 8,
  observer: null,
  observer_kwargs: {},
  scale_dtype: null,
  strategy: null,
  symmetric: true,
  type: "int",
  zp_dtype: null,
} as const satisfies PlainJsonValue;

/**
 * `quantization_config` of a checkpoint in the form that `model_free_ptq` writes: a group under the name of its preset
 * where it is alone and for all modules, else `config_group_0` and so on. That tool refuses static activations; `oneshot`,
 * which writes them, names each observer that it took; here it stands under the name that its user gave it, and an unset one
 * stays null, for activations as for weights.
 * GPTQ's order of columns stands beside the weights of every group, as `oneshot` writes it for scales of any kind.
 * @param ignore as its user gave it; it is not resolved to module names
 * @param unmatched groups that no tensor of the checkpoint falls to; the tool leaves their format open
 * @returns null where the recipe quantizes nothing: such a checkpoint bears no such config
 * Source: LLM Compressor 0.14 `entrypoints/model_free/converter.py :: update_config`, `validate.py :: validate_config`,
 * `modifiers/gptq/base.py :: resolve_quantization_config`; compressed-tensors 0.19 `quantization/quant_config.py`,
 * `quant_args.py :: serialize_dtype`.
 */
export function compressionConfig(
  { groups, method }: Recipe,
  ignore: readonly string[],
  unmatched: ReadonlySet<ConfigGroup> = new Set(),
): { readonly [key: string]: PlainJsonValue } | null {
  if (groups.length === 0) return null;
  const formatOf = (group: ConfigGroup) => (unmatched.has(group) ? null : group.scheme.format);
  const formats = new Set(groups.map(formatOf).filter((format) => format !== null));
  const [format = "dense"] = formats;
  return {
    config_groups: Object.fromEntries(
      groupNames(groups).map(({ name, group: { scheme, targets }, group }) => [
        name,
        {
          format: formatOf(group),
          input_activations: scheme.inputActivations && activationArgs(scheme.inputActivations),
          output_activations: null,
          targets: targets.length === 0 ? [EVERY_LINEAR] : targets,
          weights: { ...quantizationArgs(scheme.weights), actorder: activationOrder(method.rounding) },
        },
      ]),
    ),
    format: formats.size > 1 ? "mixed-precision" : format,
    global_compression_ratio: null,
    ignore,
    kv_cache_scheme: null,
    quant_method: "compressed-tensors",
    quantization_status: "compressed",
    transform_config: {},
    version: CONFIG_VERSION,
  };
}

function activationOrder(rounding: Rounding): "static" | null {
  return rounding.kind === "gptq" && rounding.actorder === "static" ? "static" : null;
}

/** Whether a recipe is one preset for all modules, which the tools can be asked for by its name. */
export function isPlainPreset(groups: readonly ConfigGroup[]): boolean {
  const [first] = groups;
  return groups.length === 1 && first?.targets.length === 0 && findPreset(first.scheme.name) !== undefined;
}

/** The groups under the names that `model_free_ptq` gives them. */
export function groupNames(
  groups: readonly ConfigGroup[],
): readonly { readonly name: string; readonly group: ConfigGroup }[] {
  const isPreset = isPlainPreset(groups);
  return groups.map((group, at) => ({ name: isPreset ? group.scheme.name : `config_group_${at}`, group }));
}

function activationArgs(activations: ActivationScheme): PlainJsonValue {
  return { ...quantizationArgs(activations), dynamic: activations.dynamic };
}

function quantizationArgs({ bits, granularity, symmetric, observer }: WeightScheme | ActivationScheme) {
  return {
    ...UNSET_ARGS,
    group_size: granularity.strategy === "group" ? granularity.groupSize : null,
    num_bits: bits,
    observer,
    strategy: granularity.strategy,
    symmetric,
    zp_dtype: symmetric ? null : "torch.int8",
  };
}
