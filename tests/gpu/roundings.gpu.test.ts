import { expect, test } from "vitest";
import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { Bench } from "../../src/engine/bench.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { appliedOf } from "../../src/engine/candidate.ts";
import { planCheckpoint } from "../../src/engine/checkpoint-plan.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { ModelParameters } from "../../src/engine/model-parameters.ts";
import { ORIGINAL, variantOf } from "../../src/engine/variants.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { openCheckpoint } from "../../src/formats/huggingface/checkpoint.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { runModel } from "../../src/models/model-run.ts";
import type { InputTap } from "../../src/models/run-setup.ts";
import { batchWindows } from "../../src/models/windows.ts";
import { parseRunRecipe } from "../../src/schemes/recipe.ts";
import { windowsIn } from "../support/architecture-cases.ts";
import { textOf } from "../support/id-text.ts";
import { memoryHost } from "../support/memory-host.ts";
import { RULES } from "../support/run-rules.ts";

// Activations, keys and values that WebGPU rounds are those that WebAssembly rounds. A value that lies as good as on the edge
// between two codes may fall to either side, since sums before it are in other orders: such codes are counted, and few.

/** Codes that may differ, as a share: the two compute values to about 1e-6, and steps are about 1e-2 of the largest. */
const FLIPPED_SHARE = 1e-3;

/**
 * How far figures may be apart, as a share, over so many positions. A code that flips moves all codes after it a little, so
 * that positions scatter and means agree: those of the tool in float64 and in float32 over 8,128 positions to 0.7 and 3.7 %.
 */
const TOLERANCES = { kld: 0.02, rmsDeltaP: 0.05 } as const;
const POSITIONS = 8128;

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

async function model(): Promise<Folder> {
  const names = ["config.json", "model.safetensors"];
  const files = names.map(async (name) => [name, createBufferSource(name, await read(`model/${name}`))] as const);
  return { name: "llama", files: new Map(await Promise.all(files)) };
}

const host = (device: "gpu" | "wasm") => memoryHost({ device, gpu: navigator.gpu, wasm: browserWasm() });

/** Rounded inputs of every linear layer. */
class Rounded implements InputTap {
  readonly inputs = new Map<string, { readonly values: Float32Array; readonly width: number }>();
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    const values = new Float32Array((await this.#device.read(input, rows * width * 4)).buffer);
    this.inputs.set(module, { values, width });
  }
}

async function roundedInputs(kind: "gpu" | "wasm", windows: readonly (readonly number[])[]) {
  const checkpoint = await openCheckpoint(await model());
  const devices = new DeviceSet(host(kind));
  const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
  try {
    const { device } = bench;
    const graph = decoderOf(checkpoint);
    const plan = planCheckpoint(checkpoint, parseRunRecipe("W8A8"), ["lm_head", "re:.*embed_tokens"]);
    const applied = appliedOf({ weights: false, activations: true, kvCache: "int8:token-head" });
    const ready = await variantOf(bench, graph, { kind: "recipe", plan, applied }, "eager", null);
    const tap = new Rounded(device);
    // Begun anew in every layer: what flips in one is not to spread over the next.
    const models = [ORIGINAL, { ...ready, variant: { ...ready.variant, tap, isRestarted: true } }];
    const sources = models.map(({ source }) => source);
    const parameters = new ModelParameters(bench, checkpoint, sources, () => {});
    const variants = models.map(({ variant }) => variant);
    await runModel({ device, graph, parameters, variants, batch: batchWindows(windows), sink: null });
    parameters.destroy();
    return tap.inputs;
  } finally {
    await bench.close();
    devices.close();
  }
}

test("codes are the same but for values on an edge between two", async () => {
  const windows = windowsIn(await read("tokens.json"));
  const [own, expected] = [await roundedInputs("gpu", windows), await roundedInputs("wasm", windows)];
  let codes = 0;
  let flipped = 0;
  for (const [module, { values, width }] of expected) {
    // Those that read what the original computed: others also read what was rounded before them.
    if (!module.endsWith("q_proj")) continue;
    const found = own.get(module)?.values ?? new Float32Array();
    expect(found).toHaveLength(values.length);
    for (let first = 0; first < values.length; first += width) {
      const row = values.subarray(first, first + width);
      const step = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127.5;
      for (const [at, value] of row.entries()) {
        codes++;
        if (!(Math.abs((found[first + at] ?? Number.NaN) - value) <= step / 2)) flipped++;
      }
    }
  }
  console.info(`${flipped} of ${codes} codes of activations differ between WebGPU and WebAssembly`);
  expect(codes).toBeGreaterThan(10_000);
  expect(flipped).toBeLessThanOrEqual(FLIPPED_SHARE * codes);
});

test("a measurement with rounded activations, keys and values says the same on both", async () => {
  const text = textOf(windowsIn(await read("tokens.json")));
  const request = {
    ...RULES,
    schemes: [
      "W8A8",
      "int8:channel/int8:tensor",
      "int4:group=16/int4:group=16",
      "int8:channel/int8:tensor:static:asym",
    ],
    ignore: ["lm_head", "re:.*embed_tokens"],
    roundings: { weights: true, activations: true, kvCache: "int8:attn_head" },
    served: true,
    calibration: text,
    text,
  };
  const [gpu, wasm] = [createEngine(host("gpu")), createEngine(host("wasm"))];
  for (const engine of [gpu, wasm]) await engine.open(await model());
  const [own, other] = [await gpu.measure(request), await wasm.measure(request)];
  gpu.close();
  wasm.close();
  expect(own.rows).toHaveLength(4);
  for (const [index, row] of own.rows.entries()) {
    const expected = other.rows[index];
    expect(row.divergence?.activationQuantization).toEqual(expected?.divergence?.activationQuantization);
    for (const side of [(of: typeof row) => of.divergence, (of: typeof row) => of.served?.divergence]) {
      const [found, wanted] = [side(row), expected && side(expected)];
      if (!wanted) continue;
      for (const [figure, tolerance] of Object.entries(TOLERANCES) as [keyof typeof TOLERANCES, number][]) {
        const deviation = (found?.[figure].value ?? Number.NaN) / wanted[figure].value - 1;
        expect(Math.abs(deviation)).toBeLessThanOrEqual(tolerance * Math.sqrt(POSITIONS / wanted.scored));
      }
      const tops = (found?.sameTopP.value ?? Number.NaN) - wanted.sameTopP.value;
      expect(Math.abs(tops)).toBeLessThanOrEqual(0.01 * Math.sqrt(POSITIONS / wanted.scored));
    }
  }
});
