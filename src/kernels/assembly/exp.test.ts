import { expect, test } from "vitest";
import { wasm } from "./exp-each.as.ts?wasm";

const AT = 65_536;
const COUNT = 2 ** 16;
const memory = new WebAssembly.Memory({ initial: 16 });
const { exports } = new WebAssembly.Instance(await WebAssembly.compile(wasm), { env: { memory } });

/** What a function makes of float32 numbers. */
function each(name: "expEach" | "tanhEach", inputs: readonly number[]): readonly number[] {
  const values = new Float32Array(memory.buffer, AT, COUNT);
  values.set(inputs);
  (exports[name] as (at: number, count: number) => void)(AT, Math.ceil(inputs.length / 4) * 4);
  return [...values.slice(0, inputs.length)];
}

/** Largest relative error on numbers from `low` to `high`. */
function largestError(name: "expEach" | "tanhEach", exact: (x: number) => number, low: number, high: number): number {
  const inputs = Array.from({ length: COUNT }, (_, i) => Math.fround(low + ((high - low) * i) / COUNT));
  const found = each(name, inputs);
  return Math.max(
    ...Array.from({ length: 64 }, (_, part) =>
      Math.max(
        ...found.slice(part * 1024, (part + 1) * 1024).map((value, i) => {
          const wanted = exact(inputs[part * 1024 + i] ?? 0);
          return wanted === 0 ? Math.abs(value) : Math.abs(value / wanted - 1);
        }),
      ),
    ),
  );
}

test.each([
  [-86.9, 88.7],
  [-1, 1],
  [-1e-3, 1e-3],
])("exp is within 2 units in the last place from %d to %d", (low, high) => {
  expect(largestError("expEach", Math.exp, low, high)).toBeLessThan(2e-7);
});

test("exp of 0 is 1, beyond float32 infinite, below its normal numbers 0, of a NaN a NaN", () => {
  const inputs = [0, -0, 88.8, 1e9, Infinity, -87, -100, -1e9, -Infinity, NaN];
  expect(each("expEach", inputs)).toEqual([1, 1, Infinity, Infinity, Infinity, 0, 0, 0, 0, NaN]);
});

test.each([
  [-12, 12],
  [-0.7, 0.7],
  [-1e-3, 1e-3],
])("tanh is within 3e-7 from %d to %d", (low, high) => {
  expect(largestError("tanhEach", Math.tanh, low, high)).toBeLessThan(3e-7);
});

test("tanh keeps the sign of zero, ends at 1, and is a NaN of a NaN", () => {
  const inputs = [0, -0, 1e-30, 100, Infinity, -Infinity, NaN];
  expect(each("tanhEach", inputs)).toEqual([0, -0, Math.fround(1e-30), 1, 1, -1, NaN]);
});
