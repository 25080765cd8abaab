import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";

test("no two takers share a byte, and what is given back is whole again", () => {
  const step = fc.record({ size: fc.integer({ min: 0, max: 5000 }), gives: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new Heap();
      heap.add(64, 64_000);
      const taken: { start: number; size: number }[] = [];
      for (const { size, gives, which } of steps) {
        const own = gives ? taken.splice(which % Math.max(taken.length, 1), 1)[0] : undefined;
        if (own) heap.add(own.start, own.size);
        const start = heap.take(size);
        if (start === null) continue;
        const range = { start, size: Heap.sizeOf(size) };
        expect(start % 64).toBe(0);
        expect(start >= 64 && start + range.size <= 64_064).toBe(true);
        expect(taken.some((other) => start < other.start + other.size && other.start < start + range.size)).toBe(false);
        taken.push(range);
      }
      for (const { start, size } of taken) heap.add(start, size);
      expect(heap.take(64_000)).toBe(64);
    }),
  );
});

test("what does not fit is null", () => {
  const heap = new Heap();
  heap.add(0, 128);
  expect(heap.take(129)).toBeNull();
  expect(heap.take(64)).toBe(0);
  expect(heap.take(65)).toBeNull();
});
