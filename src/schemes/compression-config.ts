import type { PlainJsonValue } from "../base/json.ts";
import type { Scheme } from "./scheme.ts";

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
 * `quantization_config` of a checkpoint in the form that `model_free_ptq` writes.
 * @param ignore as its user gave it; it is not resolved to module names
 * Source: LLM Compressor 0.14 `entrypoints/model_free/save_utils.py :: update_config`, compressed-tensors 0.19
 * `quantization/quant_config.py`.
 */
export function compressionConfig(
  scheme: Scheme,
  ignore: readonly string[],
): { readonly [key: string]: PlainJsonValue } {
  const { weights, inputActivations } = scheme;
  const { granularity } = weights;
  return {
    config_groups: {
      [scheme.name]: {
        format: scheme.format,
        input_activations: inputActivations && {
          ...UNSET_ARGS,
          dynamic: true,
          num_bits: inputActivations.bits,
          strategy: inputActivations.strategy,
        },
        output_activations: null,
        targets: ["Linear"],
        weights: {
          ...UNSET_ARGS,
          group_size: granularity.strategy === "group" ? granularity.groupSize : null,
          num_bits: weights.bits,
          strategy: granularity.strategy,
        },
      },
    },
    format: scheme.format,
    global_compression_ratio: null,
    ignore,
    kv_cache_scheme: null,
    quant_method: "compressed-tensors",
    quantization_status: "compressed",
    transform_config: {},
    version: CONFIG_VERSION,
  };
}
