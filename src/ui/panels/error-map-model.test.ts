import { expect, test } from "vitest";
import { covers } from "../charts/error-map.ts";
import { moved, partToAsk, zoomed } from "./error-map-model.ts";

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
