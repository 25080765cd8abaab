import { describe, expect, test, vi } from "vitest";
import { LabError } from "../base/errors.ts";
import { FLOAT_FORMATS } from "../base/float-format.ts";
import type { Device } from "../device/device.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import { setElement } from "../kernels/elements.ts";
import { parseRecipe } from "../schemes/recipe.ts";
import { planCheckpoint } from "./checkpoint-plan.ts";
import { DeviceSet } from "./device-set.ts";
import { sheetOf } from "./measure-sheet.ts";
import {
  engineOn,
  type MadeMatrix,
  MODULE,
  madeCheckpoint,
  madeMatrix,
  request,
  restoredPlainly,
  SHEET_RECIPES,
  valuesOf,
} from "./sheet.cases.ts";
import type { MatrixMap } from "./sheet.ts";

/** The cell of a map in which a place of the matrix lies. */
function cellOf({ columns, rowsPerCell, columnsPerCell }: MatrixMap, row: number, column: number): number {
  return Math.floor(row / rowsPerCell) * columns + Math.floor(column / columnsPerCell);
}

function gathered(map: MatrixMap, rows: number, columns: number, value: (index: number) => number): number[][] {
  const cells: number[][] = Array.from(map.values, () => []);
  for (let index = 0; index < rows * columns; index++) {
    cells[cellOf(map, Math.floor(index / columns), index % columns)]?.push(value(index));
  }
  return cells;
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1];

// Two tiles of the reference device, the second ragged, and maps whose last cells are ragged.
const LARGE = madeMatrix(1500, 96, "bf16");

describe.each(SHEET_RECIPES)("%s", (recipe) => {
  test.each([
    ["bf16, two tiles", LARGE, "eager"],
    ["f16", madeMatrix(7, 96, "f16"), "triton"],
    ["f32", madeMatrix(9, 96, "f32"), "eager"],
  ] as const)("%s: every figure of the sheet is what the whole matrix gives", async (_name, matrix, arithmetic) => {
    const { rows, cols } = matrix;
    const engine = await engineOn(madeCheckpoint(matrix));
    const sheet = await engine.sheet(MODULE, { ...request(recipe), arithmetic });
    const { values, codes, scales, groupSize } = restoredPlainly(matrix, recipe, arithmetic);
    const originals = valuesOf(matrix, matrix.words);
    const errors = originals.map((weight, index) => weight - (values[index] ?? 0));
    expect(sheet).toMatchObject({ module: MODULE, recipe, rows, cols, samples: rows * cols });

    const { rms, largest, largestAt } = sheet.error;
    for (const [cell, own] of gathered(rms, rows, cols, (index) => errors[index] ?? 0).entries()) {
      const energy = own.reduce((sum, error) => sum + error * error, 0);
      expect(Math.abs((rms.values[cell] ?? 0) - Math.sqrt(energy / own.length))).toBeLessThan(1e-8);
    }
    const sizes = errors.map(Math.abs);
    expect(largest).toBe(sizes.reduce((most, size) => Math.max(most, size), 0));
    const place = sizes.indexOf(largest);
    expect(largestAt).toEqual({ row: Math.floor(place / cols), column: place % cols });
    for (let column = 0; column < cols; column++) {
      const own = originals.filter((_, index) => index % cols === column);
      expect(sheet.channels.largest[column]).toBe(Math.max(...own.map(Math.abs)));
    }

    if (codes.length === 0) {
      expect([sheet.scheme, sheet.levels, sheet.scales]).toEqual([null, null, null]);
      return;
    }
    const map = sheet.scales;
    if (!map || !sheet.levels) throw new Error("a quantized matrix without scales");
    const counts = new Array(map.levels).fill(0);
    for (const code of codes) counts[code]++;
    expect(sheet.levels.codes).toEqual(counts);
    expect(sheet.levels.weights.reduce((sum, count) => sum + count, 0)).toBe(rows * cols);
    expect(sheet.levels.firstLevel).toBe(-map.levels / 2);
    const used = scales.map((_, group) => new Set(codes.slice(group * groupSize, (group + 1) * groupSize)).size);
    expect(map).toMatchObject({
      groupSize,
      groups: scales.length,
      smallest: scales.reduce((least, scale) => Math.min(least, scale)),
      median: middle(scales),
      largest: scales.reduce((most, scale) => Math.max(most, scale)),
      fewestLevels: used.reduce((least, count) => Math.min(least, count)),
      fullGroups: used.filter((count) => count === map.levels).length,
      medianLevels: middle(used),
    });
    const perRow = Math.max(1, cols / groupSize);
    const gridRows = scales.length / perRow;
    for (const [cell, own] of gathered(map.scales, gridRows, perRow, (index) => scales[index] ?? 0).entries()) {
      expect(map.scales.values[cell]).toBe(Math.max(...own));
    }
    for (const [cell, own] of gathered(map.usedLevels, gridRows, perRow, (index) => used[index] ?? 0).entries()) {
      expect(map.usedLevels.values[cell]).toBe(Math.min(...own));
    }
  });
});

test("a sheet says which kernels ran where", async () => {
  const engine = await engineOn(madeCheckpoint(madeMatrix(4, 96, "bf16")));
  const sheet = await engine.sheet(MODULE, request("magnitude:2:4 | int4:group=32"));
  expect(sheet.kernels.map(({ kernel, device, exactness }) => [kernel, device, exactness])).toEqual(
    [
      "prune/n_of_m",
      "stats/min_max",
      "quant/int_qparams",
      "quant/int_quantize",
      "quant/int_dequantize",
      "stats/level_histogram",
    ].map((kernel) => [kernel, "reference", "bit-exact"]),
  );
  const pruned = await engine.sheet(MODULE, request("magnitude:0.5 | none"));
  expect(pruned.kernels.map(({ kernel }) => kernel)).toEqual(["stats/magnitude_histogram", "prune/threshold"]);
});

test("weights that are not finite spoil their cells and channels, and nothing crashes", async () => {
  const matrix = madeMatrix(3, 96, "bf16");
  const format = FLOAT_FORMATS.bf16;
  setElement(matrix.words, 5, format.nan, "bf16");
  setElement(matrix.words, 96 + 40, format.infinity, "bf16");
  const engine = await engineOn(madeCheckpoint(matrix));
  for (const recipe of SHEET_RECIPES) {
    const { error, channels, scales } = await engine.sheet(MODULE, request(recipe));
    expect([error.rms.values[5], error.rms.values[96 + 40]]).toEqual([Number.NaN, Number.NaN]);
    expect([channels.largest[5], channels.largest[40]]).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
    expect(channels.rmsError[5]).toBeNaN();
    expect(Number.isFinite(error.largest)).toBe(true);
    if (!scales) expect(error.rms.values[2 * 96 + 1]).not.toBeNaN();
  }
  const { scales } = await engine.sheet(MODULE, request("int4:group=32"));
  expect(scales?.scales.values[0]).toBeNaN();
  expect(Number.isFinite(scales?.largest)).toBe(true);
});

test("a matrix without rows has an empty sheet", async () => {
  const engine = await engineOn(madeCheckpoint(madeMatrix(0, 96, "bf16")));
  for (const recipe of SHEET_RECIPES) {
    const { samples, error, scales } = await engine.sheet(MODULE, request(recipe));
    expect([samples, error.rms.values.length, error.largestAt]).toEqual([0, 0, null]);
    if (scales) expect([scales.groups, scales.scales.values.length, scales.median]).toEqual([0, 0, Number.NaN]);
  }
});

test("a module that the recipe leaves alone or cannot take is refused with the reason", async () => {
  const engine = await engineOn(madeCheckpoint(madeMatrix(4, 96, "bf16")));
  const codeOf = async (module: string, scheme: string) => {
    const error = await engine.sheet(module, request(scheme)).catch((thrown: unknown) => thrown);
    return error instanceof LabError ? error.code : error;
  };
  expect(await codeOf("nowhere", "W4A16")).toBe("scheme/unknown-module");
  expect(await codeOf(MODULE, "int4:group=64")).toBe("scheme/group-does-not-divide");
});

/** A device in whose n-th read the memory runs out, once. */
function failingDevice(failAt: number): { readonly device: Device; readonly reads: () => number } {
  let reads = 0;
  const device: Device = {
    ...createReferenceDevice(),
    kind: "webgpu",
    // A sheet takes a fourth of that, which can be halved once.
    tileBytes: 2 ** 23,
    productsPerRun: 2 ** 26,
    read(buffer, sizeBytes) {
      if (++reads !== failAt) return reference.read(buffer, sizeBytes);
      const words = { doing: "reading", found: "no memory", allowed: "memory", advice: "try again" };
      return Promise.reject(new LabError({ code: "device/out-of-memory", ...words }));
    },
  };
  const reference = createReferenceDevice();
  return { device, reads: () => reads };
}

/** The sheet of a matrix on a device whose n-th read fails, and how many reads it took; 0: none fails. */
async function sheetOnFailing(matrix: MadeMatrix, recipe: string, failAt: number) {
  const checkpoint = await openCheckpoint(madeCheckpoint(matrix));
  const plan = planCheckpoint(checkpoint, parseRecipe(recipe), []);
  const { device, reads } = failingDevice(failAt);
  const devices = new DeviceSet({
    gpu: null,
    wasm: null,
    device: "reference",
    now: () => 0,
    store: createMemoryStore(),
  });
  vi.spyOn(devices, "lanes").mockResolvedValue([{ device, fallback: null, items: [plan] }] as never);
  const sheet = await sheetOf(plan, MODULE, { arithmetic: "eager" }, devices, {});
  return { sheet, reads: reads() };
}

test.each(["int4:group=32", "magnitude:0.3 | int8:tensor", "magnitude:rows:0.25 | none"])(
  "%s: a tile that is done again after any read failed is counted once",
  async (recipe) => {
    const matrix = madeMatrix(40, 96, "f32");
    const undisturbed = await sheetOnFailing(matrix, recipe, 0);
    for (let failAt = 1; failAt <= undisturbed.reads; failAt++) {
      const disturbed = await sheetOnFailing(matrix, recipe, failAt);
      expect(disturbed.reads).toBeGreaterThan(undisturbed.reads);
      expect(disturbed.sheet).toEqual(undisturbed.sheet);
    }
  },
);

test("a tile that is done again in two halves is counted once", async () => {
  // 1.2 MiB: one tile at first, two after memory ran out.
  const matrix = madeMatrix(3300, 96, "f32");
  const [undisturbed, disturbed] = [
    await sheetOnFailing(matrix, "int4:group=32", 0),
    await sheetOnFailing(matrix, "int4:group=32", 3),
  ];
  expect(disturbed.reads).toBeGreaterThan(undisturbed.reads + 4);
  expect(disturbed.sheet).toEqual(undisturbed.sheet);
});
