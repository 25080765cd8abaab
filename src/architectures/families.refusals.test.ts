import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { jsonFromPlain, type PlainJsonValue } from "../base/json.ts";
import { type Changes, changedGraph, GOLDEN, type StoredModel, storedModel, thrownBy } from "./families.cases.ts";
import { readDecoder } from "./families.ts";

function stored(name: string): StoredModel {
  const folder = `${GOLDEN}/${name}/model`;
  return storedModel(readFileSync(`${folder}/config.json`), readFileSync(`${folder}/model.safetensors`));
}

describe("what the lab cannot run is named, and that weights can be compared nonetheless", () => {
  const YARN = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32 };
  const FEATURES: readonly (readonly [name: string, feature: RegExp, changes: Changes])[] = [
    ["llama", /rope_type "yarn"/, { rope_scaling: YARN }],
    ["llama", /rope_type "dynamic"/, { rope_scaling: { type: "dynamic", factor: 2 } }],
    ["llama", /partial_rotary_factor 0.5/, { partial_rotary_factor: 0.5 }],
    ["llama", /activation "quick_gelu"/, { hidden_act: "quick_gelu" }],
    ["qwen2", /layer_types with "chunked_attention"/, { layer_types: ["full_attention", "chunked_attention"] }],
    ["qwen2", /rope_parameters for each kind/, { rope_parameters: { full_attention: { rope_theta: 10000 } } }],
    ["phi3", /rope_type "longrope"/, { rope_scaling: { type: "longrope", short_factor: [], long_factor: [] } }],
    ["phi3", /rope_type "linear"/, { rope_scaling: { type: "linear", factor: 2 } }],
    ["gemma2", /use_bidirectional_attention/, { use_bidirectional_attention: true }],
    ["gpt2", /scale_attn_by_inverse_layer_idx/, { scale_attn_by_inverse_layer_idx: true }],
    ["gpt2", /add_cross_attention/, { add_cross_attention: true }],
    ["opt", /word_embed_proj_dim 32/, { word_embed_proj_dim: 32 }],
    ["opt", /do_layer_norm_before false/, { do_layer_norm_before: false }],
    ["opt", /layer_norm_elementwise_affine false/, { layer_norm_elementwise_affine: false }],
    ["opt", /_remove_final_layer_norm/, { _remove_final_layer_norm: true }],
    ["llama", /model_type "bert", an encoder/, { model_type: "bert" }],
    ["llama", /model_type "t5", an encoder with a decoder/, { model_type: "t5" }],
    ["llama", /model_type "gemma3", a model of images/, { model_type: "gemma3" }],
  ];

  test.each(FEATURES)("%s: %s", (name, feature, changes) => {
    const error = thrownBy(() => changedGraph(stored(name), changes));
    expect(error).toMatchObject({
      code: "config/unsupported-feature",
      advice: expect.stringContaining("the weight-only comparison works"),
      fields: { feature: expect.stringMatching(feature) },
    });
    // The file is right: it breaks no rule.
    expect(error).not.toHaveProperty("fields.rule");
  });

  test("a model_type that nobody has heard of, or none, is unknown", () => {
    for (const changes of [{ model_type: "zebra" }, { model_type: undefined }, { model_type: 7 }]) {
      expect(thrownBy(() => changedGraph(stored("llama"), changes))).toMatchObject({
        code: "config/unknown-architecture",
      });
    }
  });
});

describe("a config that contradicts itself", () => {
  const WRONG: readonly (readonly [name: string, key: string, changes: Changes])[] = [
    ["llama", "num_key_value_heads", { num_key_value_heads: 3 }],
    ["llama", "head_dim", { head_dim: 15 }],
    ["llama", "head_dim", { head_dim: null, hidden_size: 2 ** 40 }],
    ["llama", "rope_theta", { rope_theta: "much", rope_parameters: null }],
    ["llama", "rope_scaling.factor", { rope_scaling: { type: "linear", factor: -1 } }],
    ["llama", "rope_scaling", { rope_scaling: "linear" }],
    ["llama", "attention_bias", { attention_bias: "yes" }],
    [
      "llama3-rope-untied-bias",
      "high_freq_factor",
      {
        rope_scaling: { type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 4 },
      },
    ],
    ["qwen2", "layer_types", { layer_types: ["full_attention"] }],
    ["qwen2", "sliding_window", { layer_types: ["full_attention", "sliding_attention"] }],
    ["gemma2", "sliding_window", { sliding_window: null }],
    ["gemma3", "rope_parameters", { rope_parameters: { rope_type: "default", rope_theta: 10000 } }],
    ["gpt_neox", "rotary_pct", { rope_parameters: null, rotary_pct: 1.5 }],
    ["gpt2", "num_attention_heads", { n_head: 5 }],
    ["mixtral", "num_experts_per_tok", { num_experts_per_tok: 5 }],
  ];

  test.each(WRONG)("%s: %s", (name, key, changes) => {
    expect(thrownBy(() => changedGraph(stored(name), changes))).toMatchObject({
      code: "config/bad-value",
      fields: { key },
    });
  });

  test.each([
    ["llama", "vocab_size"],
    ["llama", "hidden_size"],
    ["qwen3", "intermediate_size"],
    ["gemma3", "num_hidden_layers"],
    ["gpt2", "n_embd"],
    ["opt", "ffn_dim"],
  ])("%s without %s", (name, key) => {
    expect(thrownBy(() => changedGraph(stored(name), { [key]: undefined }))).toMatchObject({
      code: "config/missing-key",
      fields: { key },
    });
  });

  test("whatever stands at a key, there is a graph or an error of the lab", () => {
    const names = ["llama", "gemma3", "gpt2", "gpt_neox", "opt", "mixtral", "phi3", "qwen3"];
    const models = new Map(names.map((name) => [name, stored(name)]));
    const keys = ["rope_parameters", "rope_scaling", "layer_types", "no_rope_layers", "head_dim", "sliding_window"];
    const integers = fc.integer({ min: -3, max: 2 ** 40 });
    const value = fc.oneof(integers, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.jsonValue());
    const anyKey = fc.constantFrom(...keys, ...[...models.values()].flatMap(({ config }) => [...config.keys()]));
    fc.assert(
      fc.property(fc.constantFrom(...models.values()), anyKey, value, ({ config, shapes }, key, found) => {
        const changed = new Map(config).set(key, jsonFromPlain(found as PlainJsonValue));
        try {
          readDecoder(changed, (tensor) => shapes.get(tensor) ?? null);
        } catch (error) {
          expect(error).toBeInstanceOf(LabError);
          expect((error as LabError).code).toMatch(/^config\//);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
