import { expect, test } from "vitest";
import { parse } from "yaml";
import { findPreset } from "./presets.ts";
import { recipeYaml } from "./recipe.ts";

test("a recipe is what oneshot reads, its arithmetic in a comment only", () => {
  const text = recipeYaml(findPreset("W4A16"), ["lm_head", "re:.*embed_tokens", "a: #b"], "triton");
  expect(parse(text)).toEqual({
    quant_stage: {
      quant_modifiers: {
        QuantizationModifier: {
          targets: ["Linear"],
          scheme: "W4A16",
          ignore: ["lm_head", "re:.*embed_tokens", "a: #b"],
        },
      },
    },
  });
  expect(text).toMatch(/^# arithmetic: triton/m);
});
