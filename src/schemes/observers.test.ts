import { describe, expect, test } from "vitest";
import { observeRanges, type ValueRanges } from "./observers.ts";

const batch = (min: readonly number[], max: readonly number[]): ValueRanges => ({
  min: Float64Array.from(min),
  max: Float64Array.from(max),
});

/** Ranges of three batches, two scales each. */
const BATCHES = [batch([-1, -2], [3, 0.5]), batch([-4, -1], [1, 0.75]), batch([-0.5, -0.25], [2, 0.25])];

/** What `llmcompressor.observers.min_max.MinMaxObserver` has after these batches, in float32 and in bfloat16. */
const MOVED_F32 = batch([-1.0246999263763428, -1.9726001024246216], [2.9702000617980957, 0.4999749958515167]);
const MOVED_BF16 = batch([-1.03125, -1.9609375], [2.96875, 0.49609375]);

describe("observeRanges", () => {
  test("keeps the smallest and largest of all batches", () => {
    expect(observeRanges("static_minmax", BATCHES, "bf16")).toEqual(batch([-4, -2], [3, 0.75]));
  });

  test("keeps the last batch alone", () => {
    expect(observeRanges("memoryless_minmax", BATCHES, "bf16")).toEqual(batch([-0.5, -0.25], [2, 0.25]));
  });

  test("moves an average by a hundredth of each batch, rounded as the model's type", () => {
    expect(observeRanges("minmax", BATCHES, "f32")).toEqual(MOVED_F32);
    expect(observeRanges("minmax", BATCHES, "bf16")).toEqual(MOVED_BF16);
  });

  test("of one batch is that batch", () => {
    for (const observer of ["minmax", "static_minmax", "memoryless_minmax"] as const) {
      expect(observeRanges(observer, BATCHES.slice(0, 1), "bf16")).toEqual(BATCHES[0]);
    }
  });
});
