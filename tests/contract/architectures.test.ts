import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DeviceChoice } from "../../src/engine/api.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { ARCHITECTURES, deviationsOf } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/golden/architectures");

// Logits and statistics of every family against what transformers computed in float32, on WebAssembly and by the oracles.

describe.each(["wasm", "reference"] as const satisfies readonly DeviceChoice[])("%s", (device) => {
  test.each(ARCHITECTURES)("%s", async (name) => {
    const host = memoryHost({ device, wasm: device === "wasm" ? nodeWasm() : null });
    const read = async (path: string) => new Uint8Array(readFileSync(join(FOLDER, name, path)));
    const { largest, median, statistics, modules } = await deviationsOf(host, name, read);
    expect(largest).toBeLessThanOrEqual(2e-4);
    expect(median).toBeLessThanOrEqual(1e-5);
    for (const deviation of Object.values(statistics)) expect(deviation).toBeLessThanOrEqual(1e-5);
    expect(modules).toBeGreaterThan(8);
  });
});
