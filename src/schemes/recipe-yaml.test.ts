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
});

test("no name leaves the comment that it stands in", () => {
  const hostile = "W4A16@re:a\nquant_stage: b\r@re:b\u2028c: d";
  const lines = text(hostile).split(/[\n\r\u2028]/);
  expect(lines.slice(0, lines.indexOf("quant_stage:")).every((line) => /^(#|$)/.test(line))).toBe(true);
  expect(modifier(hostile).config_groups.config_group_0.targets).toEqual(["re:a\nquant_stage: b", "re:b\u2028c: d"]);
});
