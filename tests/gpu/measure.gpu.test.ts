import { afterAll, expect, test } from "vitest";
import type { DeviceChoice } from "../../src/engine/api.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { createEngine, type HostedEngine } from "../../src/engine/engine.ts";
import type { MeasuredTokens } from "../../src/engine/measure-result.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { windowsIn } from "../support/architecture-cases.ts";
import { textOf } from "../support/id-text.ts";
import { memoryHost } from "../support/memory-host.ts";
import { RULES } from "../support/run-rules.ts";

// A measurement on WebGPU says what it says on WebAssembly.

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

const model = async (): Promise<Folder> => {
  const names = ["config.json", "model.safetensors"];
  const files = names.map(async (name) => [name, createBufferSource(name, await read(`model/${name}`))] as const);
  return { name: "llama", files: new Map(await Promise.all(files)) };
};

const text = async () => textOf(windowsIn(await read("tokens.json")));

const engines: HostedEngine[] = [];
afterAll(() => {
  for (const engine of engines) engine.close();
});

async function engineOn(device: DeviceChoice): Promise<HostedEngine> {
  const engine = createEngine(memoryHost({ device, gpu: navigator.gpu, wasm: browserWasm() }));
  engines.push(engine);
  await engine.open(await model());
  return engine;
}

test("divergence agrees with WebAssembly's to a ten-thousandth", async () => {
  const request = {
    ...RULES,
    schemes: ["int4:group=16", "int8:channel", "magnitude:2:4 | int4:group=16:asym"],
    ignore: ["lm_head", "re:.*embed_tokens"],
    text: await text(),
  } as const;
  const [gpu, wasm] = [await engineOn("gpu"), await engineOn("wasm")];
  const [own, other] = [await gpu.measure(request), await wasm.measure(request)];
  expect([own, other].map(({ kernels }) => [...new Set(kernels.map(({ device }) => device))])).toEqual([
    ["webgpu"],
    ["wasm"],
  ]);
  for (const [index, { divergence }] of own.rows.entries()) {
    const expected = other.rows[index]?.divergence;
    for (const figure of ["kld", "rmsDeltaP", "pplQ", "pplBase"] as const) {
      const wanted = expected?.[figure].value ?? Number.NaN;
      expect(Math.abs((divergence?.[figure].value ?? Number.NaN) - wanted)).toBeLessThanOrEqual(1e-4 * wanted);
    }
    expect(divergence?.sameTopP).toEqual(expected?.sameTopP);
    expect(divergence?.kld.value).toBeGreaterThan(1e-6);
  }
});

test("of a copy is exactly nothing at every position", async () => {
  const engine = await engineOn("gpu");
  const found: MeasuredTokens[] = [];
  const request = { ...RULES, schemes: [], ignore: [], text: await text() };
  await engine.measure(request, { onTokens: (tokens) => found.push(tokens) }, [await model()]);
  expect(found.at(-1)?.rows.map(({ scores }) => scores.kld)).toEqual([new Float64Array(2 * 23)]);
});
