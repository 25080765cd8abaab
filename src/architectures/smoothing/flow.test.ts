import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { changedGraph, GOLDEN, storedModel } from "../families.cases.ts";
import type { DecoderGraph, LinearStep, Step } from "../graph.ts";
import { smoothingMappings } from "./mappings.ts";

const file = (part: string) => readFileSync(`${GOLDEN}/llama3-rope-untied-bias/model/${part}`);
const LLAMA = changedGraph(storedModel(file("config.json"), file("model.safetensors")));
const AT = "model.layers.0";

/** Llama with other steps in its first layer. */
function withSteps(change: (steps: readonly Step[]) => readonly Step[]): DecoderGraph {
  return { ...LLAMA, layers: LLAMA.layers.map((steps, layer) => (layer === 0 ? change(steps) : steps)) };
}

/** A change that puts steps behind those of a module. */
function after(module: string, added: (step: LinearStep) => readonly Step[]) {
  return (steps: readonly Step[]) =>
    steps.flatMap((step) =>
      step.kind === "linear" && step.module === `${AT}.${module}` ? [step, ...added(step)] : [step],
    );
}

function refusalsOf(graph: DecoderGraph): Readonly<Record<string, string>> {
  const { refused } = smoothingMappings(graph, "awq");
  return Object.fromEntries(
    refused.map(({ name, reason }) => [name.replace(`${AT}.`, ""), reason.split(";")[0] ?? ""]),
  );
}

const cannot = (reader: string) => `${reader} reads the same values and cannot make up for the scales`;

test("Llama with a value head for each query head has nothing to refuse", () => {
  expect(refusalsOf(LLAMA)).toEqual({});
  expect(smoothingMappings(LLAMA, "awq").mappings).toHaveLength(8);
});

test("another reader of a norm refuses it", () => {
  const gate = after("self_attn.v_proj", (step) => [{ ...step, module: `${AT}.self_attn.mask`, output: "gate" }]);
  expect(refusalsOf(withSteps(gate))).toEqual({ input_layernorm: cannot(`${AT}.self_attn.mask`) });
});

test("a reader in a later layer counts as well", () => {
  const layers = LLAMA.layers.map((steps, layer) => {
    // The last of the first layer's steps leaves the norm's values alone, and the next layer begins with a reader.
    const moved = steps.map((step) =>
      step.kind === "linear" && step.output === "normed" ? { ...step, output: "v" } : step,
    );
    const kept = moved.map((step) => (step.kind === "add" ? { ...step, source: "v" } : step));
    return layer === 0 ? kept : [{ kind: "add" as const, target: "hidden", source: "normed" }, ...steps];
  });
  expect(refusalsOf({ ...LLAMA, layers })).toEqual({ post_attention_layernorm: cannot("the residual stream") });
});

test("values that are normalized, or that keys read too, cannot be divided", () => {
  const normed = after("self_attn.v_proj", (step) => [
    { ...norm(), input: step.output, output: "k", weight: `${AT}.self_attn.v_norm.weight` },
  ]);
  expect(refusalsOf(withSteps(normed))).toEqual({ "self_attn.v_proj": cannot(`${AT}.self_attn.v_norm`) });
  const shared = (steps: readonly Step[]) =>
    steps.map((step) => (step.kind === "attend" ? { ...step, key: step.value } : step));
  expect(refusalsOf(withSteps(shared))).toEqual({ "self_attn.v_proj": cannot(`${AT}.self_attn`) });
});

test.each([{ stride: 1 }, { start: 1 }])("only values that are all of the divided columns, in order: %o", (heads) => {
  const moved = (steps: readonly Step[]) =>
    steps.map((step) => (step.kind === "attend" ? { ...step, value: { ...step.value, ...heads } } : step));
  expect(refusalsOf(withSteps(moved))).toEqual({ "self_attn.v_proj": cannot(`${AT}.self_attn`) });
});

test("rotated values cannot be divided", () => {
  const rotated = (steps: readonly Step[]) =>
    steps.map((step) =>
      step.kind === "rotate" && step.heads.register === "k"
        ? { ...step, heads: { ...step.heads, register: "v" } }
        : step,
    );
  expect(refusalsOf(withSteps(rotated))).toEqual({ "self_attn.v_proj": cannot("the rotation of queries and keys") });
});

test("a factor is divided on one side of the product alone", () => {
  const swapped = (steps: readonly Step[]) =>
    steps.map((step) => (step.kind === "gate" && step.up ? { ...step, gate: step.up, up: step.gate } : step));
  const squared = (steps: readonly Step[]) =>
    steps.map((step) => (step.kind === "gate" && step.up ? { ...step, gate: step.up } : step));
  const refusal = { "mlp.up_proj": cannot("the activation function") };
  expect(refusalsOf(withSteps(swapped))).toEqual(refusal);
  expect(refusalsOf(withSteps(squared))).toEqual(refusal);
});

test("what is multiplied must read what was divided", () => {
  const other = (steps: readonly Step[]) =>
    steps.map((step) =>
      step.kind === "linear" && step.module.endsWith("gate_proj") ? { ...step, input: "hidden" } : step,
    );
  expect(refusalsOf(withSteps(other))).toEqual({
    post_attention_layernorm: `${AT}.mlp.gate_proj does not read what it makes`,
  });
});

function norm() {
  const found = LLAMA.layers[0]?.find((step) => step.kind === "norm");
  if (!found) throw new Error("no norm");
  return found;
}
