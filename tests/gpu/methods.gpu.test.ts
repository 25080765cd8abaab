import { afterAll, describe, expect, test } from "vitest";
import type { DeviceChoice } from "../../src/engine/api.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { createEngine, type HostedEngine } from "../../src/engine/engine.ts";
import type { MeasureResult } from "../../src/engine/measure-result.ts";
import { memoryHost } from "../support/memory-host.ts";
import { createMemoryOutput } from "../support/memory-output.ts";
import { IGNORE, madeText, modelFolder, packedMatrix } from "../support/method-cases.ts";
import { RULES } from "../support/run-rules.ts";

// Methods on WebGPU do what they do on WebAssembly, but for the order of sums: of a Hessian, of outputs, of logits.

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob("../../fixtures/golden/architectures/llama/**", {
  query: "?url",
  import: "default",
  eager: true,
});

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const address = ADDRESSES[`../../fixtures/golden/architectures/llama/${path}`];
  if (address === undefined) throw new Error(`${path} is missing`);
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

const CALIBRATION = madeText(4, 24);
const SCHEME = "int4:group=16";

const engines = new Map<DeviceChoice, HostedEngine>();
afterAll(() => {
  for (const engine of engines.values()) engine.close();
});

async function engineOn(device: DeviceChoice): Promise<HostedEngine> {
  const known = engines.get(device);
  if (known) return known;
  const engine = createEngine(memoryHost({ device, gpu: navigator.gpu, wasm: browserWasm() }));
  engines.set(device, engine);
  await engine.open(await modelFolder("llama", read));
  return engine;
}

const MODULES = [0, 1].flatMap((layer) =>
  ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
    .concat(["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"])
    .map((name) => `model.layers.${layer}.${name}`),
);

/** Codes of all matrices one after the other. */
async function codesOn(device: DeviceChoice, scheme: string): Promise<readonly number[]> {
  const output = createMemoryOutput();
  const request = { scheme, arithmetic: "eager", ignore: IGNORE, calibration: CALIBRATION } as const;
  const { kernels } = await (await engineOn(device)).quantize(request, output);
  const used = new Set(kernels.map((kernel) => kernel.device));
  expect([...used]).toEqual([device === "gpu" ? "webgpu" : "wasm"]);
  const file = output.files.get("model.safetensors") ?? new Uint8Array();
  const matrices = await Promise.all(MODULES.map((module) => packedMatrix(file, module)));
  return matrices.flatMap(({ codes }) => codes.flat());
}

async function measureOn(device: DeviceChoice, schemes: readonly string[]): Promise<MeasureResult> {
  const request = { ...RULES, schemes, ignore: IGNORE, text: madeText(4, 32, 11), calibration: CALIBRATION };
  return (await engineOn(device)).measure(request);
}

/**
 * The share of codes that may be others. The devices sum Hessians, outputs and normalized rows up in other orders: a quotient
 * within some 1e-6 of the middle between two codes may fall to the other side, a bf16 input to its neighbour, and what follows
 * in the row with it. On SwiftShader none is another.
 */
const MOST_OTHERS = 0.01;

describe("codes of WebGPU and of WebAssembly", () => {
  test.each([
    `gptq | ${SCHEME}`,
    `awq:grid=5 | ${SCHEME}`,
    `smoothquant | ${SCHEME}`,
    `sparsegpt:2:4 | gptq | ${SCHEME}`,
  ])("%s", async (recipe) => {
    const [gpu, wasm] = [await codesOn("gpu", recipe), await codesOn("wasm", recipe)];
    const plain = await codesOn("wasm", SCHEME);
    const others = (a: readonly number[], b: readonly number[]) =>
      a.filter((code, index) => code !== b[index]).length / a.length;
    expect(gpu).toHaveLength(2 * 64 * (64 + 32 + 32 + 64 + 3 * 176));
    expect(others(gpu, wasm)).toBeLessThanOrEqual(MOST_OTHERS);
    // The method itself is another matter.
    expect(others(wasm, plain)).toBeGreaterThan(10 * MOST_OTHERS);
  });
});

/**
 * How far apart mean divergences may be, as a share. Where codes are the same it is what the logits' sums make: 1e-5. Weights
 * that SparseGPT leaves unrounded are others by a bf16 unit here and there, and so is one choice of four.
 */
const KLD_SHARE = { coded: 1e-3, pruned: 0.02 };

test("divergences agree, and what the reports say does too", async () => {
  const schemes = [`gptq | ${SCHEME}`, `awq:grid=5 | ${SCHEME}`, "smoothquant | int8:channel", "sparsegpt:2:4 | none"];
  const [gpu, wasm] = [await measureOn("gpu", schemes), await measureOn("wasm", schemes)];
  const devices = [gpu, wasm].map(({ kernels }) => [...new Set(kernels.map(({ device }) => device))]);
  expect(devices).toEqual([["webgpu"], ["wasm"]]);
  for (const [index, row] of gpu.rows.entries()) {
    const other = wasm.rows[index];
    const allowed = row.scheme.startsWith("sparsegpt") ? KLD_SHARE.pruned : KLD_SHARE.coded;
    const [own, wanted] = [row, other].map((one) => one?.divergence?.kld.value ?? Number.NaN);
    expect(Math.abs((own ?? Number.NaN) / (wanted ?? Number.NaN) - 1)).toBeLessThan(allowed);
    const [found, expected] = [row, other].map((one) => one?.methodRun?.stages ?? []);
    expect(found).toHaveLength(1);
    for (const [place, { stage, outputRatio, smoothings }] of (found ?? []).entries()) {
      const same = expected?.[place];
      expect(stage).toBe(same?.stage);
      expect(smoothings.map(({ name }) => name)).toEqual(same?.smoothings.map(({ name }) => name));
      expect(smoothings.map(({ grid }) => grid?.best)).toEqual(same?.smoothings.map(({ grid }) => grid?.best));
      for (const [at, { factors }] of smoothings.entries()) {
        const most = same?.smoothings[at]?.factors?.max;
        // A range that is a bf16 unit wider makes a factor of the next bf16.
        if (most) expect(Math.abs((factors?.max ?? 0) / most - 1)).toBeLessThanOrEqual(2 ** -7);
      }
      // Energies of a few hundred rows: the same to what one code in a thousand does to them.
      if (outputRatio) expect((same?.outputRatio?.value ?? 0) / outputRatio.value).toBeCloseTo(1, 2);
    }
  }
});
