import { expect, test } from "vitest";
import { ARCHITECTURES, deviationsOf } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";

// Logits and statistics of every family against what transformers computed in float32, on WebGPU.

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob("../../fixtures/golden/architectures/**", {
  query: "?url",
  import: "default",
  eager: true,
});

async function read(name: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const address = ADDRESSES[`../../fixtures/golden/architectures/${name}/${path}`];
  if (address === undefined) throw new Error(`${name}/${path} is missing`);
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

test.each(ARCHITECTURES)("%s", async (name) => {
  const host = memoryHost({ device: "gpu", gpu: navigator.gpu });
  const { largest, median, statistics, modules } = await deviationsOf(host, name, (path) => read(name, path));
  expect(largest).toBeLessThanOrEqual(2e-4);
  expect(median).toBeLessThanOrEqual(1e-5);
  for (const deviation of Object.values(statistics)) expect(deviation).toBeLessThanOrEqual(1e-5);
  expect(modules).toBeGreaterThan(8);
});
