import { describe, expect, test } from "vitest";
import type { ByteSource } from "../formats/byte-source.ts";
import { clampWindow, MAX_WINDOW, type WindowRequest } from "./error-window.ts";
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

/** What a window should hold, cut out of the whole matrix. */
function cut(matrix: MadeMatrix, values: readonly number[], { row, column, rows, columns }: WindowRequest) {
  return Float32Array.from(
    { length: rows * columns },
    (_, at) => values[(row + Math.floor(at / columns)) * matrix.cols + column + (at % columns)] ?? 0,
  );
}

const SMALL = madeMatrix(150, 96, "bf16");

/** Requests, and the part of them that there is in 150 × 96. */
const WINDOWS: readonly (readonly [WindowRequest, Partial<WindowRequest>])[] = [
  [{ row: 0, column: 0, rows: 5, columns: 7 }, {}],
  [{ row: 37, column: 13, rows: 64, columns: 50 }, {}],
  [{ row: 149, column: 95, rows: 1, columns: 1 }, {}],
  [
    { row: 140, column: 90, rows: 64, columns: 64 },
    { rows: 10, columns: 6 },
  ],
  [
    { row: 0, column: 0, rows: 9999, columns: 9999 },
    { rows: 150, columns: 96 },
  ],
  [
    { row: 150, column: 3, rows: 4, columns: 4 },
    { row: 150, rows: 0 },
  ],
];

describe.each(SHEET_RECIPES)("%s", (recipe) => {
  const expected = restoredPlainly(SMALL, recipe, "eager");
  const originals = valuesOf(SMALL, SMALL.words);
  const errors = originals.map((weight, index) => weight - (expected.values[index] ?? 0));

  test.each(WINDOWS)("%j is what the whole matrix has there", async (asked, changed) => {
    const engine = await engineOn(madeCheckpoint(SMALL));
    const window = await engine.errorWindow(MODULE, request(recipe), asked);
    const there = { ...asked, ...changed };
    expect(window).toEqual({
      ...there,
      recipe,
      errors: cut(SMALL, errors, there),
      weights: cut(SMALL, originals, there),
    });
  });
});

test.each(["int4:group=32", "int6:tensor", "magnitude:0.3 | none"])(
  "%s: a window of several tiles has no seams",
  async (recipe) => {
    const matrix = madeMatrix(400, 512, "f16");
    const { values } = restoredPlainly(matrix, recipe, "eager");
    const originals = valuesOf(matrix, matrix.words);
    const engine = await engineOn(madeCheckpoint(matrix));
    const there = { row: 3, column: 100, rows: 390, columns: 33 };
    const window = await engine.errorWindow(MODULE, request(recipe), there);
    const errors = originals.map((weight, index) => weight - (values[index] ?? 0));
    expect(window.errors).toEqual(cut(matrix, errors, there));
  },
);

test("only the rows of the window are read, unless the recipe asks for a look at all of them", async () => {
  const folder = madeCheckpoint(SMALL);
  const ranges: [number, number][] = [];
  const watched = (source: ByteSource): ByteSource => ({
    ...source,
    read(start, end, into) {
      ranges.push([start, end]);
      return source.read(start, end, into);
    },
  });
  const engine = await engineOn({
    name: folder.name,
    files: new Map([...folder.files].map(([name, source]) => [name, watched(source)])),
  });
  const dataStart = (folder.files.get("model.safetensors")?.sizeBytes ?? 0) - 150 * 192;
  const window = { row: 20, column: 1, rows: 3, columns: 2 };
  ranges.length = 0;
  await engine.errorWindow(MODULE, request("int4:group=32"), window);
  expect(ranges).toEqual([[dataStart + 20 * 192, dataStart + 23 * 192]]);
  ranges.length = 0;
  await engine.errorWindow(MODULE, request("int4:tensor"), window);
  expect(ranges).toEqual([
    [dataStart, dataStart + 150 * 192],
    [dataStart + 20 * 192, dataStart + 23 * 192],
  ]);
});

test("a window has at most 1024 rows and columns", () => {
  const window = { row: 1, column: 2, rows: 1e300, columns: Number.MAX_SAFE_INTEGER };
  expect(clampWindow(window, { rows: 5000, cols: 5000 })).toEqual({
    row: 1,
    column: 2,
    rows: MAX_WINDOW,
    columns: MAX_WINDOW,
  });
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("%d is no place and no size", async (value) => {
  const engine = await engineOn(madeCheckpoint(SMALL));
  for (const name of ["row", "column", "rows", "columns"]) {
    const window = { row: 0, column: 0, rows: 1, columns: 1, [name]: value };
    await expect(engine.errorWindow(MODULE, request("int8:channel"), window)).rejects.toMatchObject({
      code: "run/bad-window",
      fields: { name },
    });
  }
});
