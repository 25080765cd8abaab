import { expect, test } from "vitest";
import { readProjectFile } from "../../../tests/support/project-files.ts";
import { ggufPlaceOf, hasGgufNames } from "./tensor-names.ts";

/** What llama.cpp's package gguf calls each matrix of each model of `golden/architectures`. */
const { names }: { names: Record<string, Record<string, readonly [string, number]> | null> } = JSON.parse(
  readProjectFile("fixtures/golden/imatrix/names.json"),
);

test.each(Object.keys(names))("layers of %s have the names that llama.cpp gives them", (modelType) => {
  const own = names[modelType];
  expect(hasGgufNames(modelType)).toBe(own !== null);
  for (const [module, [tensor, matrix]] of Object.entries(own ?? {})) {
    expect([module, ggufPlaceOf(module)]).toEqual([module, { tensor, matrix }]);
  }
});

test("experts have the same place under either name, and without what stands before the layers", () => {
  expect(ggufPlaceOf("model.layers.3.mlp.experts.7.down_proj")).toEqual({
    tensor: "blk.3.ffn_down_exps.weight",
    matrix: 7,
  });
  expect(ggufPlaceOf("layers.12.self_attn.q_proj")).toEqual({ tensor: "blk.12.attn_q.weight", matrix: 0 });
});

test.each(["lm_head", "model.layers.0.mlp", "model.layers.0.mlp.experts.1.bias", "model.layers.x.mlp.up_proj", ""])(
  "%s has no place",
  (module) => {
    expect(ggufPlaceOf(module)).toBeNull();
  },
);
