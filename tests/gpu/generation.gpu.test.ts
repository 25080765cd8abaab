import { expect, test } from "vitest";
import type { DeviceChoice } from "../../src/engine/api.ts";
import { Bench } from "../../src/engine/bench.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { ModelParameters, ORIGINAL_SOURCE } from "../../src/engine/model-parameters.ts";
import { openCheckpoint } from "../../src/formats/huggingface/checkpoint.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { decodeGreedily } from "../../src/models/decoding.ts";
import { windowsIn } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";

// Greedy text on WebGPU, with keys and values kept there, is WebAssembly's.

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob(
  "../../fixtures/golden/architectures/{mistral-window,phi3}/{tokens.json,model/*}",
  { query: "?url", import: "default", eager: true },
);

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const address = ADDRESSES[`../../fixtures/golden/architectures/${path}`];
  if (address === undefined) throw new Error(`${path} is missing`);
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

test.each(["mistral-window", "phi3"])("%s", async (name) => {
  const names = ["config.json", "model.safetensors"];
  const files = names.map(
    async (file) => [file, createBufferSource(file, await read(`${name}/model/${file}`))] as const,
  );
  const checkpoint = await openCheckpoint({ name, files: new Map(await Promise.all(files)) });
  const windows = windowsIn(await read(`${name}/tokens.json`));
  const prompts = [windows[0]?.slice(0, 17) ?? [], windows[1]?.slice(0, 3) ?? [], windows[0]?.slice(0, 30) ?? []];
  const textOn = async (choice: DeviceChoice) => {
    const devices = new DeviceSet(memoryHost({ device: choice, gpu: navigator.gpu, wasm: browserWasm() }));
    const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
    try {
      const { device } = bench;
      const parametersOf = () => new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], () => {});
      const decoding = { device, graph: decoderOf(checkpoint), prompts, tokens: 8, ends: new Set<number>() };
      return { kind: device.kind, made: await decodeGreedily({ ...decoding, parametersOf }) };
    } finally {
      await bench.close();
      devices.close();
    }
  };
  const [gpu, wasm] = [await textOn("gpu"), await textOn("wasm")];
  expect([gpu.kind, wasm.kind]).toEqual(["webgpu", "wasm"]);
  expect(gpu.made).toEqual(wasm.made);
});
