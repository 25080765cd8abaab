import { describe, expect, test } from "vitest";
import type { Shape } from "./chart.ts";
import { MADE_THEME } from "./made-theme.cases.ts";
import { drawMethodErrors, type MethodErrorColumn, type MethodErrorsData, methodErrorsChart } from "./method-errors.ts";
import { drawMethodFactors, type MethodFactorsData, methodFactorsChart } from "./method-factors.ts";
import { drawMethodGrid, type MethodGridData, methodGridChart } from "./method-grid.ts";
import { toCsv } from "./table-text.ts";

const SIZE = { width: 600, height: 260 };
const CAPTION = { strong: "", plain: "" };

const texts = (shapes: readonly Shape[]): readonly string[] =>
  shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));
const circles = (shapes: readonly Shape[]) => shapes.flatMap((shape) => (shape.kind === "circle" ? [shape] : []));
const closed = (shapes: readonly Shape[]) =>
  shapes.flatMap((shape) => (shape.kind === "path" && shape.d.endsWith("Z") ? [shape] : []));

describe("output errors", () => {
  const column = (module: string, layer: number, plain: number | null, method: number | null): MethodErrorColumn => ({
    ...{ module, layer, plain, method, letters: "q", rows: 128, hessian: null, fallback: null },
    ratio: plain === null || method === null ? null : method / plain,
    isWorse: (method ?? 0) > (plain ?? Number.POSITIVE_INFINITY),
  });
  const data: MethodErrorsData = {
    columns: [
      column("a", 0, 0.01, 0.001),
      column("b", 0, 0.001, 0.002),
      column("c", 1, null, 0.01),
      column("d", 1, null, null),
    ],
    ...{ plainName: "plain rounding", methodName: "GPTQ", chosen: "b", caption: CAPTION },
  };
  const { shapes, marks, pinned } = drawMethodErrors(data, SIZE, MADE_THEME);

  test("have a circle without the method, a diamond with it, hollow where it is worse; what has no value has neither", () => {
    expect(circles(shapes)).toHaveLength(2);
    expect(closed(shapes).map(({ fill, stroke }) => [fill, stroke])).toEqual([
      ["ink", "ink"],
      ["paper", "p11"],
      ["ink", "ink"],
    ]);
    expect(marks.map(({ key }) => key)).toEqual(["a", "b", "c"]);
  });

  test("lie on a log scale: a tenth is as far everywhere", () => {
    const [first, second] = circles(shapes);
    const diamond = closed(shapes)[0]?.d ?? "";
    const after = Number(/^M\S+ (\S+)L/.exec(diamond)?.[1]) + 5;
    expect(after - (first?.y ?? 0)).toBeCloseTo((second?.y ?? 0) - (first?.y ?? 0), 6);
    expect(texts(pinned?.shapes ?? [])).toEqual(expect.arrayContaining(["0.1 %", "1 %"]));
  });

  test("say the layer of each column, the open matrix on its own ground, and each in a sentence", () => {
    expect(texts(shapes)).toEqual(expect.arrayContaining(["q", "layer 0", "1"]));
    expect(shapes.filter((shape) => shape.kind === "rect" && shape.fill === "beaten")).toHaveLength(1);
    expect(marks.map(({ isSelected }) => isSelected)).toEqual([false, true, false]);
    expect(marks.map(({ sentence }) => sentence)).toEqual([
      "a: output error 1.00 % by plain rounding, 0.100 % by GPTQ, 0.100 ×",
      "b: output error 0.100 % by plain rounding, 0.200 % by GPTQ, 2.00 ×, worse",
      "c: output error not finite by plain rounding, 1.00 % by GPTQ",
    ]);
  });

  test("of a deep model pan: every column keeps its room and its letters", () => {
    const columns = Array.from({ length: 224 }, (_, at) => column(`m${at}`, Math.floor(at / 7), 0.01, 0.005));
    const wide = drawMethodErrors({ ...data, columns }, SIZE, MADE_THEME);
    expect(wide.width).toBeGreaterThan(SIZE.width);
    expect(wide.height).toBe(SIZE.height);
    expect(wide.marks.every(({ width }) => width >= 14)).toBe(true);
  });

  test("are a table with all matrices, and no picture without a figure", () => {
    const rows = toCsv(methodErrorsChart.table(data)).split("\r\n");
    expect(rows[1]).toBe("a,1,0.1,0.1,128,,,,,");
    expect(rows[4]).toBe("d,,,,128,,,,,");
    const none = drawMethodErrors({ ...data, columns: [column("d", 0, 0, null)] }, SIZE, MADE_THEME);
    expect([none.shapes, none.height]).toEqual([[], 0]);
  });
});

describe("factors", () => {
  const one = { layer: 0, letters: "in", balance: ["q", "k"], refused: null, search: null };
  const data: MethodFactorsData = {
    columns: [
      { ...one, name: "a", factors: { min: 0.5, max: 2 } },
      { ...one, name: "b", factors: { min: 1, max: 1 }, search: { ratio: 0.25, duoScaling: true, left: 0.9 } },
      { ...one, name: "c", factors: null, refused: "no room" },
    ],
    ...{ chosen: "b", caption: CAPTION },
  };

  test("reach from the smallest to the largest, as far above 1 as below it; those that are all 1 still show", () => {
    const { shapes, marks } = drawMethodFactors(data, SIZE, MADE_THEME);
    const bars = shapes.flatMap((shape) => (shape.kind === "rect" && shape.opacity !== undefined ? [shape] : []));
    expect(bars.map(({ height }) => height > 0)).toEqual([true, false]);
    expect(shapes.filter((shape) => shape.kind === "rect" && shape.height === 2)).toHaveLength(4);
    const middle = (bars[0]?.y ?? 0) + (bars[0]?.height ?? 0) / 2;
    expect(middle).toBeCloseTo(bars[1]?.y ?? 0, 6);
    expect(marks.map(({ sentence, isPickable }) => [sentence, isPickable])).toEqual([
      ["a into q, k: factors 0.500 to 2.00", false],
      ["b into q, k: factors all 1.00; ratio 0.250, with duo scaling", true],
    ]);
  });

  test("have what was refused in their table, and columns of a search only where there was one", () => {
    const table = methodFactorsChart.table(data);
    expect(table.columns.map(({ name }) => name)).toContain("duo scaling");
    expect(table.rows.map((row) => row.at(-1)?.text)).toEqual(["", "", "no room"]);
    const plain = { ...data, columns: data.columns.filter(({ search }) => search === null) };
    expect(methodFactorsChart.table(plain).columns.map(({ name }) => name)).not.toContain("duo scaling");
    expect(drawMethodFactors({ ...data, columns: [] }, SIZE, MADE_THEME).shapes).toEqual([]);
  });
});

describe("the grid of AWQ", () => {
  const point = (ratio: number, duoScaling: boolean, relative: number | null) => ({
    ...{ ratio, duoScaling, relative },
    loss: relative === null ? null : relative * 1e-5,
  });
  const data: MethodGridData = {
    points: [
      point(0, false, 1),
      point(0, true, 1.2),
      point(0.5, false, 0.9),
      point(0.5, true, 0.8),
      point(1, true, null),
    ],
    ...{ best: 3, caption: CAPTION },
  };
  const { shapes, marks } = drawMethodGrid(data, SIZE, MADE_THEME);

  test("tells duo scaling by filled points, no factors by a square, what was chosen by a triangle and its word", () => {
    expect(circles(shapes).map(({ fill }) => fill)).toEqual(["paper", "ink2", "ink2"]);
    expect(shapes.filter((shape) => shape.kind === "rect")).toHaveLength(1);
    expect(closed(shapes)).toHaveLength(1);
    expect(texts(shapes)).toEqual(expect.arrayContaining(["no factors", "chosen"]));
    expect(marks.map(({ sentence }) => sentence)).toEqual([
      "no factors: 100 % of the error without factors",
      "ratio 0 with duo scaling: 120 % of the error without factors",
      "ratio 0.500 without duo scaling: 90.0 % of the error without factors",
      "ratio 0.500 with duo scaling: 80.0 % of the error without factors, chosen",
    ]);
  });

  test("has every point in its table, and no picture where nothing compares", () => {
    expect(toCsv(methodGridChart.table(data)).split("\r\n").slice(1, 6)).toEqual([
      "0,no,0.00001,100,no factors",
      "0,yes,0.000012,120,",
      "0.5,no,0.000009,90,",
      "0.5,yes,0.000008000000000000001,80,chosen",
      "1,yes,,,",
    ]);
    const none = { ...data, points: data.points.map((own) => ({ ...own, relative: null })) };
    expect(drawMethodGrid(none, SIZE, MADE_THEME).shapes).toEqual([]);
  });
});
