import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BF16 } from "../../src/base/float-format.ts";
import type { CheckpointPlan } from "../../src/engine/checkpoint-plan.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { memoryHost } from "../support/memory-host.ts";
import { createMemoryOutput } from "../support/memory-output.ts";
import { IGNORE, MethodBench, madeText, modelFolder, packedMatrix, valuesOf } from "../support/method-cases.ts";
import { OpenEngines } from "../support/small-model.ts";

// What calibrated prunings make of the small model, weight by weight.

const LLAMA = join(import.meta.dirname, "../../fixtures/golden/architectures/llama");
const MODULE = "model.layers.0.self_attn.q_proj";
const TEXT = madeText(6, 24);

/** Columns of a block of SparseGPT. */
const BLOCK = 128;

const engines = new OpenEngines();
let bench: MethodBench;
beforeAll(async () => {
  const read = async (path: string) => new Uint8Array(readFileSync(join(LLAMA, path)));
  const host = memoryHost({ device: "wasm", wasm: nodeWasm() });
  bench = await MethodBench.open(host, await modelFolder("llama", read));
});
afterAll(async () => {
  await bench.close();
  await engines.close();
});

/** Weights of every matrix, row by row, as a method leaves them. */
async function matricesOf(plan: CheckpointPlan) {
  const found: { readonly module: string; readonly rows: readonly Float32Array[]; readonly cols: number }[] = [];
  for (const { tensor, module, cols } of plan.matrices) {
    const values = await valuesOf(plan.checkpoint, tensor.name);
    const rows = Array.from({ length: values.length / cols }, (_, row) =>
      values.subarray(row * cols, (row + 1) * cols),
    );
    found.push({ module, rows, cols });
  }
  expect(found).toHaveLength(14);
  return found;
}

const zerosIn = (values: Iterable<number>) => [...values].filter((value) => value === 0).length;

/** Zeros of every four neighbours of every row. */
const zerosOfFour = (rows: readonly Float32Array[]) =>
  new Set(
    rows.flatMap((row) =>
      Array.from({ length: row.length / 4 }, (_, group) => zerosIn(row.subarray(4 * group, 4 * group + 4))),
    ),
  );

describe("SparseGPT", () => {
  test("2:4 leaves two of every four, and errs less than magnitude does", async () => {
    const plan = await bench.plan("sparsegpt:2:4 | none", TEXT);
    for (const { rows } of await matricesOf(plan)) expect(zerosOfFour(rows)).toEqual(new Set([2]));
    const [stage] = plan.method?.stages ?? [];
    expect(stage?.stage).toBe("SparseGPT");
    expect(stage?.matrices).toHaveLength(14);
    for (const { outputError, fallback } of stage?.matrices ?? []) {
      expect(fallback).toBeNull();
      expect(outputError?.method).toBeLessThan(outputError?.plain ?? 0);
    }
    expect(stage?.worse).toEqual([]);
  });

  test("changes the weights that stay", async () => {
    const { checkpoint } = await bench.plan("sparsegpt:2:4 | none", TEXT);
    const before = await valuesOf(bench.checkpoint, `${MODULE}.weight`);
    const after = await valuesOf(checkpoint, `${MODULE}.weight`);
    const changed = after.filter((value, index) => value !== 0 && value !== before[index]).length;
    expect(changed).toBeGreaterThan(0.9 * (after.length / 2));
  });

  test("0.5 takes one weight more than half of each block of columns, over all rows", async () => {
    const plan = await bench.plan("sparsegpt:0.5 | none", TEXT);
    for (const { rows, cols } of await matricesOf(plan)) {
      for (let first = 0; first < cols; first += BLOCK) {
        const block = rows.map((row) => row.subarray(first, first + BLOCK));
        const weights = block.reduce((sum, { length }) => sum + length, 0);
        const zeros = block.reduce((sum, own) => sum + zerosIn(own), 0);
        // Of equal scores at the threshold all go: random float32 scores are all different, but for one or two in 16,384.
        expect(zeros - Math.floor(weights / 2)).toBeGreaterThanOrEqual(1);
        expect(zeros - Math.floor(weights / 2)).toBeLessThanOrEqual(3);
      }
    }
    expect(plan.method?.stages[0]?.worse).toEqual([]);
  });

  test("2:4 and GPTQ in one pass: zeros stay, and the codes that are written are the weights that were left", async () => {
    const recipe = "sparsegpt:2:4 | gptq | int4:group=16";
    const plan = await bench.plan(recipe, TEXT);
    expect(plan.method?.stages.map(({ stage }) => stage)).toEqual(["SparseGPT with GPTQ"]);
    // A weight that stays may be rounded to zero.
    for (const { rows } of await matricesOf(plan)) expect(Math.min(...zerosOfFour(rows))).toBe(2);
    const engine = await engines.open("small");
    const output = createMemoryOutput();
    await engine.quantize({ scheme: recipe, arithmetic: "eager", ignore: IGNORE, calibration: TEXT }, output);
    for (const { module, rows, cols } of await matricesOf(plan)) {
      const { codes, scales } = await packedMatrix(output.files.get("model.safetensors") ?? new Uint8Array(), module);
      const groups = cols / 16;
      for (const [row, own] of rows.entries()) {
        const restored = Array.from(own, (_, column) =>
          BF16.round(
            (codes[row]?.[column] ?? Number.NaN) * (scales[row * groups + Math.floor(column / 16)] ?? Number.NaN),
          ),
        );
        // -0 is 0.
        expect(restored.map((value) => value + 0)).toEqual([...own].map((value) => value + 0));
      }
    }
  });
});

describe("Wanda", () => {
  /** |w| times the root of the mean square of its input: what is to rank them. */
  async function scores(): Promise<readonly Float64Array[]> {
    const inputs = await bench.inputs(MODULE, TEXT.windows);
    const weights = await valuesOf(bench.checkpoint, `${MODULE}.weight`);
    const norms = Array.from({ length: 64 }, (_, column) =>
      Math.sqrt(inputs.reduce((sum, input) => sum + (input[column] ?? 0) ** 2, 0)),
    );
    return Array.from({ length: 64 }, (_, row) =>
      Float64Array.from(norms, (norm, column) => Math.abs(weights[row * 64 + column] ?? 0) * norm),
    );
  }

  /** The places of the `count` smallest of neighbours, from `first` on, and by how much the next is larger. */
  function smallest(row: Float64Array, first: number, length: number, count: number) {
    const places = Array.from({ length }, (_, at) => first + at).sort((a, b) => (row[a] ?? 0) - (row[b] ?? 0));
    const [last = 0, next = 0] = places.slice(count - 1, count + 1).map((place) => row[place]);
    return { places: new Set(places.slice(0, count)), margin: (next - last) / next };
  }

  test.each([
    { recipe: "wanda:2:4 | none", length: 4, count: 2 },
    { recipe: "wanda:0.5 | none", length: 64, count: 32 },
  ])("$recipe takes those of smallest score, and changes no other", async ({ recipe, length, count }) => {
    const { checkpoint } = await bench.plan(recipe, TEXT);
    const [before, after] = [
      await valuesOf(bench.checkpoint, `${MODULE}.weight`),
      await valuesOf(checkpoint, `${MODULE}.weight`),
    ];
    let compared = 0;
    for (const [row, own] of (await scores()).entries()) {
      for (let first = 0; first < 64; first += length) {
        const { places, margin } = smallest(own, first, length, count);
        // The lab sums squares up in float32, block by block: scores that near each other may change places.
        if (margin < 1e-5) continue;
        compared++;
        for (let column = first; column < first + length; column++) {
          const at = row * 64 + column;
          expect(after[at]).toBe(places.has(column) ? 0 : before[at]);
        }
      }
    }
    expect(compared).toBeGreaterThan((0.98 * 64 * 64) / length);
  });

  test("takes exactly so many of every row of every matrix", async () => {
    for (const { rows } of await matricesOf(await bench.plan("wanda:2:4 | none", TEXT))) {
      expect(zerosOfFour(rows)).toEqual(new Set([2]));
    }
    for (const { rows, cols } of await matricesOf(await bench.plan("wanda:0.3 | none", TEXT))) {
      expect(new Set(rows.map(zerosIn))).toEqual(new Set([Math.floor(cols * 0.3)]));
    }
  });

  test("is no pruning by magnitude where inputs are unlike each other", async () => {
    const { checkpoint } = await bench.plan("wanda:0.5 | none", TEXT);
    const before = await valuesOf(bench.checkpoint, `${MODULE}.weight`);
    const after = await valuesOf(checkpoint, `${MODULE}.weight`);
    const kept = before.filter((_, index) => after[index] !== 0).map(Math.abs);
    const gone = before.filter((_, index) => after[index] === 0).map(Math.abs);
    expect(Math.max(...gone)).toBeGreaterThan(Math.min(...kept));
  });
});
