import fc from "fast-check";
import { expect, test } from "vitest";
import type { MatrixSheet } from "../../engine/sheet.ts";
import { covers, type ErrorView } from "../charts/error-map.ts";
import { errorMapOf, moved, partToAsk, valueAtRank, zoomed } from "./error-map-model.ts";

const MATRIX = { rows: 3000, columns: 200 };
const SEEN = { row: 100, column: 20, rows: 50, columns: 80 };

test("what is asked for surrounds what is seen, within the matrix", () => {
  const part = partToAsk(SEEN, MATRIX);
  expect(part).toEqual({ row: 50, column: 0, rows: 150, columns: 200 });
  expect(covers(part, SEEN)).toBe(true);
  const edge = partToAsk({ ...SEEN, row: 2950 }, MATRIX);
  expect(edge.row + edge.rows).toBe(3000);
  expect(partToAsk({ row: 0, column: 0, rows: 900, columns: 200 }, MATRIX).rows).toBe(1024);
});

test("steps nearer and farther end at the whole and at 16 pixels", () => {
  const at = { row: 0, column: 0, zoom: 8 } as const;
  expect([zoomed(at, 1).zoom, zoomed(zoomed(at, 1), 1).zoom, zoomed({ ...at, zoom: "fit" }, -1).zoom]).toEqual([
    16,
    16,
    "fit",
  ]);
});

test("a move goes half of what is seen, never before the first row", () => {
  const view = { row: 100, column: 20, zoom: 4 } as const;
  expect(moved(view, SEEN, 1, -1)).toEqual({ row: 125, column: 0, zoom: 4 });
  expect(moved(view, null, 1, 1)).toBe(view);
});

test("the value at a rank is the one that sorting would bring there", () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, noNaN: true }), fc.nat(), (values, at) => {
      const rank = at % values.length;
      // Sorting tells -0 from 0, which no magnitude is.
      expect(valueAtRank(values.slice(), rank) + 0).toBe((values.toSorted()[rank] ?? Number.NaN) + 0);
    }),
  );
});

test("the ramp ends at twice the rms that 95 % of the blocks do not exceed, never beyond the largest error", () => {
  const view: ErrorView = { row: 0, column: 0, zoom: 4 };
  const rampEnd = (values: Float32Array, largest: number): number => {
    const sheet = { rows: 1, cols: 1, error: { rms: { values }, largest, largestAt: null } } as unknown as MatrixSheet;
    expect(errorMapOf(sheet, null, view).rampEnd).toBe(errorMapOf(sheet, null, { ...view, zoom: "fit" }).rampEnd);
    return errorMapOf(sheet, null, view).rampEnd;
  };
  const blocks = Float32Array.from({ length: 101 }, (_, at) => (at * 37) % 101);
  expect(rampEnd(blocks, 1000)).toBe(190);
  expect(rampEnd(blocks, 120)).toBe(120);
  expect(rampEnd(Float32Array.of(3, Number.NaN, Number.POSITIVE_INFINITY), 1000)).toBe(6);
  expect(rampEnd(Float32Array.of(Number.NaN), 5)).toBe(5);
  expect(rampEnd(Float32Array.of(0, 0), 5)).toBe(5);
});
