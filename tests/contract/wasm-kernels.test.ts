import { availableParallelism } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import type { Kernel } from "../../src/device/kernel.ts";
import { instantiate } from "../../src/device/wasm/compute-thread.mjs";
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import { WASM_KERNELS } from "../../src/kernels/wasm-kernels.ts";
import { caseDifference } from "../support/case-difference.ts";

const host = nodeWasm();
// Three threads whatever the machine: how the work is shared out must not show.
const devices = await Promise.all([
  createWasmDevice({ ...host, threads: Math.max(3, availableParallelism()) }),
  createWasmDevice({ ...host, threads: 1 }),
]);
afterAll(() => {
  for (const device of devices) device.destroy();
});

const kernels = [...new Set(ALL_CASES.map(({ kernel }) => kernel.name))];

describe.each(devices)("$adapter", (device) => {
  describe.each(kernels)("%s equals its oracle", (name) => {
    test.each(ALL_CASES.filter(({ kernel }) => kernel.name === name))("$name", async (item) => {
      expect(await caseDifference(device, item)).toBeNull();
    });
  });
});

test("every function takes as many parameters as its wrapper gives: WebAssembly would not say", async () => {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const exports = instantiate(await WebAssembly.compile(WASM_KERNELS.single), memory, 65_536);
  for (const { name, kernel, source, shape } of ALL_CASES) {
    const known = kernel as unknown as Kernel<unknown, unknown>;
    const given = 1 + Object.keys(known.constants(source)).length + known.bindings.length + 2;
    for (const { name: called, extra = [] } of known.wasm(source, shape)) {
      expect([name, called, exports[called]?.length]).toEqual([name, called, given + extra.length]);
    }
  }
});

test("what a kernel leaves in a thread's scratch memory hurts no other", async () => {
  const [device] = devices;
  for (const item of ALL_CASES.toReversed())
    expect([item.name, await caseDifference(device, item)]).toEqual([item.name, null]);
});
