import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { changedGraph, GOLDEN, type StoredModel, stepsOf, storedModel, thrownBy } from "./families.cases.ts";
import { readDecoder } from "./families.ts";
import type { Columns, DecoderGraph, Heads, Step } from "./graph.ts";

const NAMES = readdirSync(GOLDEN);

function stored(name: string): StoredModel {
  return storedModel(
    readFileSync(`${GOLDEN}/${name}/model/config.json`),
    readFileSync(`${GOLDEN}/${name}/model/model.safetensors`),
  );
}

/** Names of all tensors of a graph, each as often as it is used. */
function tensorsOf(graph: DecoderGraph): readonly string[] {
  const inSteps = stepsOf(graph).flatMap((step) => {
    if (step.kind === "norm") return [step.weight, step.bias];
    return step.kind === "linear" ? [step.weight.tensor, step.bias] : [];
  });
  const { embedding, head } = graph;
  const all = [embedding.tensor, embedding.positions?.tensor, ...inSteps, head.tensor];
  return all.filter((name) => typeof name === "string");
}

/** Registers that a step reads, and the one that it writes. */
function accessOf(step: Step): { readonly reads: readonly string[]; readonly writes: string } {
  switch (step.kind) {
    case "norm":
    case "linear":
      return { reads: [step.input], writes: step.output };
    case "rotate":
      return { reads: [step.heads.register], writes: step.heads.register };
    case "attend":
      return { reads: [step.query, step.key, step.value].map(({ register }) => register), writes: step.output };
    case "gate":
      return { reads: [step.gate, step.up ?? step.gate].map(({ register }) => register), writes: step.output };
    case "add":
      return { reads: [step.target, step.source], writes: step.target };
    case "route":
      return { reads: [step.logits], writes: step.output };
    case "accumulate":
      return {
        reads: [step.source, step.weights, ...(step.isFirst ? [] : [step.target])],
        writes: step.target,
      };
  }
}

/** What holds for every graph whatever its family. */
function checkLaws(graph: DecoderGraph): void {
  const width = (register: string): number => graph.registers.get(register) ?? Number.NaN;
  const written = new Set(["hidden"]);
  const used = new Set(["hidden"]);
  const isInside = ({ register, start, stride, count, dim }: Heads) =>
    start >= 0 && stride >= dim && start + (count - 1) * stride + dim <= width(register);
  const isPart = ({ register, start, width: columns }: Columns) => start >= 0 && start + columns <= width(register);
  for (const step of stepsOf(graph)) {
    const { reads, writes } = accessOf(step);
    expect(reads.filter((register) => !written.has(register))).toEqual([]);
    if (step.kind !== "rotate" && step.kind !== "add" && step.kind !== "accumulate")
      expect(reads).not.toContain(writes);
    for (const register of [...reads, writes]) used.add(register);
    written.add(writes);
    switch (step.kind) {
      case "norm":
        expect([width(step.input) % step.pieces, width(step.output)]).toEqual([0, width(step.input)]);
        break;
      case "linear":
        expect([step.inFeatures, step.outFeatures]).toEqual([width(step.input), width(step.output)]);
        break;
      case "rotate":
        expect(isInside(step.heads) && 2 * step.frequencies.length <= step.heads.dim).toBe(true);
        break;
      case "attend":
        expect([step.query, step.key, step.value].every(isInside)).toBe(true);
        expect([step.query.count % step.key.count, step.value.count]).toEqual([0, step.key.count]);
        expect(width(step.output)).toBe(step.query.count * step.value.dim);
        break;
      case "gate":
        expect(isPart(step.gate) && isPart(step.up ?? step.gate)).toBe(true);
        expect([step.gate.width, (step.up ?? step.gate).width]).toEqual([width(step.output), width(step.output)]);
        break;
      case "add":
        expect(width(step.source)).toBe(width(step.target));
        break;
      case "route":
        expect(width(step.output)).toBe(width(step.logits));
        expect(step.topK).toBeLessThanOrEqual(width(step.logits));
        break;
      case "accumulate":
        expect(width(step.source)).toBe(width(step.target));
        expect(step.expert).toBeLessThan(width(step.weights));
        break;
    }
  }
  expect(written).toContain("final");
  // A register that nothing uses is memory for nothing.
  expect([...graph.registers.keys()].filter((register) => !used.has(register))).toEqual([]);
}

describe.each(NAMES)("%s, as transformers writes it", (name) => {
  const { config, shapes } = stored(name);
  const graph = changedGraph(stored(name));

  test("uses every stored tensor once, but the embedding twice where the head is tied to it", () => {
    const expected = [...shapes.keys(), ...(graph.head.isTied ? [graph.embedding.tensor] : [])];
    expect([...tensorsOf(graph)].sort()).toEqual(expected.sort());
    expect(graph.head.isTied).toBe(config.get("tie_word_embeddings"));
  });

  test("reads only what was written, at widths that fit, in registers that are all of use", () => checkLaws(graph));

  test("names each tensor that is missing, and each of another shape", () => {
    for (const [tensor, shape] of shapes) {
      const missing = thrownBy(() =>
        readDecoder(config, (other) => (other === tensor ? null : (shapes.get(other) ?? null))),
      );
      const reshaped = thrownBy(() =>
        readDecoder(config, (other) => (other === tensor ? [...shape, 1] : (shapes.get(other) ?? null))),
      );
      const expected = `[${shape.join(", ")}]`;
      expect(missing).toMatchObject({ code: "config/tensor-missing", fields: { tensor, expected, found: null } });
      expect(reshaped).toMatchObject({
        code: "config/tensor-shape",
        fields: { tensor, expected, found: `[${[...shape, 1].join(", ")}]` },
      });
    }
  });
});

test("all twelve stored models are looked at", () => expect(NAMES).toHaveLength(12));

/** A step as a line, without what all steps of its kind share. */
function lineOf(step: Step): string {
  const last = (module: string) => module.replace(/^.*layers\.0\.|^.*h\.0\./, "");
  const heads = ({ register, start, stride, count, dim }: Heads) =>
    `${register}[${count} of ${dim} at ${start} + ${stride}h]`;
  const columns = ({ register, start, width }: Columns) => `${register}[${start}..${start + width}]`;
  switch (step.kind) {
    case "norm": {
      const weight = `${step.offset} + ${last(step.weight)}${step.bias ? ", bias" : ""}`;
      const input = step.pieces > 1 ? `${step.input} by ${step.pieces}` : step.input;
      return `${step.output} = ${step.form} norm of ${input}: ${weight}, epsilon ${step.epsilon}`;
    }
    case "linear": {
      const matrix = `${last(step.module)}${step.weight.isTransposed ? " stored [in, out]" : ""}`;
      return `${step.output} = ${step.input} · ${matrix}${step.bias ? " + bias" : ""}`;
    }
    case "rotate":
      return `rotate ${heads(step.heads)} by ${step.frequencies.length}`;
    case "attend": {
      const parts = [step.query, step.key, step.value].map(heads).join(", ");
      return `${step.output} = attend ${parts}; scale ${step.scale.toFixed(4)}, window ${step.window}, cap ${step.softCap}`;
    }
    case "gate":
      return `${step.output} = ${step.activation}(${columns(step.gate)})${step.up ? ` · ${columns(step.up)}` : ""}`;
    case "add":
      return `${step.target} += ${step.source}`;
    case "route":
      return `${step.output} = top ${step.topK} of ${step.logits}${step.isNormalized ? ", normalized" : ""}`;
    case "accumulate":
      return `${step.target} ${step.isFirst ? "=" : "+="} ${step.source} · ${step.weights}[${step.expert}]`;
  }
}

/** Embedding, layer 0 without its experts but the first, the end. */
function linesOf(name: string): string {
  const { embedding, layers, ending, head } = changedGraph(stored(name));
  const { positions } = embedding;
  const isLaterExpert = (line: string) => /experts\.[1-9]|routing\[[1-9]/.test(line);
  const layer = (layers[0] ?? []).map(lineOf).filter((line) => !isLaterExpert(line));
  return [
    `hidden = ${embedding.scale} · ${embedding.tensor}${positions ? ` + ${positions.tensor}[p + ${positions.offset}]` : ""}`,
    ...layer.filter((line, at) => !line.startsWith("gated") || layer.indexOf(line) === at),
    ...ending.map(lineOf),
    `logits = final · ${head.tensor}, cap ${head.softCap}`,
  ].join("\n");
}

/** These steps, followed in PyTorch by a script apart from the lab, gave transformers' logits to 2e-6. */
describe("the steps of a model", () => {
  test("llama", () =>
    expect(linesOf("llama")).toMatchInlineSnapshot(`
    "hidden = 1 · model.embed_tokens.weight
    normed = rms norm of hidden: 0 + input_layernorm.weight, epsilon 0.000001
    q = normed · self_attn.q_proj
    k = normed · self_attn.k_proj
    v = normed · self_attn.v_proj
    rotate q[4 of 16 at 0 + 16h] by 8
    rotate k[2 of 16 at 0 + 16h] by 8
    attended = attend q[4 of 16 at 0 + 16h], k[2 of 16 at 0 + 16h], v[2 of 16 at 0 + 16h]; scale 0.2500, window null, cap null
    normed = attended · self_attn.o_proj
    hidden += normed
    normed = rms norm of hidden: 0 + post_attention_layernorm.weight, epsilon 0.000001
    gate = normed · mlp.gate_proj
    up = normed · mlp.up_proj
    gated = silu(gate[0..176]) · up[0..176]
    normed = gated · mlp.down_proj
    hidden += normed
    final = rms norm of hidden: 0 + model.norm.weight, epsilon 0.000001
    logits = final · model.embed_tokens.weight, cap null"
  `));
  test("qwen3", () =>
    expect(linesOf("qwen3")).toMatchInlineSnapshot(`
    "hidden = 1 · model.embed_tokens.weight
    normed = rms norm of hidden: 0 + input_layernorm.weight, epsilon 0.000001
    attended = normed · self_attn.q_proj
    q = rms norm of attended by 4: 0 + self_attn.q_norm.weight, epsilon 0.000001
    v = normed · self_attn.k_proj
    k = rms norm of v by 2: 0 + self_attn.k_norm.weight, epsilon 0.000001
    v = normed · self_attn.v_proj
    rotate q[4 of 32 at 0 + 32h] by 16
    rotate k[2 of 32 at 0 + 32h] by 16
    attended = attend q[4 of 32 at 0 + 32h], k[2 of 32 at 0 + 32h], v[2 of 32 at 0 + 32h]; scale 0.1768, window null, cap null
    normed = attended · self_attn.o_proj
    hidden += normed
    normed = rms norm of hidden: 0 + post_attention_layernorm.weight, epsilon 0.000001
    gate = normed · mlp.gate_proj
    up = normed · mlp.up_proj
    gated = silu(gate[0..176]) · up[0..176]
    normed = gated · mlp.down_proj
    hidden += normed
    final = rms norm of hidden: 0 + model.norm.weight, epsilon 0.000001
    logits = final · model.embed_tokens.weight, cap null"
  `));
  test("phi3", () =>
    expect(linesOf("phi3")).toMatchInlineSnapshot(`
    "hidden = 1 · model.embed_tokens.weight
    normed = rms norm of hidden: 0 + input_layernorm.weight, epsilon 0.00001
    qkv = normed · self_attn.qkv_proj
    rotate qkv[4 of 16 at 0 + 16h] by 8
    rotate qkv[2 of 16 at 64 + 16h] by 8
    attended = attend qkv[4 of 16 at 0 + 16h], qkv[2 of 16 at 64 + 16h], qkv[2 of 16 at 96 + 16h]; scale 0.2500, window null, cap null
    normed = attended · self_attn.o_proj
    hidden += normed
    normed = rms norm of hidden: 0 + post_attention_layernorm.weight, epsilon 0.00001
    gateUp = normed · mlp.gate_up_proj
    gated = silu(gateUp[0..176]) · gateUp[176..352]
    normed = gated · mlp.down_proj
    hidden += normed
    final = rms norm of hidden: 0 + model.norm.weight, epsilon 0.00001
    logits = final · lm_head.weight, cap null"
  `));
  test("gemma2", () =>
    expect(linesOf("gemma2")).toMatchInlineSnapshot(`
    "hidden = 8 · model.embed_tokens.weight
    normed = rms norm of hidden: 1 + input_layernorm.weight, epsilon 0.000001
    q = normed · self_attn.q_proj
    k = normed · self_attn.k_proj
    v = normed · self_attn.v_proj
    rotate q[4 of 32 at 0 + 32h] by 16
    rotate k[2 of 32 at 0 + 32h] by 16
    attended = attend q[4 of 32 at 0 + 32h], k[2 of 32 at 0 + 32h], v[2 of 32 at 0 + 32h]; scale 0.1768, window 12, cap 50
    output = attended · self_attn.o_proj
    normed = rms norm of output: 1 + post_attention_layernorm.weight, epsilon 0.000001
    hidden += normed
    normed = rms norm of hidden: 1 + pre_feedforward_layernorm.weight, epsilon 0.000001
    gate = normed · mlp.gate_proj
    up = normed · mlp.up_proj
    gated = gelu-tanh(gate[0..176]) · up[0..176]
    output = gated · mlp.down_proj
    normed = rms norm of output: 1 + post_feedforward_layernorm.weight, epsilon 0.000001
    hidden += normed
    final = rms norm of hidden: 1 + model.norm.weight, epsilon 0.000001
    logits = final · model.embed_tokens.weight, cap 30"
  `));
  test("gemma3", () =>
    expect(linesOf("gemma3")).toMatchInlineSnapshot(`
    "hidden = 8 · model.embed_tokens.weight
    normed = rms norm of hidden: 1 + input_layernorm.weight, epsilon 0.000001
    attended = normed · self_attn.q_proj
    q = rms norm of attended by 4: 1 + self_attn.q_norm.weight, epsilon 0.000001
    v = normed · self_attn.k_proj
    k = rms norm of v by 2: 1 + self_attn.k_norm.weight, epsilon 0.000001
    v = normed · self_attn.v_proj
    rotate q[4 of 32 at 0 + 32h] by 16
    rotate k[2 of 32 at 0 + 32h] by 16
    attended = attend q[4 of 32 at 0 + 32h], k[2 of 32 at 0 + 32h], v[2 of 32 at 0 + 32h]; scale 0.1768, window 12, cap null
    output = attended · self_attn.o_proj
    normed = rms norm of output: 1 + post_attention_layernorm.weight, epsilon 0.000001
    hidden += normed
    normed = rms norm of hidden: 1 + pre_feedforward_layernorm.weight, epsilon 0.000001
    gate = normed · mlp.gate_proj
    up = normed · mlp.up_proj
    gated = gelu-tanh(gate[0..176]) · up[0..176]
    output = gated · mlp.down_proj
    normed = rms norm of output: 1 + post_feedforward_layernorm.weight, epsilon 0.000001
    hidden += normed
    final = rms norm of hidden: 1 + model.norm.weight, epsilon 0.000001
    logits = final · model.embed_tokens.weight, cap null"
  `));
  test("gpt2", () =>
    expect(linesOf("gpt2")).toMatchInlineSnapshot(`
    "hidden = 1 · transformer.wte.weight + transformer.wpe.weight[p + 0]
    normed = layer norm of hidden: 0 + ln_1.weight, bias, epsilon 0.00001
    qkv = normed · attn.c_attn stored [in, out] + bias
    attended = attend qkv[4 of 16 at 0 + 16h], qkv[4 of 16 at 64 + 16h], qkv[4 of 16 at 128 + 16h]; scale 0.2500, window null, cap null
    normed = attended · attn.c_proj stored [in, out] + bias
    hidden += normed
    normed = layer norm of hidden: 0 + ln_2.weight, bias, epsilon 0.00001
    inner = normed · mlp.c_fc stored [in, out] + bias
    activated = gelu-tanh(inner[0..256])
    normed = activated · mlp.c_proj stored [in, out] + bias
    hidden += normed
    final = layer norm of hidden: 0 + transformer.ln_f.weight, bias, epsilon 0.00001
    logits = final · transformer.wte.weight, cap null"
  `));
  test("gpt_neox", () =>
    expect(linesOf("gpt_neox")).toMatchInlineSnapshot(`
    "hidden = 1 · gpt_neox.embed_in.weight
    normed = layer norm of hidden: 0 + input_layernorm.weight, bias, epsilon 0.00001
    qkv = normed · attention.query_key_value + bias
    rotate qkv[4 of 16 at 0 + 48h] by 2
    rotate qkv[4 of 16 at 16 + 48h] by 2
    attended = attend qkv[4 of 16 at 0 + 48h], qkv[4 of 16 at 16 + 48h], qkv[4 of 16 at 32 + 48h]; scale 0.2500, window null, cap null
    output = attended · attention.dense + bias
    normed = layer norm of hidden: 0 + post_attention_layernorm.weight, bias, epsilon 0.00001
    inner = normed · mlp.dense_h_to_4h + bias
    activated = gelu(inner[0..176])
    normed = activated · mlp.dense_4h_to_h + bias
    normed += output
    hidden += normed
    final = layer norm of hidden: 0 + gpt_neox.final_layer_norm.weight, bias, epsilon 0.00001
    logits = final · embed_out.weight, cap null"
  `));
  test("opt", () =>
    expect(linesOf("opt")).toMatchInlineSnapshot(`
    "hidden = 1 · model.decoder.embed_tokens.weight + model.decoder.embed_positions.weight[p + 2]
    normed = layer norm of hidden: 0 + self_attn_layer_norm.weight, bias, epsilon 0.00001
    q = normed · self_attn.q_proj + bias
    k = normed · self_attn.k_proj + bias
    v = normed · self_attn.v_proj + bias
    attended = attend q[4 of 16 at 0 + 16h], k[4 of 16 at 0 + 16h], v[4 of 16 at 0 + 16h]; scale 0.2500, window null, cap null
    normed = attended · self_attn.out_proj + bias
    hidden += normed
    normed = layer norm of hidden: 0 + final_layer_norm.weight, bias, epsilon 0.00001
    inner = normed · fc1 + bias
    activated = relu(inner[0..176])
    normed = activated · fc2 + bias
    hidden += normed
    final = layer norm of hidden: 0 + model.decoder.final_layer_norm.weight, bias, epsilon 0.00001
    logits = final · model.decoder.embed_tokens.weight, cap null"
  `));
  test("mixtral", () =>
    expect(linesOf("mixtral")).toMatchInlineSnapshot(`
    "hidden = 1 · model.embed_tokens.weight
    normed = rms norm of hidden: 0 + input_layernorm.weight, epsilon 0.00001
    q = normed · self_attn.q_proj
    k = normed · self_attn.k_proj
    v = normed · self_attn.v_proj
    rotate q[4 of 16 at 0 + 16h] by 8
    rotate k[2 of 16 at 0 + 16h] by 8
    attended = attend q[4 of 16 at 0 + 16h], k[2 of 16 at 0 + 16h], v[2 of 16 at 0 + 16h]; scale 0.2500, window null, cap null
    normed = attended · self_attn.o_proj
    hidden += normed
    normed = rms norm of hidden: 0 + post_attention_layernorm.weight, epsilon 0.00001
    router = normed · block_sparse_moe.gate
    routing = top 2 of router, normalized
    gate = normed · block_sparse_moe.experts.0.w1
    up = normed · block_sparse_moe.experts.0.w3
    gated = silu(gate[0..176]) · up[0..176]
    expert = gated · block_sparse_moe.experts.0.w2
    mixed = expert · routing[0]
    hidden += mixed
    final = rms norm of hidden: 0 + model.norm.weight, epsilon 0.00001
    logits = final · lm_head.weight, cap null"
  `));
});
