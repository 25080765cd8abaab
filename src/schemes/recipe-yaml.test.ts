import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseRecipe } from "./recipe.ts";
import { recipeYaml } from "./recipe-yaml.ts";

const IGNORE = ["lm_head", "re:.*embed_tokens", "a: #b"];
const text = (spec: string) => recipeYaml(parseRecipe(spec), IGNORE, "triton") ?? "";
const modifier = (spec: string) => parse(text(spec)).quant_stage.quant_modifiers.QuantizationModifier;

test("a preset is named, the arithmetic is in a comment only", () => {
  expect(parse(text("W4A16"))).toEqual({
    quant_stage: {
      quant_modifiers: { QuantizationModifier: { targets: ["Linear"], scheme: "W4A16", ignore: IGNORE } },
    },
  });
  expect(text("W4A16")).toMatch(/^# arithmetic: triton/m);
  expect(text("W4A16")).not.toContain("PRUNE");
});

test("what no preset says is spelled out", () => {
  expect(modifier("int4:asym:group=32")).toEqual({
    config_groups: {
      config_group_0: {
        targets: ["Linear"],
        weights: { num_bits: 4, type: "int", symmetric: false, strategy: "group", group_size: 32 },
      },
    },
    ignore: IGNORE,
  });
  expect(modifier("W8A8@re:.*down_proj@re:.*v_proj; int3:tensor")).toEqual({
    config_groups: {
      config_group_0: {
        targets: ["re:.*down_proj", "re:.*v_proj"],
        weights: { num_bits: 8, type: "int", symmetric: true, strategy: "channel" },
        input_activations: { num_bits: 8, type: "int", symmetric: true, strategy: "token", dynamic: true },
      },
      config_group_1: {
        targets: ["Linear"],
        weights: { num_bits: 3, type: "int", symmetric: true, strategy: "tensor" },
      },
    },
    ignore: IGNORE,
  });
});

test.each([
  ["memoryless_minmax", false, false],
  ["static_minmax", false, false],
  ["memoryless_mse", true, false],
  ["mse", true, false],
  ["imatrix_mse", false, true],
])(
  "the observer %s of weights is written under its name; another on CUDA: %s, a dataset: %s",
  (observer, isOther, needsDataset) => {
    expect(modifier(`int4:group=32:observer=${observer}`).config_groups.config_group_0.weights).toEqual({
      num_bits: 4,
      type: "int",
      symmetric: true,
      strategy: "group",
      group_size: 32,
      observer,
    });
    expect(text(`int4:observer=${observer}`).includes("NOT THE SAME")).toBe(isOther);
    expect(text(`int4:observer=${observer}`).includes("give oneshot the dataset")).toBe(needsDataset);
  },
);

test.each([
  ["int8/int4:token", { num_bits: 4, type: "int", symmetric: true, strategy: "token", dynamic: true }],
  [
    "int8/int8:group=32",
    { num_bits: 8, type: "int", symmetric: true, strategy: "group", group_size: 32, dynamic: true },
  ],
  ["int8/int8:tensor:asym", { num_bits: 8, type: "int", symmetric: false, strategy: "tensor", dynamic: true }],
  ["int8/int8:tensor:static", { num_bits: 8, type: "int", symmetric: true, strategy: "tensor", dynamic: false }],
  [
    "int8/int8:tensor:static=memoryless_minmax",
    {
      num_bits: 8,
      type: "int",
      symmetric: true,
      strategy: "tensor",
      dynamic: false,
      observer: "memoryless_minmax",
    },
  ],
])("activations of %s are spelled out", (spec, fields) => {
  expect(modifier(spec).config_groups.config_group_0.input_activations).toEqual(fields);
});

test("static activations ask for a dataset in words", () => {
  expect(text("int8/int8:tensor:static")).toMatch(/^# Its static activations .* dataset/m);
  expect(text("int8/int8:tensor")).not.toContain("dataset");
});

test("a pruning is asked for in words, because no modifier can make it", () => {
  expect(modifier("magnitude:2:4 | W4A16")).toEqual(modifier("W4A16"));
  expect(text("magnitude:2:4 | W4A16")).toMatch(/^# PRUNE FIRST[\s\S]*^# "magnitude:2:4 \| none"/m);
  expect(recipeYaml(parseRecipe("magnitude:2:4 | none"), IGNORE, "eager")).toBeNull();
  expect(recipeYaml(parseRecipe("wanda:channels:0.25 | none"), IGNORE, "eager")).toBeNull();
});

/** The modifiers of all stages and groups, in order, as LLM Compressor strings them. */
function modifiers(spec: string): readonly (readonly [string, unknown])[] {
  const stages: Record<string, Record<string, Record<string, unknown>>> = parse(text(spec));
  expect(Object.keys(stages).every((key) => key.endsWith("_stage"))).toBe(true);
  const groups = Object.values(stages).flatMap((stage) => Object.entries(stage));
  expect(groups.every(([key]) => key.endsWith("_modifiers"))).toBe(true);
  return groups.flatMap(([, group]) => Object.entries(group));
}

const LINEAR = { targets: ["Linear"], ignore: IGNORE };

test("what is done to the weights comes before their rounding, in order", () => {
  expect(modifiers("gptq:actorder=none:damp=0.05 | W8A16")).toEqual([
    ["GPTQModifier", { ...LINEAR, scheme: "W8A16", actorder: null, dampening_frac: 0.05 }],
  ]);
  expect(modifiers("smoothquant:strength=0.8+awq:duo=both:grid=10+gptq | W4A16")).toEqual([
    ["SmoothQuantModifier", { smoothing_strength: 0.8 }],
    ["AWQModifier", { duo_scaling: "both", n_grid: 10 }],
    ["GPTQModifier", { ...LINEAR, scheme: "W4A16", actorder: "static", dampening_frac: 0.01 }],
  ]);
  expect(modifiers("awq:duo=no | W4A16")).toEqual([
    ["AWQModifier", { duo_scaling: false, n_grid: 20 }],
    ["QuantizationModifier", { ...LINEAR, scheme: "W4A16" }],
  ]);
  expect(modifiers("gptq | int4:channel")[0]?.[1]).toMatchObject({
    config_groups: { config_group_0: { weights: { num_bits: 4, strategy: "channel" } } },
    actorder: "static",
  });
});

test("layers of another strength have a modifier of their own, which leaves the rest alone", () => {
  const smoothings = modifiers("smoothquant:strength=0.3:layers=1/0.8,2/1,11-12/0.8 | W8A8").slice(0, -1);
  const strengthsOf = (layer: number) =>
    smoothings.flatMap(([name, fields]) => {
      const { smoothing_strength, ignore } = fields as { smoothing_strength: number; ignore: string[] };
      const patterns = ignore.map((entry) => new RegExp(`^(?:${entry.replace(/^re:/, "")})`));
      const isIgnored = [`model.layers.${layer}.input_layernorm`, `transformer.h.${layer}.mlp.experts.1.w2`].map(
        (module) => patterns.some((pattern) => pattern.test(module)),
      );
      expect([name, isIgnored[0]]).toEqual(["SmoothQuantModifier", isIgnored[1]]);
      return isIgnored[0] ? [] : [smoothing_strength];
    });
  expect([0, 1, 2, 3, 10, 11, 12, 13, 21].map(strengthsOf)).toEqual(
    [0.3, 0.8, 1, 0.3, 0.3, 0.8, 0.8, 0.3, 0.3].map((strength) => [strength]),
  );
});

test.each([
  ["wanda:2:4 | none", "WandaPruningModifier", { sparsity: 0.5, mask_structure: "2:4" }],
  ["sparsegpt:1:4 | none", "SparseGPTModifier", { sparsity: 0.25, mask_structure: "1:4" }],
  ["sparsegpt:0.3 | none", "SparseGPTModifier", { sparsity: 0.3, mask_structure: "0:0" }],
])("%s is a stage of its own", (spec, name, fields) => {
  // Names of the pruning modifiers end in a dot where a target is a class, which plain entries would miss.
  const ignore = [String.raw`re:lm_head\.?$`, "re:.*embed_tokens", String.raw`re:a: #b\.?$`];
  expect(parse(text(spec))).toEqual({
    prune_stage: { pruning_modifiers: { [name]: { ...fields, targets: ["Linear"], ignore } } },
  });
  // 2:4 without quotes is a number of base 60 in YAML 1.1, which the tool reads.
  expect(text(spec)).toMatch(/mask_structure: "/);
});

test("patterns of ignored modules still end where they ended", () => {
  const written =
    recipeYaml(parseRecipe("wanda:2:4 | none"), [String.raw`re:.*[$]\$?_proj$|re$`, "a.b"], "eager") ?? "";
  expect(parse(written).prune_stage.pruning_modifiers.WandaPruningModifier.ignore).toEqual([
    String.raw`re:.*[$]\$?_proj(?=\.?$)|re(?=\.?$)`,
    String.raw`re:a\.b\.?$`,
  ]);
});

test("pruning comes before what is done to the weights", () => {
  expect(modifiers("sparsegpt:2:4 | smoothquant+gptq | W8A8").map(([name]) => name)).toEqual([
    "SparseGPTModifier",
    "SmoothQuantModifier",
    "GPTQModifier",
  ]);
});

test.each([
  ["smoothquant | W8A8", false],
  ["smoothquant:rule=paper | W8A8", true],
  ["awq | W4A16", false],
  ["awq:clip | W4A16", true],
  ["gptq | W4A16", false],
  ["sparsegpt:2:4 | W4A16", false],
  ["sparsegpt:2:4 | gptq | W4A16", true],
  ["wanda:2:4 | gptq | W4A16", false],
])("%s: that the tool does something else is among the first lines: %s", (spec, differs) => {
  const lines = text(spec).split("\n");
  expect(lines[1]?.startsWith("# NOT THE SAME: ")).toBe(differs);
  expect(text(spec)).toMatch(/^# Its weights depend on a calibration text: .* dataset/m);
});

test("that the tool's GPTQ undoes a pruning is said", () => {
  const isSaid = (spec: string) => /^# ZEROS GO/m.test(text(spec));
  expect(["sparsegpt:2:4", "wanda:0.5", "magnitude:2:4"].map((pruning) => isSaid(`${pruning} | gptq | W4A16`))).toEqual(
    [true, true, true],
  );
  expect(["gptq | W4A16", "sparsegpt:2:4 | W4A16", "wanda:2:4 | awq | W4A16"].map(isSaid)).toEqual([
    false,
    false,
    false,
  ]);
});

test("no name leaves the comment that it stands in", () => {
  const hostile = "W4A16@re:a\nquant_stage: b\r@re:b\u2028c: d";
  const lines = text(hostile).split(/[\n\r\u2028]/);
  expect(lines.slice(0, lines.indexOf("quant_stage:")).every((line) => /^(#|$)/.test(line))).toBe(true);
  expect(modifier(hostile).config_groups.config_group_0.targets).toEqual(["re:a\nquant_stage: b", "re:b\u2028c: d"]);
});
