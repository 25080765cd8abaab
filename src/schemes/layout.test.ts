import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { requirePrunable, requireQuantizable, storedBytes, storedTensors } from "./layout.ts";
import { parsePruning } from "./pruning.ts";
import { parseScheme } from "./recipe.ts";

const bits = (scheme: string, rows: number, cols: number) =>
  (8 * storedBytes(parseScheme(scheme), "bf16", rows, cols)) / (rows * cols);

function codeOf(action: () => unknown): string | null {
  try {
    action();
  } catch (error) {
    if (error instanceof LabError) return error.code;
    throw error;
  }
  return null;
}

test("bits per weight are the published ones, and the two numbers of the shape", () => {
  const shape = (8 * 16) / (4096 * 4096);
  expect(bits("W4A16", 4096, 4096)).toBeCloseTo(4.125 + shape, 12);
  expect(bits("W4A16_ASYM", 4096, 4096)).toBeCloseTo(4.15625 + shape, 12);
  expect(bits("int4:group=32", 4096, 4096)).toBeCloseTo(4.5 + shape, 12);
  expect(bits("W8A16", 4096, 4096)).toBeCloseTo(8.125 + shape, 12);
  expect(bits("W8A8", 4096, 4096)).toBeCloseTo(8 + 16 / 4096, 12);
  expect(bits("W4A8", 4096, 4096)).toBeCloseTo(8.125, 12);
});

/** Tensors that LLM Compressor 0.14 wrote for a weight [rows, cols], by their suffix, as `type shape`. */
const WRITTEN: readonly (readonly [string, "bf16" | "f16" | "f32", number, number, Record<string, string>])[] = [
  ["int3", "bf16", 6, 256, { packed: "I32 6,24", scale: "BF16 6,2", shape: "I64 2" }],
  [
    "int3:group=8:asym",
    "f16",
    37,
    32,
    { packed: "I32 37,3", scale: "F16 37,4", shape: "I64 2", zero_point: "I32 4,4" },
  ],
  ["int5:channel", "f32", 3, 33, { packed: "I32 3,6", scale: "F32 3,1", shape: "I64 2" }],
  ["int5:channel:asym", "bf16", 3, 33, { packed: "I32 3,6", scale: "BF16 3,1", shape: "I64 2", zero_point: "I32 1,1" }],
  ["int7:tensor", "bf16", 37, 32, { packed: "I32 37,7", scale: "BF16 1", shape: "I64 2" }],
  ["int7:tensor:asym", "f32", 37, 32, { packed: "I32 37,7", scale: "F32 1", shape: "I64 2", zero_point: "I8 1" }],
  [
    "int8:group=32:asym",
    "bf16",
    37,
    32,
    { packed: "I32 37,8", scale: "BF16 37,1", shape: "I64 2", zero_point: "I32 10,1" },
  ],
  ["int2:tensor:asym", "f16", 1, 1, { packed: "I32 1,1", scale: "F16 1", shape: "I64 2", zero_point: "I8 1" }],
  ["W8A8", "f16", 5, 96, { "": "I8 5,96", scale: "F16 5,1" }],
  ["W3A4", "f32", 5, 128, { "": "I8 5,128", scale: "F32 5,1" }],
  ["int4:group=16:asym/int8:tensor", "bf16", 5, 32, { "": "I8 5,32", scale: "BF16 5,2", zero_point: "I8 5,2" }],
  ["int8:channel/int8:tensor:static", "f16", 5, 32, { "": "I8 5,32", scale: "F16 5,1", ".input_scale": "F16 1" }],
  [
    "int4:group=16:asym/int8:tensor:static=minmax:asym",
    "f32",
    5,
    32,
    {
      "": "I8 5,32",
      scale: "F32 5,2",
      zero_point: "I8 5,2",
      ".input_scale": "F32 1",
      ".input_zero_point": "I8 1",
    },
  ],
  [
    "int4:group=32:asym",
    "bf16",
    0,
    32,
    { packed: "I32 0,4", scale: "BF16 0,1", shape: "I64 2", zero_point: "I32 0,1" },
  ],
];

test.each(WRITTEN)(
  "%s of %s [%i, %i] is stored as LLM Compressor stores it",
  (scheme, element, rows, cols, written) => {
    const tensors = storedTensors(parseScheme(scheme), element, rows, cols);
    const found = tensors.map(({ suffix, dtype, shape }) => [
      suffix.replace(/^\.weight_?/, ""),
      `${dtype} ${shape.join(",")}`,
    ]);
    expect(Object.fromEntries(found)).toEqual(written);
    expect(found).toHaveLength(Object.keys(written).length);
  },
);

test("sizes are the product of the shape and the type", () => {
  expect(storedTensors(parseScheme("W4A16_ASYM"), "f32", 256, 768)).toEqual([
    { role: "codes", suffix: ".weight_packed", dtype: "I32", shape: [256, 96], sizeBytes: 98_304 },
    { role: "scale", suffix: ".weight_scale", dtype: "F32", shape: [256, 6], sizeBytes: 6144 },
    { role: "zero-point", suffix: ".weight_zero_point", dtype: "I32", shape: [32, 6], sizeBytes: 768 },
    { role: "shape", suffix: ".weight_shape", dtype: "I64", shape: [2], sizeBytes: 16 },
  ]);
});

describe("what LLM Compressor refuses or cannot mean is refused by name", () => {
  test.each([
    ["W4A16", 100, "scheme/group-does-not-divide"],
    ["W4A16", 64, "scheme/group-does-not-divide"],
    ["int4:group=32", 48, "scheme/group-does-not-divide"],
    ["int4:group=48", 96, null],
    ["int4:channel", 33, null],
    ["int4:tensor", 33, null],
    ["int8:channel/int8:group=96", 256, "scheme/activation-group-does-not-divide"],
    ["int8:channel/int8:group=512", 256, "scheme/activation-group-does-not-divide"],
    ["int8:channel/int8:group=96", 192, null],
    ["int8:channel/int8:token", 33, null],
  ])("%s of %i columns", (scheme, cols, code) => {
    expect(codeOf(() => storedTensors(parseScheme(scheme), "bf16", 4, cols))).toBe(code);
  });

  test.each([
    ["F64", [2, 2], "scheme/unsupported-dtype"],
    ["F8_E4M3", [2, 2], "scheme/unsupported-dtype"],
    ["bf16", [2, 2], "scheme/unsupported-dtype"],
    ["BF16", [2, 2, 2], "scheme/not-a-matrix"],
    ["BF16", [2], "scheme/not-a-matrix"],
    ["BF16", [], "scheme/not-a-matrix"],
    ["BF16", [2, 0], "scheme/empty-rows"],
    ["BF16", [0, 2], null],
  ])("a weight of %s %j", (dtype, shape, code) => {
    expect(codeOf(() => requireQuantizable("a.weight", dtype, shape))).toBe(code);
  });

  test.each([
    ["magnitude:2:4", 6, "scheme/pattern-does-not-divide"],
    ["magnitude:2:4", 3, "scheme/pattern-does-not-divide"],
    ["magnitude:2:4", 8, null],
    ["magnitude:0.5", 7, null],
    ["magnitude:columns:0.5", 7, null],
  ])("%s of %i columns", (pruning, cols, code) => {
    expect(codeOf(() => requirePrunable(parsePruning(pruning), 4, cols))).toBe(code);
  });
});

test("what can be quantized says what it is made of", () => {
  expect(["BF16", "F16", "F32"].map((dtype) => requireQuantizable("a.weight", dtype, [2, 2]))).toEqual([
    "bf16",
    "f16",
    "f32",
  ]);
});
