import { describe, expect, test } from "vitest";
import { drawSpectrum, type SpectrumChannel } from "./channel-spectrum.ts";
import type { Drawing, Shape } from "./chart.ts";
import { drawErrorMap, type ErrorMapData, errorMapChart, viewOfBlock, visiblePart } from "./error-map.ts";
import { MADE_THEME } from "./made-theme.cases.ts";
import { pixelOf } from "./pixels.ts";
import { drawScaleMap, type ScaleMapData, scaleMapChart } from "./scale-map.ts";

const CAPTION = { strong: "", plain: "" };
const THEME = {
  ...MADE_THEME,
  paper: "#ffffff",
  magnitude: Array.from({ length: 10 }, (_, step) => `#0000${(step + 1).toString(16).padStart(2, "0")}`),
  sign: Array.from({ length: 13 }, (_, step) => `#00${(step + 1).toString(16).padStart(2, "0")}00`),
};

function images(drawing: Drawing) {
  return (drawing.dense ?? []).filter((shape): shape is Extract<Shape, { kind: "image" }> => shape.kind === "image");
}

/** The colour of a pixel, as a step of a ramp. */
function stepAt(
  image: Extract<Shape, { kind: "image" }>,
  row: number,
  column: number,
  ramp: readonly string[],
): number {
  const words = new Uint32Array(image.pixels.buffer);
  return ramp.map(pixelOf).indexOf(words[row * image.columns + column] ?? 0);
}

test("a pixel is red, green, blue, opaque, in the order of an image's bytes", () => {
  expect([...new Uint8Array(Uint32Array.of(pixelOf("#010203")).buffer)]).toEqual([1, 2, 3, 255]);
});

describe("the scale map", () => {
  const map = (rows: number, columns: number, value: (row: number, column: number) => number) => ({
    ...{ rows, columns, rowsPerCell: 1, columnsPerCell: 1 },
    values: Float32Array.from({ length: rows * columns }, (_, at) => value(Math.floor(at / columns), at % columns)),
  });
  const data: ScaleMapData = {
    scales: map(3000, 2, (row, group) => (row === 1234 && group === 1 ? 8 : 1)),
    usedLevels: map(3000, 2, (row) => (row === 7 ? 3 : 16)),
    ...{ levels: 16, groupSize: 128, matrixRows: 3000, smallest: 1, largest: 8, caption: CAPTION },
  };

  test("one bad group among more rows than pixels is seen", () => {
    const [scales, levels] = images(drawScaleMap(data, { width: 400, height: 200 }, THEME));
    if (scales === undefined || levels === undefined) throw new Error("no image");
    const steps = Array.from({ length: scales.columns }, (_, at) => stepAt(scales, 1, at, THEME.magnitude));
    expect(steps.filter((step) => step === 9)).toHaveLength(1);
    const used = Array.from({ length: levels.columns }, (_, at) => stepAt(levels, 0, at, THEME.magnitude));
    expect(used.filter((step) => step > 0)).toHaveLength(1);
  });

  test("every block says its rows, inputs and worst group; so does the table", () => {
    const { marks } = drawScaleMap(data, { width: 400, height: 200 }, THEME);
    expect(marks[0]?.sentence).toBe("rows 0 to 124, inputs 0 to 127: largest scale 1.00, fewest levels 3 of 16");
    expect(marks).toHaveLength(48);
    expect(scaleMapChart.table(data).rows).toHaveLength(48);
  });

  test("one scale for all is a flat picture", () => {
    const one = { ...data, scales: map(1, 1, () => 2), usedLevels: map(1, 1, () => 16), smallest: 2, largest: 2 };
    const [scales] = images(drawScaleMap(one, { width: 400, height: 200 }, THEME));
    expect(scales && stepAt(scales, 0, 0, THEME.magnitude)).toBe(5);
  });
});

describe("the error map", () => {
  const rows = 40;
  const columns = 60;
  const errors = Float32Array.from({ length: rows * columns }, (_, at) => (at === 0 ? -1 : at === 1 ? 1 : 0));
  const data: ErrorMapData = {
    ...{ matrixRows: rows, matrixColumns: columns, rampEnd: 1, caption: CAPTION },
    overview: { rows: 20, columns: 30, rowsPerCell: 2, columnsPerCell: 2, values: new Float32Array(600).fill(0.5) },
    part: { row: 0, column: 0, rows, columns, errors, weights: new Float32Array(rows * columns).fill(2) },
    view: { row: 0, column: 0, zoom: 8 },
  };
  const size = { width: 400, height: 196 };

  test("errors below zero and above stand at the two ends of the ramp, none in its middle", () => {
    const [image] = images(drawErrorMap(data, size, THEME));
    if (image === undefined) throw new Error("no image");
    expect([0, 1, 2].map((column) => stepAt(image, 0, column, THEME.sign))).toEqual([0, 12, 6]);
    expect(image.width / image.columns).toBe(8);
  });

  test("each weight that is near enough says its place, error and value", () => {
    const { marks } = drawErrorMap(data, size, THEME);
    expect(marks[1]?.sentence).toBe("row 0, input 1: error 1.00 of weight 2.00");
    expect(marks.filter((mark) => mark.key.startsWith("block"))).toHaveLength(16);
  });

  test("what is not read yet is hatched", () => {
    const { shapes, dense } = drawErrorMap({ ...data, part: null }, size, THEME);
    expect(shapes[0]).toMatchObject({ fill: "hatch" });
    expect(dense).toHaveLength(1);
  });

  test("a view beyond the edge is moved back inside", () => {
    expect(visiblePart({ row: 1000, column: 59, zoom: 8 }, size, { rows, columns })).toEqual({
      ...{ row: 20, column: 24, rows: 20, columns: 36 },
    });
    expect(visiblePart({ row: 0, column: 0, zoom: "fit" }, size, { rows, columns })).toBeNull();
  });

  test("a block of the minimap leads there, at 1:1 from afar", () => {
    expect(viewOfBlock("block 1 3", data.view, { rows, columns })).toEqual({ row: 10, column: 45, zoom: 8 });
    const far = { ...data.view, zoom: "fit" as const };
    expect(viewOfBlock("block 0 0", far, { rows, columns })?.zoom).toBe(1);
    expect(viewOfBlock("weight 1 3", data.view, { rows, columns })).toBeNull();
  });

  test("the whole keeps the proportions of the matrix", () => {
    const far = drawErrorMap({ ...data, view: { ...data.view, zoom: "fit" } }, size, THEME);
    const [image] = images(far);
    expect((image?.width ?? 0) / (image?.height ?? 1)).toBeCloseTo(columns / rows, 6);
    expect(errorMapChart.table(data).rows[1]?.map(({ text }) => text)).toEqual(["0 to 1", "2 to 3", "0.500"]);
  });
});

describe("the channel spectrum", () => {
  const channels = (values: readonly number[]): SpectrumChannel[] =>
    values.map((value, at) => ({ channel: 10 + at, value }));

  test("the channels at its head are named, and reached one by one", () => {
    const data = {
      weights: channels([100, 3, 2, 1, 0]),
      errors: channels([0.1, 0.1]),
      family: "int4",
      caption: CAPTION,
    };
    const { shapes, marks } = drawSpectrum(data, { width: 400, height: 200 }, MADE_THEME);
    expect(shapes.some((shape) => shape.kind === "text" && shape.text === "10, 11, 12")).toBe(true);
    expect(marks[0]?.sentence).toBe("input channel 10: largest weight 100, the largest of 5");
    expect(marks).toHaveLength(4);
    expect(JSON.stringify(shapes)).not.toMatch(/NaN|Infinity/);
  });

  test("nothing but zeros is an empty picture", () => {
    const data = { weights: channels([0]), errors: channels([0]), family: "int4", caption: CAPTION };
    expect(drawSpectrum(data, { width: 400, height: 200 }, MADE_THEME).shapes).toEqual([]);
  });
});
