import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type Changes,
  changedGraph,
  GOLDEN,
  type Shapes,
  type StoredModel,
  storedModel,
  thrownBy,
} from "./families.cases.ts";
import type { DecoderGraph } from "./graph.ts";

function stored(name: string): StoredModel {
  const folder = `${GOLDEN}/${name}/model`;
  return storedModel(readFileSync(`${folder}/config.json`), readFileSync(`${folder}/model.safetensors`));
}

/** The graph of a golden model with some of its config changed, and other tensors if given. */
function graphOf(name: string, changes?: Changes, tensors?: (shapes: Shapes) => Shapes): DecoderGraph {
  return changedGraph(stored(name), changes, tensors);
}

function renamed(rename: (name: string) => string): (shapes: Shapes) => Shapes {
  return (shapes) => new Map([...shapes].map(([name, shape]) => [rename(name), shape]));
}

describe("older and other forms of a config mean the same", () => {
  const LLAMA3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16 };
  const NO_ROPE = { rope_parameters: undefined };
  const TWINS: readonly (readonly [name: string, what: string, changes: Changes])[] = [
    ["llama", "rope_theta", { ...NO_ROPE, rope_theta: 10000 }],
    ["llama", "no key of rotation, a head size of null", { ...NO_ROPE, head_dim: null, rms_norm_eps: undefined }],
    ["llama", "flags and activation absent", { attention_bias: undefined, mlp_bias: undefined, hidden_act: undefined }],
    ["llama", "swish", { hidden_act: "swish" }],
    ["llama", "an empty rope_scaling", { rope_scaling: {} }],
    [
      "llama3-rope-untied-bias",
      "rope_scaling",
      { ...NO_ROPE, rope_theta: 5e5, rope_scaling: { rope_type: "llama3", ...LLAMA3 } },
    ],
    [
      "llama3-rope-untied-bias",
      "type in rope_scaling",
      { ...NO_ROPE, rope_theta: 5e5, rope_scaling: { type: "llama3", ...LLAMA3 } },
    ],
    [
      "llama3-rope-untied-bias",
      "the original length beside",
      {
        original_max_position_embeddings: 16,
        rope_scaling: { rope_type: "llama3", rope_theta: 5e5, ...LLAMA3, original_max_position_embeddings: 99 },
      },
    ],
    [
      "llama3-rope-untied-bias",
      "no KV heads, no tie",
      { num_key_value_heads: undefined, tie_word_embeddings: undefined },
    ],
    ["mistral-window", "rope_theta", { ...NO_ROPE, rope_theta: 10000.0, head_dim: undefined }],
    [
      "qwen2",
      "windows that are off",
      { ...NO_ROPE, layer_types: undefined, sliding_window: 32, use_sliding_window: false },
    ],
    ["qwen3", "windows after the last layer", { layer_types: undefined, sliding_window: 9, use_sliding_window: true }],
    ["phi3", "partial_rotary_factor", { ...NO_ROPE, rope_theta: 10000, partial_rotary_factor: 1 }],
    ["phi3", "no key of rotation", { ...NO_ROPE, rms_norm_eps: undefined }],
    [
      "gemma2",
      "no layer_types, no caps, hidden_act beside",
      {
        ...NO_ROPE,
        layer_types: undefined,
        attn_logit_softcapping: undefined,
        final_logit_softcapping: undefined,
        hidden_act: "gelu",
        hidden_activation: undefined,
        tie_word_embeddings: undefined,
      },
    ],
    [
      "gemma3",
      "two bases",
      {
        ...NO_ROPE,
        rope_theta: 1e6,
        rope_local_base_freq: 10000,
        layer_types: undefined,
        sliding_window_pattern: 6,
      },
    ],
    ["gemma3", "no key of rotation", { ...NO_ROPE, layer_types: undefined, _sliding_window_pattern: undefined }],
    [
      "gpt2",
      "hidden_size and the rest",
      {
        n_embd: undefined,
        n_layer: undefined,
        n_head: undefined,
        n_positions: undefined,
        n_inner: 256,
        hidden_size: 64,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        max_position_embeddings: 128,
        tie_word_embeddings: undefined,
        activation_function: "gelu_pytorch_tanh",
      },
    ],
    [
      "gpt_neox",
      "rotary_pct and rotary_emb_base",
      { ...NO_ROPE, rotary_pct: 0.25, rotary_emb_base: 10000, rope_theta: 7 },
    ],
    [
      "gpt_neox",
      "no key of rotation or bias",
      { ...NO_ROPE, attention_bias: undefined, use_parallel_residual: undefined },
    ],
    [
      "opt",
      "keys absent",
      {
        enable_bias: undefined,
        do_layer_norm_before: undefined,
        word_embed_proj_dim: undefined,
        layer_norm_elementwise_affine: undefined,
        activation_function: undefined,
        tie_word_embeddings: undefined,
        _remove_final_layer_norm: undefined,
      },
    ],
    [
      "mixtral",
      "rope_theta absent, num_experts",
      {
        ...NO_ROPE,
        num_local_experts: undefined,
        num_experts: 4,
        num_experts_per_tok: undefined,
        rms_norm_eps: undefined,
      },
    ],
  ];

  test.each(TWINS)("%s: %s", (name, _, changes) => expect(graphOf(name, changes)).toEqual(graphOf(name)));
});

describe("settings change the graph", () => {
  const windowsOf = (graph: DecoderGraph) =>
    graph.layers.map((steps) => steps.flatMap((step) => (step.kind === "attend" ? [step.window] : []))[0]);
  const rotationsOf = (graph: DecoderGraph) =>
    graph.layers.map((steps) => steps.filter(({ kind }) => kind === "rotate").length);

  test("windows: of all layers, from a layer on, by turns, by a list", () => {
    expect(windowsOf(graphOf("mistral-window"))).toEqual([12, 12]);
    expect(windowsOf(graphOf("mistral-window", { sliding_window: null }))).toEqual([null, null]);
    expect(windowsOf(graphOf("mistral-window", { sliding_window: undefined }))).toEqual([4096, 4096]);
    const qwen = { layer_types: undefined, sliding_window: 6, use_sliding_window: true };
    expect(windowsOf(graphOf("qwen2", { ...qwen, max_window_layers: 1 }))).toEqual([null, 6]);
    expect(windowsOf(graphOf("qwen3", { ...qwen, max_window_layers: 0 }))).toEqual([6, 6]);
    expect(windowsOf(graphOf("gemma2", { layer_types: undefined }))).toEqual([12, null]);
    expect(windowsOf(graphOf("gemma3", { layer_types: undefined, sliding_window_pattern: 1 }))).toEqual([null, null]);
    expect(windowsOf(graphOf("gemma2", { layer_types: ["full_attention", "sliding_attention"] }))).toEqual([null, 12]);
    expect(windowsOf(graphOf("phi3", { sliding_window: 7 }))).toEqual([7, 7]);
    expect(windowsOf(graphOf("mixtral", { sliding_window: 7 }))).toEqual([7, 7]);
    expect(windowsOf(graphOf("llama", { sliding_window: 7 }))).toEqual([null, null]);
  });

  test("SmolLM3: layers without positions, by turns or by a list, and windows in those alone", () => {
    const smollm3 = { model_type: "smollm3" };
    expect(rotationsOf(graphOf("llama", smollm3))).toEqual([2, 2]);
    expect(rotationsOf(graphOf("llama", { ...smollm3, no_rope_layer_interval: 2 }))).toEqual([2, 0]);
    const listed = graphOf("llama", {
      ...smollm3,
      no_rope_layers: [0, 1, 1],
      use_sliding_window: true,
      sliding_window: 5,
    });
    expect([rotationsOf(listed), windowsOf(listed)]).toEqual([
      [0, 2],
      [5, null],
    ]);
  });

  test("Gemma 3: layers without window have a rotation of their own", () => {
    const graph = graphOf("gemma3", { layer_types: ["sliding_attention", "full_attention"] });
    const second = graph.layers.map((steps) => steps.flatMap((s) => (s.kind === "rotate" ? [s.frequencies[1]] : [])));
    expect(second.map((values) => new Set(values).size)).toEqual([1, 1]);
    // Bases 10000 and 1e6 at the second of 16 pairs.
    expect(second[0]?.[0]).toBeCloseTo(10_000 ** (-1 / 16), 6);
    expect(second[1]?.[0]).toBeCloseTo(1_000_000 ** (-1 / 16), 6);
  });

  test("GPT-NeoX: one block after the other", () => {
    const blocks = ({ layers }: DecoderGraph) =>
      (layers[0] ?? []).flatMap((s) => (s.kind === "add" ? [`${s.target} += ${s.source}`] : []));
    expect(blocks(graphOf("gpt_neox"))).toEqual(["normed += output", "hidden += normed"]);
    expect(blocks(graphOf("gpt_neox", { use_parallel_residual: false }))).toEqual([
      "hidden += output",
      "hidden += normed",
    ]);
  });

  test("GPT-2: scores that are not scaled", () => {
    const scale = (graph: DecoderGraph) =>
      graph.layers[0]?.flatMap((step) => (step.kind === "attend" ? [step.scale] : []));
    expect([scale(graphOf("gpt2")), scale(graphOf("gpt2", { scale_attn_weights: false }))]).toEqual([[0.25], [1]]);
  });

  test("Gemma: scaled embeddings, caps, and a scale of the scores that is not the head's", () => {
    const graph = graphOf("gemma2", { query_pre_attn_scalar: 100, final_logit_softcapping: null });
    const attend = graph.layers[0]?.find((step) => step.kind === "attend");
    expect(graph.embedding.scale).toBe(8);
    expect(attend).toMatchObject({ scale: 0.1, softCap: 50 });
    expect(graph.head.softCap).toBe(null);
    expect(graphOf("gemma2").head.softCap).toBe(30);
    expect(
      graphOf("gemma3", { attn_logit_softcapping: 50 }).layers[0]?.find((step) => step.kind === "attend")?.softCap,
    ).toBe(null);
  });
});

describe("stored under other names", () => {
  const withoutPrefix = (graph: DecoderGraph, prefix: string): unknown =>
    JSON.parse(JSON.stringify({ ...graph, registers: [...graph.registers] }).replaceAll(`"${prefix}`, '"'));

  test.each([
    ["llama", "model."],
    ["gemma2", "model."],
    ["gpt2", "transformer."],
    ["gpt_neox", "gpt_neox."],
    ["opt", "model."],
    ["opt", "model.decoder."],
  ])("%s without %s", (name, prefix) => {
    const bare = graphOf(
      name,
      {},
      renamed((tensor) => tensor.replace(prefix, "")),
    );
    expect(withoutPrefix(bare, "")).toEqual(withoutPrefix(graphOf(name), prefix));
  });

  test("a tied head may be stored in place of the embedding", () => {
    const graph = graphOf(
      "llama",
      {},
      renamed((tensor) => tensor.replace("model.embed_tokens", "lm_head")),
    );
    expect([graph.embedding.tensor, graph.head]).toEqual([
      "lm_head.weight",
      { module: "lm_head", tensor: "lm_head.weight", isTied: true, softCap: null },
    ]);
  });

  test("where both are stored each is taken for itself, and an untied head must be there", () => {
    const both = graphOf("llama", {}, (shapes) => new Map([...shapes, ["lm_head.weight", [160, 64]]]));
    expect([both.embedding.tensor, both.head.tensor, both.head.isTied]).toEqual([
      ...["model.embed_tokens.weight", "lm_head.weight"],
      false,
    ]);
    expect(thrownBy(() => graphOf("llama", { tie_word_embeddings: false }))).toMatchObject({
      fields: { tensor: "lm_head.weight" },
    });
  });

  test("GPT-NeoX's head under the name that transformers has for it now", () => {
    const graph = graphOf(
      "gpt_neox",
      {},
      renamed((tensor) => tensor.replace("embed_out", "lm_head")),
    );
    expect(graph.head).toEqual({ ...graphOf("gpt_neox").head, tensor: "lm_head.weight" });
  });

  test("Mixtral's experts by their roles", () => {
    const roles = { w1: "gate_proj", w2: "down_proj", w3: "up_proj" };
    const name = (tensor: string) =>
      tensor.replace("block_sparse_moe", "mlp").replace(/(?<=\.)w[123](?=\.)/, (w) => roles[w as keyof typeof roles]);
    const graph = graphOf("mixtral", {}, renamed(name));
    const expected = JSON.parse(JSON.stringify(graphOf("mixtral").layers), (_, value) =>
      typeof value === "string" ? name(value.endsWith(".weight") ? value : `${value}.`).replace(/\.$/, "") : value,
    );
    expect(graph.layers).toEqual(expected);
  });

  test("Mixtral's experts in two tensors: each matrix at its rows, and nothing else differs", () => {
    const fused = graphOf("mixtral", {}, (shapes) => {
      const rest = [...shapes].filter(([name]) => !name.includes(".experts."));
      const layers = [0, 1].map((layer) => `model.layers.${layer}.block_sparse_moe.experts`);
      return new Map([
        ...rest,
        ...layers.map((at) => [`${at}.gate_up_proj`, [4, 352, 64]] as const),
        ...layers.map((at) => [`${at}.down_proj`, [4, 64, 176]] as const),
      ]);
    });
    const at = "model.layers.1.block_sparse_moe.experts";
    const places = (fused.layers[1] ?? []).flatMap((step) =>
      step.kind === "linear" && step.module.startsWith(at)
        ? [[step.module, step.weight.tensor, step.weight.firstRow]]
        : [],
    );
    expect(places).toEqual(
      [0, 1, 2, 3].flatMap((expert) => [
        [`${at}.${expert}.gate_proj`, `${at}.gate_up_proj`, 352 * expert],
        [`${at}.${expert}.up_proj`, `${at}.gate_up_proj`, 352 * expert + 176],
        [`${at}.${expert}.down_proj`, `${at}.down_proj`, 64 * expert],
      ]),
    );
    const anonymous = ({ layers }: DecoderGraph) =>
      layers.map((steps) =>
        steps.map((step) => (step.kind === "linear" ? { ...step, module: "", weight: null } : step)),
      );
    expect(anonymous(fused)).toEqual(anonymous(graphOf("mixtral")));
  });
});
