// The lab's forward pass over a model folder of the kit, on a device, against what transformers computed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type NodeWebGpu, nodeGpu } from "../../src/engine/node-host.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { type Deviations, deviationsOf } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";

/** Deviations of what the lab computes on `device` for a folder with `model`, tokens, logits and statistics. */
export async function folderDeviations(
  folder: string,
  device: "gpu" | "wasm" | "reference",
  loadWebGpu: () => Promise<NodeWebGpu>,
): Promise<Deviations> {
  const host = memoryHost({
    device,
    gpu: device === "gpu" ? await nodeGpu(loadWebGpu) : null,
    wasm: device === "wasm" ? nodeWasm() : null,
  });
  return deviationsOf(host, folder, async (path) => new Uint8Array(readFileSync(join(folder, path))));
}
