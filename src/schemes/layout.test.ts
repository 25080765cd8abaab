import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { requireQuantizable, storedBytes, storedTensors } from "./layout.ts";
import { findPreset } from "./presets.ts";

const bits = (scheme: string, rows: number, cols: number) =>
  (8 * storedBytes(findPreset(scheme), rows, cols)) / (rows * cols);

test("bits per weight are the published ones, and the two numbers of the shape", () => {
  const shape = (8 * 16) / (4096 * 4096);
  expect(bits("W4A16", 4096, 4096)).toBeCloseTo(4.125 + shape, 12);
  expect(bits("W8A16", 4096, 4096)).toBeCloseTo(8.125 + shape, 12);
  expect(bits("W8A8", 4096, 4096)).toBeCloseTo(8 + 16 / 4096, 12);
});

test("W4A16 stores words, scales and a shape", () => {
  expect(storedTensors(findPreset("w4a16"), 256, 768)).toEqual([
    { role: "codes", suffix: ".weight_packed", dtype: "I32", shape: [256, 96], sizeBytes: 98_304 },
    { role: "scale", suffix: ".weight_scale", dtype: "BF16", shape: [256, 6], sizeBytes: 3072 },
    { role: "shape", suffix: ".weight_shape", dtype: "I64", shape: [2], sizeBytes: 16 },
  ]);
});

test("what cannot be quantized is refused by name", () => {
  const code = (action: () => void) => {
    try {
      action();
    } catch (error) {
      return error instanceof LabError ? error.code : error;
    }
    return null;
  };
  expect(code(() => storedTensors(findPreset("W4A16"), 4, 100))).toBe("scheme/group-does-not-divide");
  expect(code(() => requireQuantizable("a.weight", "F16", [2, 2]))).toBe("scheme/unsupported-dtype");
  expect(code(() => requireQuantizable("a.weight", "BF16", [2, 2, 2]))).toBe("scheme/not-a-matrix");
  expect(code(() => findPreset("W9"))).toBe("scheme/unknown");
});
