import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLOAT_FORMATS } from "../../src/base/float-format.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { type MadeMatrix, MODULE, madeCheckpoint, madeMatrix, SHEET_RECIPES } from "../../src/engine/sheet.cases.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";
import { setElement } from "../../src/kernels/elements.ts";

// A sheet and a window have the same numbers, bit for bit, on WebGPU and the CPU, whose tiles differ.

const engines = (["gpu", "cpu"] as const).map((device) =>
  createEngine({ gpu: navigator.gpu, wasm: null, device, now: () => performance.now(), store: createMemoryStore() }),
);
afterAll(() => {
  for (const engine of engines) engine.close();
});

/** A matrix with a weight of each kind that is not finite. */
function spoiled(): MadeMatrix {
  const matrix = madeMatrix(21, 96, "bf16");
  const { nan, infinity } = FLOAT_FORMATS.bf16;
  for (const [place, bits] of [nan, infinity, infinity + 2 ** 15].entries()) {
    setElement(matrix.words, 200 * place + 7, bits, "bf16");
  }
  return matrix;
}

const MATRICES: readonly (readonly [name: string, matrix: MadeMatrix])[] = [
  ["bf16, one tile of a GPU and two of the CPU", madeMatrix(1500, 96, "bf16")],
  ["f16", madeMatrix(33, 96, "f16")],
  ["f32", madeMatrix(33, 96, "f32")],
  ["bf16, not all finite", spoiled()],
];

describe.each(MATRICES)("%s", (_name, matrix) => {
  beforeAll(async () => {
    for (const engine of engines) await engine.open(madeCheckpoint(matrix));
  });

  test.each(SHEET_RECIPES)("%s: sheet and window", async (scheme) => {
    const found = [];
    for (const engine of engines) {
      const request = { scheme, arithmetic: "eager" as const, ignore: [] };
      const { kernels, ...sheet } = await engine.sheet(MODULE, request);
      const window = await engine.errorWindow(MODULE, request, { row: 5, column: 11, rows: 700, columns: 60 });
      found.push({ sheet, window, devices: [...new Set(kernels.map(({ device }) => device))] });
    }
    const [gpu, cpu] = found;
    expect([gpu?.devices, cpu?.devices]).toEqual([["webgpu"], ["reference"]]);
    expect(gpu?.sheet).toEqual(cpu?.sheet);
    expect(gpu?.window).toEqual(cpu?.window);
    expect(gpu?.sheet.samples).toBe(matrix.rows * matrix.cols);
  });
});
