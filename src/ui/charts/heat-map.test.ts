import { expect, test } from "vitest";
import type { Drawing, Shape } from "./chart.ts";
import { drawHeatMap, type HeatMapCell, type HeatMapData } from "./heat-map.ts";
import { MADE_THEME } from "./made-theme.cases.ts";

function cell(
  row: number,
  column: number,
  value: number | null,
  state: HeatMapCell["state"] = "measured",
): HeatMapCell {
  return { key: `${row}:${column}`, row, column, state, value, label: String(value), sentence: "", isNotched: false };
}

function grid(rows: number, columns: number): HeatMapData {
  const cells: HeatMapCell[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) cells.push(cell(row, column, 20 - row - column / columns));
  }
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `kind_${index}`);
  const totals = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ at, share: 1 / count, isWaiting: false, name: "", sentence: "" }));
  return {
    rows: names(rows),
    columns: Array.from({ length: columns }, (_, index) => String(index)),
    columnWord: "layer",
    cells,
    rowTotals: totals(rows),
    columnTotals: totals(columns),
    totalWord: "of all",
    loners: [],
    domain: { good: 20, bad: 10 },
    unit: "dB",
    selected: null,
    caption: { strong: "", plain: "" },
  };
}

function draw(data: HeatMapData, width: number): Drawing {
  return drawHeatMap(data, { width, height: 240 }, MADE_THEME);
}

function faces(drawing: Drawing): readonly Shape[] {
  return [...(drawing.dense ?? []), ...drawing.shapes].filter((shape) => shape.kind === "rect" && shape.radius === 2);
}

function texts(drawing: Drawing): readonly string[] {
  return drawing.shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));
}

test("the best value is palest and the worst strongest", () => {
  const data = { ...grid(1, 3), cells: [cell(0, 0, 20), cell(0, 1, 15), cell(0, 2, 10)] };
  expect(faces(draw(data, 800)).map((shape) => "fill" in shape && shape.fill)).toEqual(["m0", "m4", "m9"]);
});

test("what waits is hatched, never zero, and cannot be picked", () => {
  const drawing = draw({ ...grid(1, 2), cells: [cell(0, 0, 20), cell(0, 1, null, "waiting")] }, 800);
  expect(faces(drawing)[1]).toMatchObject({ fill: "hatch" });
  expect(drawing.marks.slice(0, 2).map((mark) => mark.isPickable)).toEqual([true, false]);
});

test("a matrix without a finite figure still bears its dash, however narrow its cell", () => {
  const drawing = draw({ ...grid(1, 300), cells: [cell(0, 0, null), cell(0, 1, 12.5)] }, 351);
  expect(texts(drawing)).toContain("null");
  expect(texts(drawing)).not.toContain("12.5");
});

test("thirty layers stand beside their names and bars at the width of the main picture", () => {
  const drawing = draw(grid(7, 30), 930);
  expect(drawing.width + (drawing.pinned?.width ?? 0)).toBeLessThanOrEqual(930);
  expect(drawing.marks[0]?.width).toBeGreaterThanOrEqual(22);
});

test("three hundred layers keep targets of 24 px, pan beside their names, and are painted on the canvas", () => {
  const drawing = draw(grid(7, 300), 351);
  expect(drawing.width).toBe(7200);
  expect(drawing.pinned?.width).toBeLessThanOrEqual(110);
  expect(drawing.dense).toHaveLength(2100);
  expect(drawing.marks).toHaveLength(2400);
  const edges = drawing.marks.slice(0, 2).map((mark) => mark.x);
  expect((edges[1] ?? 0) - (edges[0] ?? 0)).toBe(24);
});

test("wide cells all bear their figure, of narrow ones only the worst", () => {
  expect(texts(draw(grid(7, 4), 896)).filter((text) => /^(1\d|20)[^%]*$/.test(text))).toHaveLength(28);
  const narrow = texts(draw({ ...grid(7, 20), columnTotals: [], rowTotals: [] }, 84 + 20 * 33));
  expect(narrow.filter((text) => text.includes("."))).toHaveLength(8);
});

test("the largest share has the longest bar", () => {
  const data = {
    ...grid(2, 2),
    columnTotals: [0.75, 0.25].map((share, at) => ({ at, share, isWaiting: false, name: "", sentence: "" })),
  };
  const bars = draw(data, 896).shapes.filter((shape) => shape.kind === "rect" && shape.fill === "ink3");
  const [large, small] = bars.map((shape) => (shape.kind === "rect" ? shape.height : 0));
  expect((large ?? 0) / (small ?? 1)).toBeCloseTo(3, 6);
});

test("modules outside of the layers stand below, with a row each", () => {
  const loners = [{ name: "model.an_uncommonly_long_name.proj", cell: cell(2, 0, 15) }];
  const drawing = draw({ ...grid(2, 2), loners }, 896);
  const [first, last] = [drawing.marks[0], drawing.marks.find((mark) => mark.key === "2:0")];
  expect((last?.y ?? 0) - (first?.y ?? 0)).toBeGreaterThan(2 * 32);
  expect(drawing.height).toBeGreaterThanOrEqual((last?.y ?? 0) + (last?.height ?? 0));
});

test("the selected cell is ringed, and says so", () => {
  const drawing = draw({ ...grid(1, 2), selected: "0:1" }, 896);
  expect(drawing.marks.map((mark) => mark.isSelected).slice(0, 2)).toEqual([false, true]);
  expect(drawing.shapes.some((shape) => shape.kind === "rect" && shape.strokeWidth === 2.5)).toBe(true);
});
