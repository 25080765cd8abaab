import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BF16, roundHalfEven } from "../../src/base/float-format.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { memoryHost } from "../support/memory-host.ts";
import { createMemoryOutput } from "../support/memory-output.ts";
import { IGNORE, MethodBench, madeText, modelFolder, packedMatrix, valuesOf } from "../support/method-cases.ts";
import { OpenEngines } from "../support/small-model.ts";

// GPTQ from end to end, held against the paper's column loop, written here once more, in float64 and over the whole Hessian.

const LLAMA = join(import.meta.dirname, "../../fixtures/golden/architectures/llama");
const MODULE = "model.layers.0.self_attn.q_proj";
const GROUP = 16;
const SCHEME = `int4:group=${GROUP}`;
const TEXT = madeText(6, 24);

const engines = new OpenEngines();
const host = memoryHost({ device: "wasm", wasm: nodeWasm() });
let bench: MethodBench;
/** float64 [rows][cols], and what goes into them [tokens][cols]. */
let weights: readonly (readonly number[])[];
let inputs: readonly Float32Array[];

beforeAll(async () => {
  const read = async (path: string) => new Uint8Array(readFileSync(join(LLAMA, path)));
  bench = await MethodBench.open(host, await modelFolder("llama", read));
  inputs = await bench.inputs(MODULE, TEXT.windows);
  weights = rowsOf(await valuesOf(bench.checkpoint, `${MODULE}.weight`), 64);
});
afterAll(async () => {
  await bench.close();
  await engines.close();
});

function rowsOf(values: Float32Array, cols: number): readonly (readonly number[])[] {
  return Array.from({ length: values.length / cols }, (_, row) => [...values.subarray(row * cols, (row + 1) * cols)]);
}

async function exported(recipe: string) {
  const engine = await engines.open("small");
  const output = createMemoryOutput();
  await engine.quantize({ scheme: recipe, arithmetic: "eager", ignore: IGNORE, calibration: TEXT }, output);
  const file = output.files.get("model.safetensors");
  if (!file) throw new Error("nothing exported");
  return packedMatrix(file, MODULE);
}

/** The mean of x xᵀ. */
function hessianOf(rows: readonly Float32Array[]): number[][] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, a) =>
    Array.from({ length: width }, (_, b) => rows.reduce((sum, x) => sum + (x[a] ?? 0) * (x[b] ?? 0), 0) / rows.length),
  );
}

const at = (matrix: readonly (readonly number[])[], row: number, column: number) => matrix[row]?.[column] ?? Number.NaN;

/** L of A = L Lᵀ. */
function lowerFactor(a: readonly (readonly number[])[]): number[][] {
  const l = a.map((row) => row.map(() => 0));
  for (const [i, row] of l.entries()) {
    for (let j = 0; j <= i; j++) {
      let sum = at(a, i, j);
      for (let k = 0; k < j; k++) sum -= at(l, i, k) * at(l, j, k);
      row[j] = i === j ? Math.sqrt(sum) : sum / at(l, j, j);
    }
  }
  return l;
}

/** A⁻¹ = L⁻ᵀ L⁻¹. */
function inverseOf(a: readonly (readonly number[])[]): number[][] {
  const l = lowerFactor(a);
  const n = a.length;
  const inverse = l.map((row) => row.map(() => 0));
  for (let column = 0; column < n; column++) {
    const own = inverse.map(() => 0);
    for (let i = 0; i < n; i++) {
      let sum = i === column ? 1 : 0;
      for (let k = 0; k < i; k++) sum -= at(l, i, k) * (own[k] ?? 0);
      own[i] = sum / at(l, i, i);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = own[i] ?? 0;
      for (let k = i + 1; k < n; k++) sum -= at(l, k, i) * (own[k] ?? 0);
      own[i] = sum / at(l, i, i);
    }
    for (const [i, row] of inverse.entries()) row[column] = own[i] ?? 0;
  }
  return inverse;
}

interface Coded {
  readonly codes: readonly (readonly number[])[];
  /** How far each quotient was from the middle between two codes. */
  readonly margins: readonly (readonly number[])[];
  readonly order: readonly number[];
}

/** Frantar et al., GPTQ, algorithm 1, without blocks; restored weights in bf16, as the tool stores them. */
function plainGptq(scales: Float32Array, isOrdered: boolean, dampening = 0.01): Coded {
  const h = hessianOf(inputs);
  const cols = h.length;
  const diagonal = h.map((row, i) => row[i] ?? 0);
  const natural = [...diagonal.keys()];
  const order = isOrdered ? natural.sort((a, b) => (diagonal[b] ?? 0) - (diagonal[a] ?? 0)) : natural;
  const damp = (dampening * diagonal.reduce((sum, own) => sum + own, 0)) / cols;
  const ordered = order.map((a, i) => order.map((b, j) => at(h, a, b) + (i === j ? damp : 0)));
  const upper = lowerFactor(inverseOf(ordered));
  const margins: number[][] = [];
  const codes = weights.map((row, number) => {
    const w = order.map((column) => row[column] ?? 0);
    const found = w.map(() => 0);
    const own = w.map(() => 0);
    for (let k = 0; k < cols; k++) {
      const column = order[k] ?? 0;
      const scale = scales[number * (cols / GROUP) + Math.floor(column / GROUP)] ?? 0;
      const quotient = (w[k] ?? 0) / scale;
      const code = Math.min(7, Math.max(-8, roundHalfEven(quotient)));
      found[column] = code;
      own[column] = Math.abs(Math.abs(quotient - Math.floor(quotient)) - 0.5);
      const error = ((w[k] ?? 0) - BF16.round(code * scale)) / at(upper, k, k);
      // The factor is lower here: its column is the row of U.
      for (let j = k; j < cols; j++) w[j] = (w[j] ?? 0) - error * at(upper, j, k);
    }
    margins.push(own);
    return found;
  });
  return { codes, margins, order };
}

/** Σ ((w − ŵ) x)² over all tokens and rows, over Σ (w x)². */
function outputError(restored: (row: number, column: number) => number): number {
  let error = 0;
  let energy = 0;
  for (const [row, own] of weights.entries()) {
    for (const x of inputs) {
      let [difference, output] = [0, 0];
      for (const [column, value] of own.entries()) {
        difference += (value - restored(row, column)) * (x[column] ?? 0);
        output += value * (x[column] ?? 0);
      }
      error += difference ** 2;
      energy += output ** 2;
    }
  }
  return error / energy;
}

const errorOf = ({ codes, scales }: { codes: readonly (readonly number[])[]; scales: Float32Array }) =>
  outputError((row, column) =>
    BF16.round(at(codes, row, column) * (scales[row * 4 + Math.floor(column / GROUP)] ?? 0)),
  );

describe("GPTQ of the first layer's queries", () => {
  test.each([
    { recipe: `gptq | ${SCHEME}`, isOrdered: true },
    { recipe: `gptq:actorder=none | ${SCHEME}`, isOrdered: false },
  ])("$recipe has the codes of the paper's loop in float64", async ({ recipe, isOrdered }) => {
    const [own, plain] = [await exported(recipe), await exported(SCHEME)];
    expect([...own.scaleBytes]).toEqual([...plain.scaleBytes]);
    const wanted = plainGptq(own.scales, isOrdered);
    let differing = 0;
    for (const [row, codes] of wanted.codes.entries()) {
      // After one code that is another, all that follows in the row may be.
      const first = wanted.order.find((column) => at(own.codes, row, column) !== codes[column]);
      if (first === undefined) continue;
      differing++;
      // float32 against float64: sums of 64 products of a few codes' size.
      expect(at(wanted.margins, row, first)).toBeLessThan(1e-4);
    }
    expect(differing).toBeLessThanOrEqual(2);
    expect(own.codes).not.toEqual(plain.codes);
    expect(errorOf(own)).toBeLessThan(0.95 * errorOf(plain));
  });

  test("the two orders are two results", async () => {
    const [ordered, natural] = [await exported(`gptq | ${SCHEME}`), await exported(`gptq:actorder=none | ${SCHEME}`)];
    expect(ordered.codes).not.toEqual(natural.codes);
  });

  test("is reported with the errors that it has", async () => {
    const { method } = await bench.plan(`gptq | ${SCHEME}`, TEXT);
    const [stage] = method?.stages ?? [];
    const report = stage?.matrices.find(({ module }) => module.includes(MODULE));
    expect(report).toMatchObject({
      fallback: null,
      outputError: { rows: 64 },
      hessian: { channels: 64, deadChannels: 0, tokens: 144 },
    });
    const [own, plain] = [await exported(`gptq | ${SCHEME}`), await exported(SCHEME)];
    // The Hessian is summed up in float32.
    expect(report?.outputError?.method).toBeCloseTo(errorOf(own), 6);
    expect(report?.outputError?.plain).toBeCloseTo(errorOf(plain), 6);
    expect(stage?.worse).toEqual([]);
    expect(stage?.matrices).toHaveLength(14);
    expect(stage?.outputRatio?.value).toBeLessThan(0.95);
  });

  test("goes into each layer with what the one before it has become", async () => {
    const [whole, alone] = [
      await bench.plan(`gptq | ${SCHEME}`, TEXT),
      await bench.plan(`gptq | ${SCHEME}@re:model\\.layers\\.1\\.`, TEXT),
    ];
    const name = "model.layers.1.self_attn.q_proj.weight";
    const source = (plan: typeof whole) => plan.matrices.find(({ tensor }) => tensor.name === name);
    const [a, b] = [source(whole), source(alone)];
    if (!a || !b) throw new Error("no matrix");
    const bytes = await Promise.all([a, b].map(({ source: own, tensor }) => own.read(tensor.start, tensor.end)));
    expect(bytes[0]).not.toEqual(bytes[1]);
  });
});
