import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { cellGrid, ErrorSums, windowErrors } from "./matrix-maps.ts";

function made(rows: number, cols: number, seed: number) {
  const random = new SeededRandom(seed);
  const originals = Float32Array.from({ length: rows * cols }, () => random.nextNormal());
  const restored = originals.map((weight) => weight + random.nextNormal() / 16);
  return { originals, restored };
}

/** Everything that `ErrorSums` tells, by its definition. */
function plainly(rows: number, cols: number, limit: number, originals: Float32Array, restored: Float32Array) {
  const [height, width] = [Math.max(1, Math.ceil(rows / limit)), Math.max(1, Math.ceil(cols / limit))];
  const errorAt = (row: number, column: number) =>
    (originals[row * cols + column] ?? 0) - (restored[row * cols + column] ?? 0);
  const rms = (errors: readonly number[]) =>
    Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  const range = (start: number, end: number) => Array.from({ length: end - start }, (_, index) => start + index);
  const cells = range(0, Math.ceil(rows / height)).flatMap((cellRow) =>
    range(0, Math.ceil(cols / width)).map((cellColumn) =>
      rms(
        range(cellRow * height, Math.min((cellRow + 1) * height, rows)).flatMap((row) =>
          range(cellColumn * width, Math.min((cellColumn + 1) * width, cols)).map((column) => errorAt(row, column)),
        ),
      ),
    ),
  );
  const sizes = range(0, rows).flatMap((row) => range(0, cols).map((column) => Math.abs(errorAt(row, column))));
  const columnsOf = (of: (column: number) => number) => range(0, cols).map(of);
  return {
    cells,
    largest: Math.max(...sizes),
    place: sizes.indexOf(Math.max(...sizes)),
    channelLargest: columnsOf((column) =>
      Math.max(...range(0, rows).map((row) => Math.abs(originals[row * cols + column] ?? 0))),
    ),
    channelError: columnsOf((column) => rms(range(0, rows).map((row) => errorAt(row, column)))),
  };
}

test("cells, channels and the largest error are what their definition says, whatever the shape and the tiles", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 13 }),
      fc.integer({ min: 1, max: 13 }),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      (rows, cols, limit, tileRows, seed) => {
        const { originals, restored } = made(rows, cols, seed);
        const sums = new ErrorSums(rows, cols, { rows: limit, columns: limit });
        for (let row = 0; row < rows; row += tileRows) {
          const [start, end] = [row * cols, (row + tileRows) * cols];
          sums.addRows(row, originals.subarray(start, end), restored.subarray(start, end));
        }
        const expected = plainly(rows, cols, limit, originals, restored);
        const { rms, largest, largestAt } = sums.map();
        const channels = sums.channels();
        expect(rms.values).toHaveLength(expected.cells.length);
        expect(rms.rows).toBeLessThanOrEqual(limit);
        expect(rms.columns).toBeLessThanOrEqual(limit);
        for (const [index, value] of rms.values.entries()) expect(value).toBeCloseTo(expected.cells[index] ?? 0, 6);
        expect(largest).toBe(expected.largest);
        expect((largestAt?.row ?? 0) * cols + (largestAt?.column ?? 0)).toBe(expected.place);
        expect([...channels.largest]).toEqual(expected.channelLargest);
        for (const [index, value] of channels.rmsError.entries()) {
          expect(value).toBeCloseTo(expected.channelError[index] ?? 0, 6);
        }
        expect(sums.samples).toBe(rows * cols);
      },
    ),
    { numRuns: 200 },
  );
});

test("the bits of every number are the same whatever the tiles", () => {
  const [rows, cols] = [40, 33];
  const { originals, restored } = made(rows, cols, 5);
  const told = [1, 7, 40].map((tileRows) => {
    const sums = new ErrorSums(rows, cols, { rows: 9, columns: 10 });
    for (let row = 0; row < rows; row += tileRows) {
      const [start, end] = [row * cols, Math.min(row + tileRows, rows) * cols];
      sums.addRows(row, originals.subarray(start, end), restored.subarray(start, end));
    }
    return [sums.map(), sums.channels()];
  });
  expect(told[1]).toEqual(told[0]);
  expect(told[2]).toEqual(told[0]);
});

test("what is not finite spoils its cell and its channel, and nothing else", () => {
  const sums = new ErrorSums(2, 4, { rows: 2, columns: 2 });
  const originals = Float32Array.from([1, 1, Number.NaN, 1, 1, Number.NEGATIVE_INFINITY, 1, 1]);
  const restored = Float32Array.from([0.5, 1, 0, 1, 1, 0, 1, Number.POSITIVE_INFINITY]);
  sums.addRows(0, originals, restored);
  const { rms, largest, largestAt } = sums.map();
  expect([...rms.values]).toEqual([Math.fround(Math.sqrt(0.125)), Number.NaN, Number.NaN, Number.NaN]);
  expect([largest, largestAt]).toEqual([0.5, { row: 0, column: 0 }]);
  const { largest: channels, rmsError } = sums.channels();
  expect([...channels]).toEqual([1, Number.POSITIVE_INFINITY, Number.NaN, 1]);
  expect([...rmsError]).toEqual([Math.fround(Math.sqrt(0.125)), Number.NaN, Number.NaN, Number.NaN]);
});

test("where nothing is lost there is no place of a largest error, and a matrix without rows has an empty map", () => {
  const sums = new ErrorSums(1, 3, { rows: 4, columns: 4 });
  const weights = Float32Array.from([1, -0, 3]);
  sums.addRows(0, weights, weights);
  expect(sums.map()).toMatchObject({ largest: 0, largestAt: null });
  const empty = new ErrorSums(0, 3, { rows: 4, columns: 4 });
  expect(empty.map().rms).toEqual({
    rows: 0,
    columns: 3,
    rowsPerCell: 1,
    columnsPerCell: 1,
    values: new Float32Array(0),
  });
  expect([...empty.channels().largest]).toEqual([0, 0, 0]);
});

test("blocks are of one size, the last aside, and no more than the limits allow", () => {
  const limits = { rows: 512, columns: 512 };
  expect(cellGrid(512, 513, limits)).toEqual({ rows: 512, columns: 257, rowsPerCell: 1, columnsPerCell: 2 });
  expect(cellGrid(1, 28_672, limits)).toEqual({ rows: 1, columns: 512, rowsPerCell: 1, columnsPerCell: 56 });
});

test("a window takes its columns out of whole rows, each difference rounded once", () => {
  const originals = Float32Array.from([1, 2, 3, 4, 5, 6]);
  const restored = Float32Array.from([1, 2 + 2 ** -20, 3.5, 4, 4, Number.NaN]);
  const found = windowErrors(originals, restored, { cols: 3, column: 1, columns: 2 });
  expect([...found.weights]).toEqual([2, 3, 5, 6]);
  expect([...found.errors]).toEqual([-(2 ** -20), -0.5, 1, Number.NaN]);
});
