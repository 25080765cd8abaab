import { afterAll, expect, test } from "vitest";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { selfTest } from "../../src/engine/self-test.ts";

const devices = [await createWebGpuDevice(navigator.gpu), createReferenceDevice()];
afterAll(() => {
  for (const device of devices) device.destroy();
});

for (const device of devices) {
  for (const bits of [4, 8] as const) {
    for (const arithmetic of ["eager", "triton"] as const) {
      test(`${device.kind} passes the self-test of int${bits} ${arithmetic}`, async () => {
        const result = await selfTest(device, { bits, arithmetic }, () => performance.now());
        expect(result.difference).toBeNull();
      });
    }
  }
}

test("a device that computes the other arithmetic fails the self-test", async () => {
  const device = createReferenceDevice();
  const swapped = {
    ...device,
    run: (calls: Parameters<typeof device.run>[0]) =>
      device.run(calls.map((item) => ({ ...item, source: { ...(item.source as object), arithmetic: "triton" } }))),
  };
  const result = await selfTest(swapped, { bits: 8, arithmetic: "eager" }, () => performance.now());
  expect(result.passed).toBe(false);
  expect(result.difference).toMatch(/has code|golden/);
});
