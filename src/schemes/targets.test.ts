import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { DEFAULT_IGNORE, moduleMatcher, quantizableModule } from "./targets.ts";

test("a name matches exactly, a pattern from the start but not to the end", () => {
  const isIgnored = moduleMatcher(["lm_head", "re:.*mlp.gate", "re:embed|other"]);
  expect(["lm_head", "model.lm_head", "lm_head2"].map(isIgnored)).toEqual([true, false, false]);
  expect(isIgnored("model.layers.0.mlp.gate_proj")).toBe(true);
  expect(["embed_tokens", "other", "model.embed", "model.other"].map(isIgnored)).toEqual([true, true, false, false]);
});

test("the default leaves head and embeddings alone", () => {
  const isIgnored = moduleMatcher(DEFAULT_IGNORE);
  expect(["lm_head", "model.embed_tokens", "model.layers.0.mlp.up_proj"].map(isIgnored)).toEqual([true, true, false]);
});

test.each([
  "re:(?P<x>a)",
  "re:(?<x>a)",
  "re:(",
  "re:\\Aabc",
  "re:\\a",
  "re:(?i)abc",
  "re:a*+",
  "re:[]a]",
  "re:[^]a]",
  "re:a{,2}",
])("%s is refused: Python reads it differently or not at all", (entry) => {
  expect(() => moduleMatcher([entry])).toThrow(LabError);
});

test("what both read alike is taken", () => {
  const matches = moduleMatcher(["re:model\\.layers\\.[0-9]{1,2}\\.(?=mlp)\\w+\\.(gate|up)_proj$", "re:(?<!x)y"]);
  expect(["model.layers.11.mlp.up_proj", "model.layers.1.mlp.up_proj.0", "y"].map(matches)).toEqual([
    true,
    false,
    true,
  ]);
});

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
