import { afterAll, describe, expect, test } from "vitest";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { selfTest } from "../../src/engine/self-test.ts";
import { GOLDEN } from "../../src/engine/self-test-golden.ts";

const devices = [await createWebGpuDevice(navigator.gpu), createReferenceDevice()];
afterAll(() => {
  for (const device of devices) device.destroy();
});

const now = () => performance.now();

describe.each(devices)("$kind passes the self-test of", (device) => {
  describe.each(["eager", "triton"] as const)("%s", (arithmetic) => {
    test.each(GOLDEN)("%s int%i, symmetric %s", async (element, bits, symmetric) => {
      const result = await selfTest(device, { element, bits, symmetric, arithmetic }, now);
      expect(result.difference).toBeNull();
    });
  });
});

test.each([
  { element: "bf16", bits: 8, symmetric: true, arithmetic: "eager" },
  { element: "f16", bits: 5, symmetric: false, arithmetic: "eager" },
  { element: "bf16", bits: 8, symmetric: false, arithmetic: "triton" },
] as const)("a device that computes the other arithmetic fails: %j", async (codes) => {
  const device = createReferenceDevice();
  const other = codes.arithmetic === "eager" ? "triton" : "eager";
  const swapped = {
    ...device,
    run: (calls: Parameters<typeof device.run>[0]) =>
      device.run(calls.map((item) => ({ ...item, source: { ...(item.source as object), arithmetic: other } }))),
  };
  const result = await selfTest(swapped, codes, now);
  expect(result.passed).toBe(false);
  expect(result.difference).toMatch(/has code|golden/);
});
