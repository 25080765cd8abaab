import { describe, expect, test } from "vitest";
import type { Kernel } from "../../device/kernel.ts";
import { asFloats } from "../floats.ts";
import type { Activation } from "./gate.oracle.ts";
import { gate } from "./gate.ts";
import { floatWords } from "./model-inputs.ts";
import { norm } from "./norm.ts";
import { rotate } from "./rotate.ts";
import { roundTo } from "./round_to.ts";
import { route } from "./route.ts";

// What PyTorch 2 and transformers 5.17 give for these numbers, in float64 where nothing else is said.

/** The last of a kernel's buffers after its oracle, as numbers. */
function after<Source, Shape>(
  kernel: Kernel<Source, Shape>,
  source: Source,
  shape: Shape,
  buffers: readonly Uint32Array[],
): readonly number[] {
  kernel.oracle(source, shape, buffers);
  return [...asFloats(buffers.at(-1) ?? new Uint32Array())];
}

/** Numbers are float32: half a unit in the last place, and the shortening of what is written here. */
function expectNear(found: readonly number[], wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs((found[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(2 ** -23 * Math.abs(value) + 1e-12);
  }
}

const X = [-9.5, -3.25, -0.75, -0.001, 0, 0.5, 2.125, 7];

const ACTIVATIONS: readonly (readonly [Activation, readonly number[]])[] = [
  [
    "silu",
    [-0.00071103916, -0.1213123838, -0.24061597561, -0.0004997500000208, 0, 0.3112296656, 1.8982824878, 6.993622641639],
  ],
  [
    "gelu",
    [0, -0.00187533138777, -0.16997051428, -0.000499601057786, 0, 0.345731230637, 2.089314223797, 6.999999999991],
  ],
  [
    "gelu-tanh",
    [0, -0.00156862714474, -0.17003944483, -0.000499601057786, 0, 0.345714009825, 2.0895195995, 6.999999999999],
  ],
  ["relu", [0, 0, 0, 0, 0, 0.5, 2.125, 7]],
];

test.each(ACTIVATIONS)("%s is that of torch.nn.functional", (activation, wanted) => {
  const place = { stride: 8, start: 0 };
  const shape = { rows: 1, width: 8, gate: place, up: place };
  // -0.001 is no float32: its own rounding is 3e-8 of it.
  const inputs = X.map(Math.fround);
  const found = after(gate, { activation, isGated: false, rounding: null }, shape, [
    floatWords(inputs),
    floatWords([]),
    floatWords(X),
  ]);
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs((found[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(2e-7 * Math.abs(value) + 1e-12);
  }
  const doubled = after(gate, { activation, isGated: true, rounding: null }, shape, [
    floatWords(inputs),
    floatWords(X.map(() => 2)),
    floatWords(X),
  ]);
  expect(doubled).toEqual(found.map((value) => 2 * value));
});

test.each([
  [
    "rms",
    [
      0.76665087666, -0.51110058444, -0.25555029222, 4.59990525996, 1.994696168817, -0.004986740422, -0.279257463634,
      0.119681770129,
    ],
  ],
  [
    "layer",
    [
      0.943553615117, 0.266430559614, 0.477673123972, 2.787265482921, 2.228494633291, 0.672386523193, 0.9546745659,
      -2.78779119018,
    ],
  ],
] as const)("%s norm is that of torch.nn.functional", (form, wanted) => {
  const inputs = [1.5, -2, 0.25, 3, 100, -0.5, 7, 2];
  const buffers = [inputs, [1, 0.5, -2, 3], [0.5, 1, 0, -1], inputs].map(floatWords);
  expectNear(after(norm, { form, rounding: null }, { pieces: 2, width: 4, epsilon: 1e-5, offset: 0 }, buffers), wanted);
  // Gemma stores weights less 1.
  const less = [inputs, [0, -0.5, -3, 2], [0.5, 1, 0, -1], inputs].map(floatWords);
  expectNear(after(norm, { form, rounding: null }, { pieces: 2, width: 4, epsilon: 1e-5, offset: 1 }, less), wanted);
});

test.each([
  ["apply_rotary_pos_emb of Llama", false, [-1.41335252078, 1.879118066688, -2.828857481741, 4.058191135401]],
  ["rotate_every_two of GPT-J", true, [-1.27223251272, -1.838864985141, 2.878668100437, 4.088186635603]],
] as const)("rotation is %s", (_name, isNeighbours, wanted) => {
  // Position 3 with frequencies 1 and 0.01; cosines and sines are float32, and 4 is multiplied with their error.
  const angles = floatWords([...Array(12).fill(0), Math.cos(3), Math.sin(3), Math.cos(0.03), Math.sin(0.03)]);
  const shape = { rows: 1, width: 4, start: 0, stride: 4, heads: 1, pairs: 2, isNeighbours };
  const found = after(rotate, { rounding: null }, shape, [Uint32Array.of(3), angles, floatWords([1, 2, 3, 4])]);
  for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 6);
});

describe("routing", () => {
  const logits = floatWords([0.5, 2, 2, -1, 3, 1, 0, 2.5]);
  const shape = { rows: 2, experts: 4, topK: 2 };

  test.each([
    [false, [0, 0.439963227633, 0.439963227633, 0, 0.558143788827, 0, 0, 0.338531320452]],
    [true, [0, 0.5, 0.5, 0, 0.622459331202, 0, 0, 0.377540668798]],
  ])("is softmax and topk of torch, normalized: %s", (isNormalized, wanted) => {
    expectNear(after(route, { isNormalized }, shape, [logits, new Uint32Array(8)]), wanted);
  });

  test("gives ties to the lower number", () => {
    const found = after(route, { isNormalized: true }, { rows: 1, experts: 4, topK: 1 }, [logits, new Uint32Array(4)]);
    expect(found).toEqual([0, 1, 0, 0]);
  });
});

test.each([
  [
    "bf16",
    [
      1,
      1.015625,
      Infinity,
      -3.2964854295465914e38,
      9.183549615799121e-41,
      65536,
      65536,
      -1.0011717677116394e-8,
      2 ** -25,
      3 * 2 ** -25,
      -Infinity,
    ],
  ],
  ["f16", [1.00390625, 1.01171875, Infinity, -Infinity, 0, 65504, Infinity, -0, 0, 2 ** -23, -Infinity]],
] as const)("rounding to %s is torch's", (element, wanted) => {
  const values = [
    1 + 2 ** -8,
    1 + 3 * 2 ** -8,
    3.3999e38,
    -3.3e38,
    1e-40,
    65519.9,
    65520,
    -1e-8,
    2 ** -25,
    3 * 2 ** -25,
    -Infinity,
  ];
  expect(after(roundTo, { element }, { elements: values.length }, [floatWords(values)])).toEqual(wanted);
});
