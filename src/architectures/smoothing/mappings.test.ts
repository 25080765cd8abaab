import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { type Changes, changedGraph, GOLDEN, type Shapes, storedModel } from "../families.cases.ts";
import type { DecoderGraph } from "../graph.ts";
import { type SmoothingMappings, type SmoothingUse, smoothedNorm, smoothingMappings } from "./mappings.ts";
import { loadedName } from "./patterns.ts";

const MAPPINGS = "fixtures/golden/mappings";
const USES: readonly SmoothingUse[] = ["smoothquant", "awq"];

interface ToolMapping {
  readonly smooth: string;
  readonly balance: readonly string[];
  readonly parent: string;
  /** Whether random scales leave the logits of the real model as they are. */
  readonly preserves: boolean;
}

type ToolAnswer = { readonly mappings: readonly ToolMapping[] } | { readonly error: string; readonly cause: string };

interface GoldenCase extends Readonly<Record<SmoothingUse, ToolAnswer>> {
  readonly name: string;
  readonly base: string;
  readonly changes: Changes;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const CASES: readonly GoldenCase[] = JSON.parse(readFileSync(`${MAPPINGS}/golden.json`, "utf8"));
const ROWS = CASES.flatMap((golden) => USES.map((use) => ({ name: golden.name, use, golden, tool: golden[use] })));

function graphOf(base: string, changes: Changes = {}, tensors?: (shapes: Shapes) => Shapes): DecoderGraph {
  const file = (name: string) => readFileSync(`${GOLDEN}/${base}/model/${name}`);
  return changedGraph(storedModel(file("config.json"), file("model.safetensors")), changes, tensors);
}

function goldenGraph({ base, changes, shapes }: GoldenCase): DecoderGraph {
  return graphOf(base, changes, (stored) => new Map([...stored, ...Object.entries(shapes)]));
}

/** Of the first layer, by the names of smooth layers. */
function firstRefusals({ refused }: SmoothingMappings): Readonly<Record<string, string>> {
  return Object.fromEntries(refused.filter(({ layer }) => layer === 0).map(({ name, reason }) => [name, reason]));
}

describe("against LLM Compressor", () => {
  test("every stored architecture is compared", () => {
    expect(new Set(CASES.map(({ base }) => base)).size).toBe(12);
    expect(ROWS.filter(({ tool }) => "mappings" in tool && tool.mappings.length > 0)).toHaveLength(30);
  });

  test.each(ROWS)("$name, $use: what it scales is scaled, but for what changes the model", ({ use, golden, tool }) => {
    const { mappings, refused } = smoothingMappings(goldenGraph(golden), use);
    const ours = mappings.map(({ name, balance, parent }) => ({
      smooth: name,
      balance: balance.map(({ module }) => loadedName(module)),
      parent: loadedName(parent.module),
    }));
    // The tool lists mapping by mapping, and applies them layer by layer.
    const layerOf = ({ smooth }: ToolMapping) => Number(/\.layers\.(\d+)\./.exec(smooth)?.[1]);
    const tools = "mappings" in tool ? tool.mappings.toSorted((one, other) => layerOf(one) - layerOf(other)) : [];
    const kept = tools.filter(({ preserves }) => preserves);
    expect(ours).toEqual(kept.map(({ smooth, balance, parent }) => ({ smooth, balance, parent })));
    const harmful = refused.filter(({ reason }) => reason.includes("which changes the model"));
    expect(harmful.map(({ name }) => name)).toEqual(
      tools.filter(({ preserves }) => !preserves).map(({ smooth }) => smooth),
    );
    expect(refused.some(({ reason }) => reason.includes("stops with an error"))).toBe("error" in tool);
  });

  test("norms are divided to the bit as they are stored, with and without offset", () => {
    const rows: readonly {
      readonly element: FloatName;
      readonly offset: 0 | 1;
      readonly weights: readonly number[];
      readonly scales: readonly number[];
      readonly stored: readonly number[];
    }[] = JSON.parse(readFileSync(`${MAPPINGS}/norms.json`, "utf8"));
    expect(rows).toHaveLength(6);
    for (const { element, offset, weights, scales, stored } of rows) {
      const { round } = FLOAT_FORMATS[element];
      expect(weights.map((weight, at) => smoothedNorm(weight, scales[at] ?? 0, offset, round))).toEqual(stored);
    }
  });
});

describe("what is refused, and why", () => {
  const HEADS = "several query heads share a value head";
  const ALL_THE_SAME = "LLM Compressor scales it all the same, which changes the model";
  const rows: readonly (readonly [string, SmoothingUse, Readonly<Record<string, string>>])[] = [
    ["llama", "smoothquant", {}],
    ["llama", "awq", { "model.layers.0.self_attn.v_proj": `v_proj makes 32 features, o_proj takes 64: ${HEADS}` }],
    [
      "phi3",
      "awq",
      { "model.layers.0.self_attn.qkv_proj": `qkv_proj makes 32 features for values, o_proj takes 64: ${HEADS}` },
    ],
    [
      "gemma2",
      "smoothquant",
      {
        "model.layers.0.post_attention_layernorm": `the residual stream reads the same values and cannot make up for the scales; ${ALL_THE_SAME}`,
      },
    ],
    [
      "gemma3",
      "awq",
      {
        "model.layers.0.input_layernorm":
          "LLM Compressor leaves it out: queries and keys are normalized after their projections, and smoothing them was worse than rounding",
        "model.layers.0.self_attn.v_proj": `v_proj makes 64 features, o_proj takes 128: ${HEADS}`,
      },
    ],
    [
      "mixtral",
      "smoothquant",
      {
        "model.layers.0.post_attention_layernorm":
          "LLM Compressor leaves it out: one scale for all experts unbalances them",
      },
    ],
    [
      "mixtral",
      "awq",
      {
        "model.layers.0.self_attn.v_proj": `v_proj makes 32 features, o_proj takes 64: ${HEADS}`,
        "model.layers.0.post_attention_layernorm": `model.layers.0.mlp.gate reads the same values and cannot make up for the scales; ${ALL_THE_SAME}`,
      },
    ],
    [
      "gpt2",
      "smoothquant",
      {
        input_layernorm:
          "no module of the layer is named input_layernorm, q_proj, k_proj, v_proj; LLM Compressor passes over it",
        post_attention_layernorm:
          "no module of the layer is named post_attention_layernorm, gate_proj, up_proj; LLM Compressor passes over it",
      },
    ],
    [
      "gpt_neox",
      "awq",
      {
        "gpt_neox.layers.0.input_layernorm":
          "no module of the layer is named q_proj, k_proj, v_proj; LLM Compressor stops with an error, for it finds input_layernorm",
        v_proj: "no module of the layer is named v_proj, o_proj; LLM Compressor passes over it",
        "gpt_neox.layers.0.post_attention_layernorm":
          "no module of the layer is named gate_proj, up_proj; LLM Compressor stops with an error, for it finds post_attention_layernorm",
        up_proj: "no module of the layer is named up_proj, down_proj; LLM Compressor passes over it",
      },
    ],
    [
      "opt",
      "smoothquant",
      {
        input_layernorm:
          "no module of the layer is named input_layernorm; LLM Compressor stops with an error, for it finds q_proj, k_proj, v_proj",
        post_attention_layernorm:
          "no module of the layer is named post_attention_layernorm, gate_proj, up_proj; LLM Compressor passes over it",
      },
    ],
  ];

  test.each(rows)("%s, %s", (name, use, refusals) => {
    expect(firstRefusals(smoothingMappings(graphOf(name), use))).toEqual(refusals);
  });
});

describe("what is divided", () => {
  const smoothOf = (graph: DecoderGraph, use: SmoothingUse, name: string) =>
    smoothingMappings(graph, use).mappings.find((mapping) => mapping.name === name)?.smooth;

  test("Gemma's norms carry the offset", () => {
    expect(smoothOf(graphOf("gemma2"), "awq", "model.layers.1.pre_feedforward_layernorm")).toEqual({
      kind: "norm",
      weight: "model.layers.1.pre_feedforward_layernorm.weight",
      bias: null,
      offset: 1,
    });
  });

  test("a bias goes with its rows", () => {
    const name = "model.layers.0.self_attn.v_proj";
    expect(smoothOf(graphOf("llama3-rope-untied-bias"), "awq", name)).toEqual({
      kind: "linear",
      module: name,
      weight: { tensor: `${name}.weight`, firstRow: 0, isTransposed: false },
      bias: `${name}.bias`,
      firstRow: 0,
    });
  });

  test("of fused matrices the last rows: values, and what an activation is multiplied with", () => {
    const golden = CASES.find(({ name }) => name === "phi3 without groups");
    const graph = golden && goldenGraph(golden);
    const rows = (graph ? smoothingMappings(graph, "awq").mappings : []).flatMap(({ layer, smooth, channels }) =>
      layer === 0 && smooth.kind === "linear" ? [[smooth.module, smooth.firstRow, channels]] : [],
    );
    expect(rows).toEqual([
      ["model.layers.0.self_attn.qkv_proj", 128, 64],
      ["model.layers.0.mlp.gate_up_proj", 176, 176],
    ]);
  });

  test("experts in one tensor are found where they stand", () => {
    const fused = (shapes: Shapes): Shapes => {
      const others = [...shapes].filter(([tensor]) => !tensor.includes(".experts."));
      const experts = [0, 1].flatMap((layer): [string, readonly number[]][] => {
        const at = `model.layers.${layer}.block_sparse_moe.experts`;
        return [
          [`${at}.gate_up_proj`, [4, 352, 64]],
          [`${at}.down_proj`, [4, 64, 176]],
        ];
      });
      return new Map([...others, ...experts]);
    };
    const { mappings } = smoothingMappings(graphOf("mixtral", {}, fused), "awq");
    const third = mappings.find(({ name }) => name === "model.layers.1.mlp.experts.2.up_proj");
    const at = "model.layers.1.block_sparse_moe.experts";
    expect(third).toMatchObject({
      smooth: { module: `${at}.2.up_proj`, weight: { tensor: `${at}.gate_up_proj`, firstRow: 880 }, firstRow: 0 },
      balance: [{ module: `${at}.2.down_proj`, weight: { tensor: `${at}.down_proj`, firstRow: 128 }, outFeatures: 64 }],
      channels: 176,
    });
  });
});
