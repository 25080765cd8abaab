import { describe, expect, test } from "vitest";
import { drawHeatMap, type HeatMapCell, type HeatMapData, walkCells } from "./heat-map.ts";

function cell(
  row: number,
  column: number,
  value: number | null,
  state: HeatMapCell["state"] = "measured",
): HeatMapCell {
  return { key: `${row}:${column}`, row, column, state, value, label: String(value), sentence: "", isNotched: false };
}

function grid(rows: number, columns: number, hole?: string): HeatMapData {
  const cells: HeatMapCell[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (`${row}:${column}` !== hole) cells.push(cell(row, column, 20 - row - column / columns));
    }
  }
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
  return {
    rows: names(rows),
    hasTotals: false,
    columns: names(columns),
    columnWord: "layer",
    cells,
    domain: { good: 20, bad: 10 },
  };
}

describe("drawing a heat map", () => {
  test("the best value is palest and the worst strongest", () => {
    const data = { ...grid(1, 3), cells: [cell(0, 0, 20), cell(0, 1, 15), cell(0, 2, 10)] };
    const steps = drawHeatMap(data, { width: 800, labelWidth: 96 }).cells.map((drawn) => drawn.step);
    expect(steps).toEqual([9 - 9, 9 - 5, 9]);
  });

  test("a place without a value has no step, so that it is never drawn as zero", () => {
    const data = { ...grid(1, 2), cells: [cell(0, 0, 20), cell(0, 1, null, "waiting")] };
    expect(drawHeatMap(data, { width: 800, labelWidth: 96 }).cells[1]?.step).toBeNull();
  });

  test("a matrix without a finite figure still bears its dash, however narrow its cell", () => {
    const data = { ...grid(1, 300), cells: [cell(0, 0, null), cell(0, 1, 12)] };
    expect(drawHeatMap(data, { width: 351, labelWidth: 96 }).cells.map((drawn) => drawn.showsLabel)).toEqual([
      true,
      false,
    ]);
  });

  test("thirty layers fit beside their names at the width of the main picture", () => {
    const drawing = drawHeatMap(grid(7, 30), { width: 896, labelWidth: 96 });
    expect(drawing.mapWidth).toBeLessThanOrEqual(800);
    expect(drawing.cellWidth).toBeGreaterThanOrEqual(24);
  });

  test("three hundred layers keep cells of 24 px and pan", () => {
    const drawing = drawHeatMap(grid(7, 300), { width: 351, labelWidth: 96 });
    expect(drawing.cellWidth).toBe(24);
    expect(drawing.mapWidth).toBe(7200);
    expect(drawing.cells.some((drawn) => drawn.showsLabel)).toBe(false);
  });

  test("wide cells all bear their figure", () => {
    const drawing = drawHeatMap(grid(7, 4), { width: 896, labelWidth: 96 });
    expect(drawing.cells.every((drawn) => drawn.showsLabel)).toBe(true);
  });

  test("the strip beside the map puts the worst value at the right", () => {
    const data = { ...grid(1, 2), cells: [cell(0, 0, 20), cell(0, 1, 10)] };
    const [good, bad] = drawHeatMap(data, { width: 896, labelWidth: 96 }).strip?.ticks ?? [];
    expect(good?.x).toBeLessThan(bad?.x ?? 0);
  });

  test("a row that sums up stands apart, without ticks, and is never among the worst that bear a figure", () => {
    const data = { ...grid(3, 20), hasTotals: true };
    const cells = data.cells.map((drawn) => (drawn.row === 2 ? { ...drawn, value: 1 } : drawn));
    const drawing = drawHeatMap({ ...data, cells }, { width: 896, labelWidth: 96 });
    expect(drawing.cells.filter((drawn) => drawn.isTotal)).toHaveLength(20);
    const tops = [0, 20, 40].map((at) => drawing.cells[at]?.y ?? 0);
    expect((tops[2] ?? 0) - (tops[1] ?? 0)).toBeGreaterThan((tops[1] ?? 0) - (tops[0] ?? 0));
    expect(drawing.rowLabels.map((label) => label.isTotal)).toEqual([false, false, true]);
    expect(drawing.height).toBe((tops[2] ?? 0) + drawing.cellHeight);
    const narrow = drawHeatMap({ ...data, cells }, { width: 96 + 20 * 33, labelWidth: 96 });
    expect(narrow.cells.filter((drawn) => drawn.showsLabel && drawn.isTotal)).toEqual([]);
    expect(narrow.cells.some((drawn) => drawn.showsLabel)).toBe(true);
  });

  test("without room there is no strip", () => {
    expect(drawHeatMap(grid(7, 4), { width: 351, labelWidth: 96 }).strip).toBeNull();
  });
});

describe("walking cells by arrows", () => {
  const { cells } = grid(3, 3, "1:1");

  test("goes to the neighbour", () => {
    expect(walkCells(cells, "0:0", "ArrowRight")).toBe("0:1");
    expect(walkCells(cells, "0:0", "ArrowDown")).toBe("1:0");
  });

  test("goes over a gap", () => {
    expect(walkCells(cells, "1:0", "ArrowRight")).toBe("1:2");
    expect(walkCells(cells, "2:1", "ArrowUp")).toBe("0:1");
  });

  test("stays at an edge", () => {
    expect(walkCells(cells, "0:0", "ArrowLeft")).toBe("0:0");
    expect(walkCells(cells, "2:2", "ArrowDown")).toBe("2:2");
  });

  test("Home and End reach the ends of the row", () => {
    expect(walkCells(cells, "2:1", "Home")).toBe("2:0");
    expect(walkCells(cells, "2:1", "End")).toBe("2:2");
  });
});
