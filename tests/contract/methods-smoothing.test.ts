import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { roundHalfEven } from "../../src/base/float-format.ts";
import type { CheckpointPlan } from "../../src/engine/checkpoint-plan.ts";
import type { SmoothingReport } from "../../src/engine/methods/method-report.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { ARCHITECTURES } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";
import { changedFolder, MethodBench, madeText, modelFolder, valuesOf } from "../support/method-cases.ts";

// What SmoothQuant and AWQ move from inputs into weights. In float32, so that what a fold rounds is small.

const TEXT = madeText(4, 24);
const GROUP = 16;
const SCHEME = `int4:group=${GROUP}`;

/** Models whose layers have none of the names that LLM Compressor looks for. */
const UNNAMED: readonly string[] = ["gpt2", "gpt_neox", "opt"];

const readOf = (name: string) => {
  const folder = join(import.meta.dirname, "../../fixtures/golden/architectures", name);
  return async (path: string) => new Uint8Array(readFileSync(join(folder, path)));
};

const opened: MethodBench[] = [];
afterAll(async () => {
  for (const bench of opened) await bench.close();
});

async function open(name: string, isWidened = true): Promise<MethodBench> {
  const folder = isWidened
    ? await changedFolder(name, readOf(name), () => {}, true)
    : await modelFolder(name, readOf(name));
  const bench = await MethodBench.open(memoryHost({ device: "wasm", wasm: nodeWasm() }), folder);
  opened.push(bench);
  return bench;
}

const smoothingsOf = ({ method }: CheckpointPlan): readonly SmoothingReport[] => method?.stages[0]?.smoothings ?? [];
const appliedOf = (plan: CheckpointPlan) => smoothingsOf(plan).filter(({ refused }) => refused === null);

describe("a fold leaves what the model computes as it is", () => {
  test.each(
    ARCHITECTURES.flatMap((name) =>
      ["smoothquant:strength=0.8 | int8:channel/int8:token", `awq:grid=4 | ${SCHEME}`].map((recipe) => ({
        name,
        recipe,
      })),
    ),
  )("$name under $recipe", async ({ name, recipe }) => {
    const bench = await open(name);
    const { windows } = TEXT;
    const plan = await bench.plan(recipe, TEXT);
    const [before, after] = [
      await bench.logits(bench.checkpoint, windows),
      await bench.logits(plan.checkpoint, windows),
    ];
    const largest = before.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const farthest = before.reduce((most, value, at) => Math.max(most, Math.abs(value - (after[at] ?? Number.NaN))), 0);
    // A product and a quotient are rounded by 2^-24 each; the sums of two layers make up to 15 times that of it. A fold that
    // forgets an offset, a bias or a reader is a thousand times as far.
    expect(farthest / largest).toBeLessThan(5e-6);
    const factors = appliedOf(plan).map((own) => own.factors);
    expect(factors.every((own) => own !== null && own.min > 0 && own.max < Number.POSITIVE_INFINITY)).toBe(true);
    const changed = await Promise.all(
      plan.checkpoint.tensors.map(async (tensor) => {
        const [own, old] = [
          await valuesOf(plan.checkpoint, tensor.name),
          await valuesOf(bench.checkpoint, tensor.name),
        ];
        return own.some((value, at) => value !== old[at]);
      }),
    );
    // Something moved, where something was to be moved.
    const isMoved = factors.some((own) => own !== null && own.max > 1);
    expect(changed.includes(true)).toBe(isMoved);
    expect(isMoved).toBe(!UNNAMED.includes(name));
  });
});

describe("SmoothQuant", () => {
  const recipe = (options: string) => `smoothquant${options} | int8:channel/int8:token`;
  const factorsOf = async (options: string) => appliedOf(await (await open("llama")).plan(recipe(options), TEXT));

  test("smooths what reads a norm, in every layer, and says what it leaves", async () => {
    const names = (await factorsOf("")).map(({ name, balance }) => [name, balance.length]);
    expect(names).toEqual(
      [0, 1].flatMap((layer) => [
        [`model.layers.${layer}.input_layernorm`, 3],
        [`model.layers.${layer}.post_attention_layernorm`, 2],
      ]),
    );
  });

  test("of another strength in some layers is that strength in those alone", async () => {
    const [half, most, mixed] = [
      await factorsOf(""),
      await factorsOf(":strength=0.8"),
      await factorsOf(":layers=0/0.8"),
    ];
    expect(mixed.slice(0, 2)).toEqual(most.slice(0, 2));
    for (const [index, own] of mixed.slice(2).entries()) {
      // What the first layer was smoothed by rounds otherwise, and changes nothing else.
      expect((own.factors?.max ?? 0) / (half[index + 2]?.factors?.max ?? 0)).toBeCloseTo(1, 4);
      expect((own.factors?.max ?? 0) / (most[index + 2]?.factors?.max ?? 0)).not.toBeCloseTo(1, 2);
    }
  });

  test("multiplies columns by what it divides the norm by", async () => {
    const bench = await open("llama", false);
    const { checkpoint } = await bench.plan(recipe(""), TEXT);
    const prefix = "model.layers.0";
    const ratio = async (name: string, at: (index: number) => number) => {
      const [own, old] = [await valuesOf(checkpoint, name), await valuesOf(bench.checkpoint, name)];
      return Array.from({ length: 64 }, (_, channel) => (own[at(channel)] ?? 0) / (old[at(channel)] ?? 0));
    };
    const divided = await ratio(`${prefix}.input_layernorm.weight`, (channel) => channel);
    for (const name of ["q_proj", "k_proj", "v_proj"]) {
      const multiplied = await ratio(`${prefix}.self_attn.${name}.weight`, (channel) => 3 * 64 + channel);
      for (const [channel, own] of multiplied.entries()) {
        // Both are rounded to bf16: half a unit of 2^-8 each.
        expect(Math.abs(own * (divided[channel] ?? 0) - 1)).toBeLessThan(2 * 2 ** -8);
      }
    }
    expect(Math.max(...divided) / Math.min(...divided)).toBeGreaterThan(1.2);
  });
});

describe("AWQ", () => {
  const DOWN = "model.layers.0.mlp.down_proj";
  const UP = "model.layers.0.mlp.up_proj";
  const COLS = 176;
  const ROWS = 64;

  /** int4 in groups, symmetric, all in float32, as `calculate_qparams` and `quantize` of compressed-tensors have it. */
  function rounded(values: Float32Array): Float32Array {
    return values.map((value, at) => {
      const first = at - ((at % COLS) % GROUP);
      const most = values.subarray(first, first + GROUP).reduce((largest, own) => Math.max(largest, Math.abs(own)), 0);
      const scale = Math.fround(most / 7.5);
      return Math.fround(Math.min(7, Math.max(-8, roundHalfEven(Math.fround(value / scale)))) * scale);
    });
  }

  /** The mean squared difference of outputs. */
  function lossOf(weights: Float32Array, changed: Float32Array, inputs: readonly Float32Array[]): number {
    let sum = 0;
    for (const x of inputs) {
      for (let row = 0; row < ROWS; row++) {
        let difference = 0;
        for (let column = 0; column < COLS; column++) {
          const at = row * COLS + column;
          difference += ((weights[at] ?? 0) - (changed[at] ?? 0)) * (x[column] ?? 0);
        }
        sum += difference ** 2;
      }
    }
    return sum / (inputs.length * ROWS);
  }

  test("begins with plain rounding, and takes the point of smallest loss, which is what is left", async () => {
    const bench = await open("llama");
    const inputs = await bench.inputs(DOWN, TEXT.windows);
    const weights = await valuesOf(bench.checkpoint, `${DOWN}.weight`);
    const plan = await bench.plan(`awq | ${SCHEME}`, TEXT);
    for (const { grid } of appliedOf(plan)) {
      const losses = grid?.points.map(({ loss }) => loss ?? Number.NaN) ?? [];
      expect(losses).toHaveLength(20);
      expect(grid?.points[0]).toMatchObject({ ratio: 0, duoScaling: false });
      expect(losses[grid?.best ?? -1]).toBe(Math.min(...losses));
    }
    const grid = appliedOf(plan).find(({ name }) => name === UP)?.grid;
    // Outputs in float32, of which small differences are taken.
    const relative = (found: number | null | undefined, wanted: number) => Math.abs((found ?? Number.NaN) / wanted - 1);
    expect(relative(grid?.points[0]?.loss, lossOf(weights, rounded(weights), inputs))).toBeLessThan(1e-4);
    const folded = await valuesOf(plan.checkpoint, `${DOWN}.weight`);
    const factors = folded.subarray(0, COLS).map((value, column) => value / (weights[column] ?? 0));
    const back = rounded(folded).map((value, at) => value / (factors[at % COLS] ?? 0));
    expect(relative(grid?.points[grid.best]?.loss, lossOf(weights, back, inputs))).toBeLessThan(1e-3);
    expect(grid?.best).not.toBe(0);
  });

  test("refuses values that several query heads share, and says so", async () => {
    const plan = await (await open("llama")).plan(`awq:grid=4 | ${SCHEME}`, TEXT);
    const refused = smoothingsOf(plan).filter((own) => own.refused !== null);
    expect(refused.map(({ name }) => name)).toEqual([0, 1].map((layer) => `model.layers.${layer}.self_attn.v_proj`));
    for (const own of refused) {
      expect(own.refused).toContain("several query heads share a value head");
      expect(own).toMatchObject({ factors: null, grid: null, balance: [] });
    }
  });

  test("leaves alone what is not quantized", async () => {
    const plan = await (await open("llama")).plan(`awq:grid=4 | ${SCHEME}@re:.*self_attn`, TEXT);
    const refusals = smoothingsOf(plan).map(({ name, refused }) => [name.split(".").at(-1), refused]);
    expect(refusals.filter(([name]) => name === "up_proj")).toEqual(
      Array(2).fill(["up_proj", "none of the layers that read it is quantized"]),
    );
    expect(refusals.filter(([, refused]) => refused === null)).toEqual(Array(2).fill(["input_layernorm", null]));
  });
});
