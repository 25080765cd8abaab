import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { DEFAULT_IGNORE, ignoreMatcher, quantizableModule } from "./targets.ts";

test("a name matches exactly, a pattern from the start but not to the end", () => {
  const isIgnored = ignoreMatcher(["lm_head", "re:.*mlp.gate", "re:embed|other"]);
  expect(["lm_head", "model.lm_head", "lm_head2"].map(isIgnored)).toEqual([true, false, false]);
  expect(isIgnored("model.layers.0.mlp.gate_proj")).toBe(true);
  expect(["embed_tokens", "other", "model.embed", "model.other"].map(isIgnored)).toEqual([true, true, false, false]);
});

test("the default leaves head and embeddings alone", () => {
  const isIgnored = ignoreMatcher(DEFAULT_IGNORE);
  expect(["lm_head", "model.embed_tokens", "model.layers.0.mlp.up_proj"].map(isIgnored)).toEqual([true, true, false]);
});

test.each(["re:(?P<x>a)", "re:(", "re:\\Aabc", "re:(?i)abc", "re:a*+"])(
  "%s is refused: Python reads it differently or not at all",
  (entry) => {
    expect(() => ignoreMatcher([entry])).toThrow(LabError);
  },
);

test("weights of norms and other parameters are not quantizable", () => {
  expect(
    [
      "a.q_proj.weight",
      "a.input_layernorm.weight",
      "a.q_proj.bias",
      "model.norm.weight",
      "weight",
      "a.weight_scale",
    ].map(quantizableModule),
  ).toEqual(["a.q_proj", null, null, null, "", null]);
});
