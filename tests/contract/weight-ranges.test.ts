import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FLOAT_FORMATS } from "../../src/base/float-format.ts";
import type { PlannedMatrix } from "../../src/engine/checkpoint-plan.ts";
import { elementValues } from "../../src/engine/element-values.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { elementWords, setElement } from "../../src/kernels/elements.ts";
import { clipSearchOracle } from "../../src/kernels/quant/clip_search.oracle.ts";
import { memoryHost } from "../support/memory-host.ts";
import { MethodBench, madeText, modelFolder, valuesOf } from "../support/method-cases.ts";

// Ranges of weights that a calibration text decides: weighed by what goes into a layer, and clipped.

const TEXT = madeText(3, 24);
const GROUP = 16;

const opened: MethodBench[] = [];
afterAll(async () => {
  for (const bench of opened) await bench.close();
});

async function open(name: string): Promise<MethodBench> {
  const folder = join(import.meta.dirname, "../../fixtures/golden/architectures", name);
  const read = async (path: string) => new Uint8Array(readFileSync(join(folder, path)));
  const host = memoryHost({ device: "wasm", wasm: nodeWasm() });
  const bench = await MethodBench.open(host, await modelFolder(name, read));
  opened.push(bench);
  return bench;
}

/** Mean squares of inputs over the mean of them all, in float64. */
async function weightsOf(bench: MethodBench, module: string): Promise<readonly number[]> {
  const rows = await bench.inputs(module, TEXT.windows);
  const squares = Array.from(rows[0] ?? [], (_, column) =>
    rows.reduce((sum, row) => sum + (row[column] ?? 0) ** 2 / rows.length, 0),
  );
  const mean = squares.reduce((sum, square) => sum + square / squares.length, 0);
  return squares.map((square) => square / mean);
}

/** How far the importance of a matrix is from that, at most, beside the largest of it. */
async function farthest(bench: MethodBench, { module, importance }: PlannedMatrix): Promise<number> {
  const wanted = await weightsOf(bench, module);
  expect(importance).toHaveLength(wanted.length);
  const largest = Math.max(...wanted);
  return Math.max(...wanted.map((value, column) => Math.abs(value - (importance?.[column] ?? Number.NaN)))) / largest;
}

describe("imatrix_mse weighs columns by the mean square of what goes into them", () => {
  test("which changes no weight before they are rounded", async () => {
    const bench = await open("llama");
    const plan = await bench.plan("int4:group=16:observer=imatrix_mse@re:.*mlp; int4:group=16", TEXT);
    expect(plan.checkpoint).toBe(bench.checkpoint);
    const weighed = plan.matrices.filter(({ importance }) => importance !== null);
    expect(weighed.map(({ module }) => module)).toEqual(
      plan.matrices.map(({ module }) => module).filter((module) => module.includes(".mlp.")),
    );
    // Sums of some dozens of squares in float32, in another order.
    for (const matrix of weighed) expect(await farthest(bench, matrix)).toBeLessThan(1e-5);
    expect(plan.method?.stages.map(({ stage }) => stage)).toEqual(["importance of inputs"]);
    expect(plan.method?.stages[0]?.matrices.map(({ fallback }) => fallback)).toEqual(weighed.map(() => null));
  });

  test("under GPTQ as the layers before were rounded", async () => {
    const bench = await open("llama");
    const plan = await bench.plan("gptq | int4:group=16:observer=imatrix_mse", TEXT);
    const distances = new Map<number, number>();
    for (const matrix of plan.matrices.filter(({ module }) => module.endsWith("q_proj"))) {
      distances.set(distances.size, await farthest(bench, matrix));
    }
    // The first layer sees the original stream.
    expect(distances.get(0)).toBeLessThan(1e-5);
    expect(distances.get(1)).toBeGreaterThan(1e-3);
    expect(plan.method?.stages.map(({ stage }) => stage)).toEqual(["GPTQ"]);
  });

  test("and needs a calibration text", async () => {
    const bench = await open("llama");
    await expect(bench.plan("int4:observer=imatrix_mse", { ...TEXT, windows: [] })).rejects.toMatchObject({
      code: "run/no-calibration",
    });
  });
});

describe("clipping after AWQ", () => {
  // AWQ knows none of OPT's layers, so that what is clipped is the original.
  test.each([
    { tokens: "all tokens of a short text", text: TEXT, step: 1 },
    // 720 tokens, of which 512 at most are looked at.
    { tokens: "every other token of a longer one", text: madeText(16, 45), step: 2 },
  ])("clamps the weights of each group to the limit that llm-awq would choose by $tokens", async ({ text, step }) => {
    const bench = await open("opt");
    const plan = await bench.plan(`awq:grid=4:clip | int4:group=${GROUP}`, text);
    expect(plan.method?.stages.map(({ stage }) => stage)).toEqual(["AWQ", "AWQ clipping"]);
    const reports = new Map(plan.method?.stages[1]?.matrices.map(({ module, clipped }) => [module, clipped]));
    const module = "model.decoder.layers.0.fc1";
    const matrix = plan.matrices.find((own) => own.module === module);
    if (!matrix) throw new Error(`no ${module}`);
    const { rows, cols, element } = matrix;
    const original = await valuesOf(bench.checkpoint, matrix.tensor.name);
    const clipped = await valuesOf(plan.checkpoint, matrix.tensor.name);
    const inputs = (await bench.inputs(module, text.windows)).filter((_, token) => token % step === 0);
    const limits = new Float32Array((rows * cols) / GROUP);
    const weights = new Uint32Array(elementWords(rows * cols, element));
    for (const [at, value] of original.entries())
      setElement(weights, at, FLOAT_FORMATS[element].toBits(value), element);
    const flat = Float32Array.from(inputs.flatMap((row) => [...row]));
    clipSearchOracle({ element, bits: 4, symmetric: true }, { rows, cols, groupSize: GROUP, tokens: inputs.length }, [
      weights,
      new Uint32Array(flat.buffer),
      new Uint32Array(limits.buffer),
    ]);
    const wanted = original.map((value, at) => {
      const limit = limits[Math.floor(at / GROUP)] ?? 0;
      return Math.min(Math.max(value, -limit), limit);
    });
    expect(clipped).toEqual(wanted);
    const largest = Array.from(limits, (_, group) =>
      Math.max(...original.subarray(group * GROUP, (group + 1) * GROUP).map(Math.abs)),
    );
    const narrowed = largest.filter((value, group) => (limits[group] ?? 0) < value).length;
    expect(narrowed).toBeGreaterThan(0);
    expect(reports.get(module)).toEqual({ groups: narrowed, of: limits.length });
    // Errors are told against the weights before they were clamped.
    const { start, end } = matrix.tensor;
    expect(elementValues(await matrix.original.read(start, end), element)).toEqual(original);
  });

  test("leaves queries and keys alone, and what is not quantized", async () => {
    const bench = await open("llama");
    const plan = await bench.plan(`awq:grid=4:clip | int4:group=${GROUP}@re:.*(self_attn|up_proj)`, TEXT);
    const smoothed = await bench.plan(`awq:grid=4 | int4:group=${GROUP}@re:.*(self_attn|up_proj)`, TEXT);
    const differing: string[] = [];
    for (const { name } of bench.checkpoint.tensors) {
      const [one, other] = [await valuesOf(plan.checkpoint, name), await valuesOf(smoothed.checkpoint, name)];
      if (one.some((value, at) => value !== other[at])) differing.push(name.replace(/\.weight$/, ""));
    }
    const kinds = new Set(differing.map((name) => name.slice(name.lastIndexOf(".") + 1)));
    expect([...kinds].sort()).toEqual(["o_proj", "up_proj", "v_proj"]);
    expect(plan.method?.stages[1]?.matrices.map(({ module }) => module).sort()).toEqual(differing.sort());
  });
});
