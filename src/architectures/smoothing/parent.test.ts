import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { changedGraph, GOLDEN, storedModel } from "../families.cases.ts";
import type { Step } from "../graph.ts";
import { writtenBy } from "./flow.ts";
import { smoothingMappings } from "./mappings.ts";

/** Registers whose values before a step it uses. */
function readBy(step: Step): readonly string[] {
  switch (step.kind) {
    case "norm":
    case "linear":
      return [step.input];
    case "rotate":
      return [step.heads.register];
    case "attend":
      return [step.query, step.key, step.value].map(({ register }) => register);
    case "gate":
      return [step.gate, step.up ?? step.gate].map(({ register }) => register);
    case "add":
      return [step.target, step.source];
    case "route":
      return [step.logits];
    case "accumulate":
      return [step.source, step.weights, ...(step.isFirst ? [] : [step.target])];
  }
}

const MODELS = readdirSync(GOLDEN).map((name) => {
  const file = (part: string) => readFileSync(`${GOLDEN}/${name}/model/${part}`);
  return { name, graph: changedGraph(storedModel(file("config.json"), file("model.safetensors"))) };
});

test.each(MODELS)("parents of $name run on their input alone, and end with their output", ({ name, graph }) => {
  const { mappings } = smoothingMappings(graph, "awq");
  expect(mappings.length > 0).toBe(!["gpt2", "gpt_neox", "opt"].includes(name));
  for (const { layer, parent, balance } of mappings) {
    const steps = graph.layers[layer]?.slice(parent.firstStep, parent.endStep) ?? [];
    const known = new Set([parent.input]);
    for (const step of steps) {
      for (const register of readBy(step)) expect(known).toContain(register);
      known.add(writtenBy(step));
    }
    expect(known).not.toContain("hidden");
    expect(steps.map(writtenBy).at(-1)).toBe(parent.output);
    const inside = steps.flatMap((step) => (step.kind === "linear" ? [step.module] : []));
    expect(inside).toEqual(expect.arrayContaining(balance.map(({ module }) => module)));
  }
});

test("attention ends with its last projection, before the residual stream", () => {
  const llama = MODELS.find(({ name }) => name === "llama")?.graph;
  const mappings = llama ? smoothingMappings(llama, "awq").mappings : [];
  const kinds = mappings.map(({ layer, parent }) => {
    const steps = llama?.layers[layer]?.slice(parent.firstStep, parent.endStep) ?? [];
    return [parent.module, steps.map(({ kind }) => kind).join(" ")];
  });
  expect(kinds.slice(0, 3)).toEqual([
    ["model.layers.0.self_attn", "linear linear linear rotate rotate attend linear"],
    ["model.layers.0.mlp", "linear linear gate linear"],
    ["model.layers.0.mlp.down_proj", "linear"],
  ]);
});
