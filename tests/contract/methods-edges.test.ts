import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import type { PreparedText } from "../../src/engine/text-api.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { createMemoryWorkspace } from "../../src/formats/workspaces/memory-workspace.ts";
import { createNodeWorkspace } from "../../src/formats/workspaces/node-workspace.ts";
import { textOf } from "../support/id-text.ts";
import { memoryHost } from "../support/memory-host.ts";
import { changedFolder, IGNORE, MethodBench, madeText, modelFolder, valuesOf } from "../support/method-cases.ts";
import { RULES } from "../support/run-rules.ts";
import { OpenEngines } from "../support/small-model.ts";

// Methods where there is next to nothing to learn from, where they are stopped, and what is asked of an engine around them.

const SCHEME = "int4:group=16";
const RECIPES = [
  `gptq | ${SCHEME}`,
  `awq:grid=4 | ${SCHEME}`,
  "smoothquant | int8:channel/int8:token",
  "sparsegpt:0.5 | none",
  "wanda:2:4 | none",
];
const TEXT = madeText(3, 24);

const readOf = (name: string) => {
  const folder = join(import.meta.dirname, "../../fixtures/golden/architectures", name);
  return async (path: string) => new Uint8Array(readFileSync(join(folder, path)));
};

const host = memoryHost({ device: "wasm", wasm: nodeWasm() });
const engines = new OpenEngines();
let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), "methods-test-"));
});
afterAll(async () => {
  await engines.close();
  await rm(temporary, { recursive: true, force: true });
});

/** Channel that no token reaches: the norms before the queries and before the gates make it 0. */
const DEAD = 11;

async function withDeadChannel(): Promise<Folder> {
  const change = (name: string, values: Float32Array) => {
    if (name.endsWith("layernorm.weight")) values[DEAD] = 0;
  };
  return changedFolder("llama", readOf("llama"), change, false);
}

const llama = () => modelFolder("llama", readOf("llama"));

interface Poor {
  readonly what: string;
  readonly folder: () => Promise<Folder>;
  readonly text: PreparedText;
}

const POOR: readonly Poor[] = [
  { what: "one token", folder: llama, text: textOf([[5]]) },
  { what: "64 equal tokens", folder: llama, text: textOf([Array(64).fill(9)]) },
  { what: "a window of three tokens", folder: llama, text: textOf([[3, 140, 77]]) },
  { what: "windows of different lengths", folder: llama, text: textOf([[1, 2, 3, 4, 5], [7], [8, 9, 10]]) },
  { what: "a channel that is always 0", folder: withDeadChannel, text: TEXT },
  // Each token is sent to two of four experts: of one token, two experts see nothing that counts.
  {
    what: "experts that nothing is sent to",
    folder: () => modelFolder("mixtral", readOf("mixtral")),
    text: textOf([[5]]),
  },
];

describe.each(POOR)("calibrated on $what", ({ folder, text }) => {
  let bench: MethodBench;
  beforeAll(async () => {
    bench = await MethodBench.open(host, await folder());
  });
  afterAll(() => bench.close());

  test.each(RECIPES)("%s leaves finite weights, and tells what it did to each matrix", async (recipe) => {
    const plan = await bench.plan(recipe, text);
    for (const { name } of plan.checkpoint.tensors) {
      expect((await valuesOf(plan.checkpoint, name)).every(Number.isFinite)).toBe(true);
    }
    const [stage] = plan.method?.stages ?? [];
    if (!stage) throw new Error("no stage");
    const isTransform = stage.stage === "AWQ" || stage.stage === "SmoothQuant";
    if (!isTransform) {
      expect(stage.matrices.map(({ module }) => module).sort()).toEqual(
        plan.matrices.map(({ module }) => module).sort(),
      );
    }
    for (const { fallback, outputError, hessian } of stage.matrices) {
      expect(fallback).toBeNull();
      if (hessian === null) continue;
      expect(outputError?.method).toBeGreaterThanOrEqual(0);
      expect(hessian.tokens).toBe(text.windows.flat().length);
      expect(hessian.condition).toBeGreaterThanOrEqual(1);
    }
    for (const { factors, refused } of stage.smoothings) {
      expect(factors === null).toBe(refused !== null);
      if (factors) expect(factors.min > 0 && factors.max < Number.POSITIVE_INFINITY).toBe(true);
    }
    // What is left can be run.
    const logits = await bench.logits(plan.checkpoint, [[1, 2, 3, 4]]);
    expect(logits.every(Number.isFinite)).toBe(true);
  });
});

test("a dead channel is told, and its weights become 0 under GPTQ", async () => {
  const bench = await MethodBench.open(host, await withDeadChannel());
  try {
    const plan = await bench.plan(`gptq | ${SCHEME}`, TEXT);
    const dead = plan.method?.stages[0]?.matrices.map(({ module, hessian }) => [
      module.split(".").at(-1),
      hessian?.deadChannels,
    ]);
    const wanted = { q_proj: 1, k_proj: 1, v_proj: 1, o_proj: 0, gate_proj: 1, up_proj: 1, down_proj: 0 };
    expect(dead).toHaveLength(14);
    for (const [kind = "", count] of dead ?? []) expect([kind, count]).toEqual([kind, wanted[kind as "q_proj"]]);
    const values = await valuesOf(plan.checkpoint, "model.layers.0.self_attn.q_proj.weight");
    expect(new Set(Array.from({ length: 64 }, (_, row) => values[row * 64 + DEAD]))).toEqual(new Set([0]));
  } finally {
    await bench.close();
  }
});

test("a Hessian that cannot be inverted is told, and its matrix rounded plainly", async () => {
  // Inputs of 1e30 have squares beyond float32.
  const change = (name: string, values: Float32Array) => {
    if (name === "model.layers.0.input_layernorm.weight") values.fill(1e30);
  };
  const bench = await MethodBench.open(host, await changedFolder("llama", readOf("llama"), change, false));
  try {
    const plan = await bench.plan(`gptq | ${SCHEME}`, TEXT);
    const reports = plan.method?.stages[0]?.matrices ?? [];
    const queries = reports.find(({ module }) => module.includes("layers.0.self_attn.q_proj"));
    expect(queries?.fallback).toMatch(/Hessian that is not finite/);
    const plain = await valuesOf(plan.checkpoint, "model.layers.0.self_attn.q_proj.weight");
    expect(plain.every(Number.isFinite)).toBe(true);
  } finally {
    await bench.close();
  }
});

describe("an engine", () => {
  const request = { ...RULES, ignore: IGNORE, text: TEXT, calibration: madeText(2, 16, 3) } as const;
  const plan = { gpu: "H100 SXM 80 GB", contextTokens: 128, sequences: 1 };
  const compare = { ...request, throughput: false, plan } as const;
  const recipe = `gptq | ${SCHEME}`;

  test("that is stopped in the middle of a method leaves nothing behind, and does the next job", async () => {
    const folder = await mkdtemp(join(temporary, "stopped-"));
    const engine = await engines.open("small", { workspace: () => createNodeWorkspace(folder) });
    const stop = new AbortController();
    const items: (string | null)[] = [];
    let most = 0;
    const running = engine.measure(
      { ...request, schemes: [recipe] },
      {
        signal: stop.signal,
        onProgress: ({ phase, item }) => {
          if (phase !== "running GPTQ") return;
          items.push(item);
          if (item === "layer 1") stop.abort();
        },
      },
    );
    const watching = setInterval(async () => {
      most = Math.max(most, (await readdir(folder)).length);
    }, 2);
    await expect(running).rejects.toMatchObject({ code: "run/cancelled" });
    clearInterval(watching);
    expect(items.at(-1)).toBe("layer 1");
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
    const result = await engine.measure({ ...request, schemes: [recipe] });
    expect(result.rows[0]?.divergence?.kld.value).toBeGreaterThan(0);
  });

  test("without a calibration text says what is missing", async () => {
    const engine = await engines.open("small");
    for (const calibration of [null, textOf([])]) {
      const asked = engine.measure({ ...request, calibration, schemes: [recipe] });
      await expect(asked).rejects.toMatchObject({ code: "run/no-calibration", fields: { recipe } });
      await expect(engine.compare({ ...compare, calibration, schemes: [recipe] })).rejects.toMatchObject({
        code: "run/no-calibration",
      });
    }
  });

  test("without room says so, and does the next job", async () => {
    const engine = await engines.open("small", { workspace: () => createMemoryWorkspace(10_000) });
    await expect(engine.measure({ ...request, schemes: [recipe] })).rejects.toMatchObject({ code: "run/no-room" });
    expect((await engine.measure({ ...request, schemes: [SCHEME] })).finished).toBe(true);
  });

  test("runs a method once for all that asks for it, again for another text, and lets go of it with the model", async () => {
    const folder = await mkdtemp(join(temporary, "kept-"));
    const engine = await engines.open("small", { workspace: () => createNodeWorkspace(folder) });
    const phases: string[] = [];
    const hooks = { onProgress: ({ phase }: { readonly phase: string }) => phases.push(phase) };
    const runs = () => phases.splice(0).includes("running GPTQ");
    await engine.measure({ ...request, schemes: [recipe] }, hooks);
    expect(runs()).toBe(true);
    await engine.compare({ ...compare, schemes: [recipe] }, hooks);
    await engine.heal({ ...request, scheme: recipe, unit: "layer", at: null }, hooks);
    expect(runs()).toBe(false);
    await engine.compare({ ...compare, schemes: [recipe], calibration: madeText(2, 16, 4) }, hooks);
    expect(runs()).toBe(true);
    await engine.compare({ ...compare, schemes: [recipe], ignore: [...IGNORE, "re:.*k_proj"] }, hooks);
    expect(runs()).toBe(true);
    expect(await readdir(folder)).toHaveLength(3);
    await engine.open(await llama());
    expect(await readdir(folder)).toEqual([]);
  });

  test("puts all of GPTQ back to nothing, and all of SmoothQuant to what its fold rounds", async () => {
    const engine = await engines.open("small");
    const healed = (scheme: string) => engine.heal({ ...request, scheme, unit: "layer", at: null });
    const gptq = await healed(recipe);
    expect(gptq.healed).toBe(0);
    expect(gptq.kld).toBeGreaterThan(0);
    const smooth = await healed("smoothquant | int8:channel/int8:token");
    // Folded weights are rounded to bf16 again, by half a unit of 2^-8, where int8 rounds by half of 1 / 127 of the largest.
    const floor = (await engine.measure({ ...request, schemes: [SCHEME] })).noiseFloor.divergence?.kld.value ?? 0;
    expect(smooth.healed).toBeGreaterThan(0);
    expect(smooth.healed).toBeLessThan(2 * floor);
  });
});
