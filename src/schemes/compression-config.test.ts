import { expect, test } from "vitest";
import { compressionConfig } from "./compression-config.ts";
import { parseRecipe } from "./recipe.ts";

const IGNORE = ["lm_head", "re:.*embed_tokens"];

/** What LLM Compressor 0.14 wrote of every `QuantizationArgs` unless a test says otherwise. */
const ARGS = {
  actorder: null,
  block_structure: null,
  dynamic: false,
  group_size: null,
  observer: null,
  observer_kwargs: {},
  scale_dtype: null,
  symmetric: true,
  type: "int",
  zp_dtype: null,
};
const W8A8 = {
  format: "int-quantized",
  input_activations: { ...ARGS, dynamic: true, num_bits: 8, strategy: "token" },
  output_activations: null,
  weights: { ...ARGS, num_bits: 8, strategy: "channel" },
};
const W4A16 = {
  format: "pack-quantized",
  input_activations: null,
  output_activations: null,
  weights: { ...ARGS, group_size: 128, num_bits: 4, strategy: "group" },
};
const ASYMMETRIC = { ...W4A16, weights: { ...W4A16.weights, symmetric: false, zp_dtype: "torch.int8" } };

const config = (format: string, groups: Record<string, unknown>) => ({
  config_groups: groups,
  format,
  global_compression_ratio: null,
  ignore: IGNORE,
  kv_cache_scheme: null,
  quant_method: "compressed-tensors",
  quantization_status: "compressed",
  transform_config: {},
  version: "0.19.0",
});

test("a preset for all modules gives the group its name", () => {
  expect(compressionConfig(parseRecipe("w4a16_asym"), IGNORE)).toEqual(
    config("pack-quantized", { W4A16_ASYM: { ...ASYMMETRIC, targets: ["Linear"] } }),
  );
  expect(compressionConfig(parseRecipe("magnitude:2:4 | int8"), IGNORE)).toEqual(
    config("int-quantized", { INT8: { ...W8A8, targets: ["Linear"] } }),
  );
});

test("any other groups are numbered, and two formats are mixed", () => {
  expect(compressionConfig(parseRecipe("W8A8@re:.*down_proj@re:.*v_proj; W4A16"), IGNORE)).toEqual(
    config("mixed-precision", {
      config_group_0: { ...W8A8, targets: ["re:.*down_proj", "re:.*v_proj"] },
      config_group_1: { ...W4A16, targets: ["Linear"] },
    }),
  );
  expect(compressionConfig(parseRecipe("W4A16@re:.*down_proj"), IGNORE)).toEqual(
    config("pack-quantized", { config_group_0: { ...W4A16, targets: ["re:.*down_proj"] } }),
  );
  expect(compressionConfig(parseRecipe("int3:tensor:asym"), IGNORE)).toEqual(
    config("pack-quantized", {
      config_group_0: {
        ...ASYMMETRIC,
        targets: ["Linear"],
        weights: { ...ASYMMETRIC.weights, group_size: null, num_bits: 3, strategy: "tensor" },
      },
    }),
  );
});

test("a group that no tensor falls to has no format, and none in the whole", () => {
  const recipe = parseRecipe("W8A8@re:.*nothing; W4A16_ASYM");
  expect(compressionConfig(recipe, IGNORE, new Set(recipe.groups.slice(0, 1)))).toEqual(
    config("pack-quantized", {
      config_group_0: { ...W8A8, format: null, targets: ["re:.*nothing"] },
      config_group_1: { ...ASYMMETRIC, targets: ["Linear"] },
    }),
  );
});

test.each([
  ["int8:channel/int8:tensor", { dynamic: true, num_bits: 8, strategy: "tensor" }],
  ["int8:channel/int4:group=32", { dynamic: true, group_size: 32, num_bits: 4, strategy: "group" }],
  [
    "int8:channel/int8:token:asym",
    { dynamic: true, num_bits: 8, strategy: "token", symmetric: false, zp_dtype: "torch.int8" },
  ],
  ["int8:channel/int8:tensor:static", { num_bits: 8, strategy: "tensor" }],
  [
    "int8:channel/int8:tensor:static=static_minmax:asym",
    { num_bits: 8, observer: "static_minmax", strategy: "tensor", symmetric: false, zp_dtype: "torch.int8" },
  ],
])("activations of %s are written as the tool writes them", (scheme, activations) => {
  expect(compressionConfig(parseRecipe(scheme), IGNORE)).toEqual(
    config("int-quantized", {
      config_group_0: { ...W8A8, input_activations: { ...ARGS, ...activations }, targets: ["Linear"] },
    }),
  );
});

test.each(["minmax", "memoryless_mse", "mse", "imatrix_mse"])(
  "the observer %s of weights keeps its name",
  (observer) => {
    expect(compressionConfig(parseRecipe(`int4:observer=${observer}`), IGNORE)).toEqual(
      config("pack-quantized", {
        config_group_0: { ...W4A16, targets: ["Linear"], weights: { ...W4A16.weights, observer } },
      }),
    );
  },
);

test("GPTQ's order of columns stands beside the weights of every group", () => {
  const ordered = <T extends { readonly weights: object }>(group: T) => ({
    ...group,
    weights: { ...group.weights, actorder: "static" },
  });
  expect(compressionConfig(parseRecipe("smoothquant+gptq | W8A8@re:.*down_proj; W4A16"), IGNORE)).toEqual(
    config("mixed-precision", {
      config_group_0: ordered({ ...W8A8, targets: ["re:.*down_proj"] }),
      config_group_1: ordered({ ...W4A16, targets: ["Linear"] }),
    }),
  );
  const plain = config("pack-quantized", { W4A16: { ...W4A16, targets: ["Linear"] } });
  expect(compressionConfig(parseRecipe("gptq:actorder=none | W4A16"), IGNORE)).toEqual(plain);
  expect(compressionConfig(parseRecipe("sparsegpt:2:4 | awq | W4A16"), IGNORE)).toEqual(plain);
});

test("nothing quantized, no config", () => {
  expect(compressionConfig(parseRecipe("magnitude:2:4 | none"), IGNORE)).toBeNull();
  expect(compressionConfig(parseRecipe("sparsegpt:0.5 | none"), IGNORE)).toBeNull();
});
