import fc from "fast-check";
import { expect, test } from "vitest";
import { foldDispatch, WORKGROUP_SIZE } from "./kernel.ts";

test("a dispatch holds every invocation, few too many, and no dimension passes its limit", () => {
  expect(foldDispatch(0)).toEqual([0, 0]);
  expect(foldDispatch(65_535 * WORKGROUP_SIZE + 1)).toEqual([65_535, 2]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (invocations) => {
      const [x, y] = foldDispatch(invocations);
      expect(x * y * WORKGROUP_SIZE).toBeGreaterThanOrEqual(invocations);
      expect(x * y * WORKGROUP_SIZE - invocations).toBeLessThan(WORKGROUP_SIZE * (x + 1));
      expect(Math.max(x, y)).toBeLessThanOrEqual(65_535);
    }),
  );
});
