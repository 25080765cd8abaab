import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryHost } from "../../../tests/support/memory-host.ts";
import { SeededRandom } from "../../base/random.ts";
import type { Device } from "../../device/device.ts";
import { DeviceSet } from "../device-set.ts";
import { nodeWasm } from "../node-threads.ts";
import { factorHessian, type Hessian } from "./hessian.ts";

const devices = new DeviceSet(memoryHost({ device: "wasm", wasm: nodeWasm() }));
let cpu: Device;
beforeAll(async () => {
  cpu = await devices.cpu();
});
afterAll(() => devices.close());

const NONE = { actorder: "none", dampening: 0.01 } as const;
const STATIC = { actorder: "static", dampening: 0.01 } as const;

/** The mean of x xᵀ of random inputs, some channels louder than others; `dead` ones are always 0. */
function madeHessian(width: number, tokens: number, dead: readonly number[] = []): Hessian {
  const random = new SeededRandom(width * 1000 + tokens);
  const inputs = Array.from({ length: tokens }, () =>
    Array.from({ length: width }, (_, channel) =>
      dead.includes(channel) ? 0 : random.nextNormal() * (0.5 + (channel % 5)) + 0.3,
    ),
  );
  const values = new Float64Array(width * width);
  for (const input of inputs) {
    for (let row = 0; row < width; row++) {
      for (let column = 0; column < width; column++) {
        const at = row * width + column;
        values[at] = (values[at] ?? 0) + ((input[row] ?? 0) * (input[column] ?? 0)) / tokens;
      }
    }
  }
  return { width, tokens, values };
}

/** What is to be inverted: in the given order, dampened, dead channels 1. */
function dampened({ width, values }: Hessian, order: Uint32Array, dampening: number): number[][] {
  const diagonal = Array.from({ length: width }, (_, at) => values[at * (width + 1)] ?? 0).map((own) => own || 1);
  const damp = (dampening * diagonal.reduce((sum, own) => sum + own, 0)) / width;
  return Array.from(order, (row, at) =>
    Array.from(order, (column, place) =>
      place === at ? (diagonal[row] ?? 0) + damp : (values[row * width + column] ?? 0),
    ),
  );
}

/** By Gauss and Jordan with pivots, in float64. */
function inverseOf(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...Array.from({ length: n }, (_, place) => (place === at ? 1 : 0))]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let at = k; at < n; at++) if (Math.abs(rows[at]?.[k] ?? 0) > Math.abs(rows[pivot]?.[k] ?? 0)) pivot = at;
    const own = rows[pivot] ?? [];
    rows[pivot] = rows[k] ?? [];
    const scaled = own.map((value) => value / (own[k] ?? 0));
    rows[k] = scaled;
    for (let at = 0; at < n; at++) {
      const factor = rows[at]?.[k] ?? 0;
      if (at !== k && factor !== 0) {
        rows[at] = (rows[at] ?? []).map((value, place) => value - factor * (scaled[place] ?? 0));
      }
    }
  }
  return rows.map((row) => row.slice(n));
}

const normOf = (matrix: readonly (readonly number[])[]) =>
  Math.max(...matrix.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));

/** Shares no line with the lab: UᵀU is formed and held against the inverse. */
async function expectInverse(hessian: Hessian, settings: typeof NONE | typeof STATIC) {
  const { order, factor, failure } = await factorHessian(cpu, hessian, settings);
  expect(failure).toBeNull();
  const n = hessian.width;
  const matrix = dampened(hessian, order, settings.dampening);
  const inverse = inverseOf(matrix);
  // What float64 loses by inverting, twice: on either side.
  const condition = normOf(matrix) * normOf(inverse);
  const lost = 2 * n * condition * normOf(inverse) * 2 ** -52;
  let worst = 0;
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      let magnitudes = 0;
      for (let k = 0; k <= Math.min(row, column); k++) {
        const product = (factor[k * n + row] ?? 0) * (factor[k * n + column] ?? 0);
        sum += product;
        magnitudes += Math.abs(product);
      }
      // U is stored in float32: each factor of a product may be half a unit off.
      const allowed = 2 * 2 ** -24 * 1.01 * magnitudes + lost;
      worst = Math.max(worst, Math.abs(sum - (inverse[row]?.[column] ?? 0)) / allowed);
      if (column < row) expect(factor[row * n + column]).toBe(0);
    }
  }
  expect(worst).toBeLessThanOrEqual(1);
}

describe("a Hessian is factored so that UᵀU is the inverse of the dampened one", () => {
  test.each([
    { width: 1, tokens: 3 },
    { width: 24, tokens: 100 },
    { width: 67, tokens: 200 },
    // Fewer tokens than channels: only dampening makes it invertible.
    { width: 40, tokens: 5 },
    { width: 40, tokens: 1 },
  ])("$width channels, $tokens tokens", async ({ width, tokens }) => {
    await expectInverse(madeHessian(width, tokens), NONE);
    await expectInverse(madeHessian(width, tokens), STATIC);
  });

  test("with channels that no token reached", async () => {
    const hessian = madeHessian(20, 60, [0, 7, 19]);
    await expectInverse(hessian, NONE);
    const { alive, meter } = await factorHessian(cpu, hessian, STATIC);
    expect(meter).toMatchObject({ channels: 20, deadChannels: 3, tokens: 60 });
    expect([...(alive ?? [])]).toEqual(Array.from({ length: 20 }, (_, at) => ([0, 7, 19].includes(at) ? 0 : 1)));
  });

  test("none dead, none marked", async () => {
    expect((await factorHessian(cpu, madeHessian(20, 60), NONE)).alive).toBeNull();
  });
});

describe("the order", () => {
  test("is as they lie, or loudest first, equals as they lie, dead ones last", async () => {
    const hessian: Hessian = { width: 5, tokens: 9, values: new Float64Array(25) };
    for (const [at, own] of [2, 5, 0, 5, 3].entries()) hessian.values[at * 6] = own;
    expect([...(await factorHessian(cpu, hessian, NONE)).order]).toEqual([0, 1, 2, 3, 4]);
    expect([...(await factorHessian(cpu, hessian, STATIC)).order]).toEqual([1, 3, 4, 0, 2]);
  });
});

describe("the meter", () => {
  test("says the squared ratio of the factor's diagonal, from below the condition", async () => {
    const hessian: Hessian = { width: 3, tokens: 9, values: Float64Array.of(100, 0, 0, 0, 4, 0, 0, 0, 1) };
    const { meter } = await factorHessian(cpu, hessian, NONE);
    // Diagonal: dampened by 0.01 · 105 / 3.
    expect(meter.condition).toBeCloseTo(100.35 / 1.35, 10);
  });
});

describe("what cannot be inverted", () => {
  const identity = (width: number) =>
    Array.from({ length: width * width }, (_, at) => (at % (width + 1) === 0 ? 1 : 0));

  test.each([
    { what: "not positive definite", values: [1, 2, 2, 1], words: /leading minor of order 2 is not positive/ },
    { what: "NaN", values: [1, Number.NaN, Number.NaN, 1], words: /not finite/ },
    { what: "infinite", values: [Number.POSITIVE_INFINITY, 0, 0, 1], words: /not finite/ },
    { what: "too small for float32", values: [1e-80, 0, 0, 1e-80], words: /leaves float32/ },
  ])("$what: said, and nothing is made up for", async ({ values, words }) => {
    const hessian: Hessian = { width: 2, tokens: 4, values: Float64Array.from(values) };
    const { failure, factor, meter } = await factorHessian(cpu, hessian, NONE);
    expect(failure).toMatch(words);
    expect([...factor]).toEqual(identity(2));
    expect(meter.condition).toBeNull();
  });
});
