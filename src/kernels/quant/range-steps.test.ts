import { describe, expect, test } from "vitest";
import { rangeSteps, stepsAhead } from "./range-steps.ts";

describe("the steps of a search for a range", () => {
  test("are those of LLM Compressor's observers where nothing is said", () => {
    const own = rangeSteps({ observer: "memoryless_mse" });
    expect(own).toMatchObject({ norm: 2.4, precision: "own", patience: 5 });
    expect(own.shrinks).toHaveLength(20);
    expect([own.shrinks[0], own.shrinks[1], own.shrinks[19]]).toEqual([1, 1 - 1 / 100, 1 - 19 / 100]);
    const weighed = rangeSteps({ observer: "imatrix_mse" });
    expect(weighed).toMatchObject({ norm: 3, precision: "f32", patience: 5 });
    // One more than the other observer would take, and at least two.
    expect(weighed.shrinks).toHaveLength(20);
    expect(weighed.shrinks[19]).toBe(1 - 19 / 20);
    expect(rangeSteps({ observer: "imatrix_mse", maxshrink: 0 }).shrinks).toEqual([1, 1 - 1 / 20]);
    expect(rangeSteps({ observer: "memoryless_mse", maxshrink: 0 }).shrinks).toEqual([]);
  });

  test("are cut off as Python cuts off a product: 0.29 * 100 is a little less than 29", () => {
    expect(rangeSteps({ observer: "memoryless_mse", maxshrink: 0.29 }).shrinks).toHaveLength(28);
  });

  test("end after as many in a row that improved nothing as patience says", () => {
    const steps = rangeSteps({ observer: "memoryless_mse" });
    expect(stepsAhead(steps, [])).toBe(5);
    expect(stepsAhead(steps, [true, false, false])).toBe(3);
    expect(stepsAhead(steps, [true, false, false, true])).toBe(5);
    expect(stepsAhead(steps, [true, false, false, false, false, false])).toBe(0);
    expect(
      stepsAhead(
        steps,
        Array.from({ length: 18 }, () => true),
      ),
    ).toBe(2);
    expect(
      stepsAhead(
        steps,
        Array.from({ length: 20 }, () => true),
      ),
    ).toBe(0);
  });

  test("know a patience of 0: no end of the search with importance, the shortest without", () => {
    expect(stepsAhead(rangeSteps({ observer: "imatrix_mse", patience: 0 }), [false, false, false])).toBe(17);
    expect(stepsAhead(rangeSteps({ observer: "memoryless_mse", patience: 0 }), [])).toBe(1);
    expect(stepsAhead(rangeSteps({ observer: "memoryless_mse", patience: 0 }), [true, false])).toBe(0);
  });
});
