import { afterAll, expect, test } from "vitest";
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import { caseDifference } from "../support/case-difference.ts";

// This page is not isolated, so that memory cannot be shared: the module for one thread, where Node's tests have the other.
const device = await createWasmDevice(browserWasm());
afterAll(() => device.destroy());

test("without shared memory one thread computes", () => expect(device.adapter).toBe("WebAssembly SIMD, 1 thread"));

test.each([...new Set(ALL_CASES.map(({ kernel }) => kernel.name))])(
  "%s equals its oracle on every case",
  async (name) => {
    const own = ALL_CASES.filter(({ kernel }) => kernel.name === name);
    const differences: string[] = [];
    for (const item of own) {
      const difference = await caseDifference(device, item);
      if (difference !== null) differences.push(`${item.name}: ${difference}`);
    }
    expect(differences).toEqual([]);
    expect(own.length).toBeGreaterThan(0);
  },
);
