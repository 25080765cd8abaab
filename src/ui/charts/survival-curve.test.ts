import { describe, expect, test } from "vitest";
import { MADE_THEME } from "./made-theme.cases.ts";
import { drawSurvival, type SurvivalData, survivalChart } from "./survival-curve.ts";

const POINTS = [
  { kld: 1e-3, share: 1 },
  { kld: 0.01, share: 0.5 },
  { kld: 0.2, share: 0.01 },
];
const DATA: SurvivalData = {
  levels: [1e-3, 0.01, 0.1, 1],
  positions: 100,
  caption: { strong: "", plain: "" },
  lines: [
    {
      scheme: "W4A16",
      name: "W4A16",
      family: "int4",
      isHollow: false,
      isChosen: true,
      points: POINTS,
      shares: [1, 0.5, 0.1, 0],
    },
    {
      scheme: "W8A8",
      name: "W8A8",
      family: "int8",
      isHollow: true,
      isChosen: false,
      points: POINTS.map(({ kld, share }) => ({ kld: kld / 100, share })),
      shares: [0.2, 0, 0, 0],
    },
    {
      scheme: null,
      name: "elsewhere",
      family: "orig",
      isHollow: false,
      isChosen: false,
      points: [],
      shares: [null, null, null, null],
    },
  ],
};

describe("the survival curve", () => {
  const { shapes, marks } = drawSurvival(DATA, { width: 500, height: 300 }, MADE_THEME);
  const curves = shapes.flatMap((shape) => (shape.kind === "path" && shape.d.includes("L") ? [shape] : []));

  test("has a line a model in its colour, broken where activations are rounded too, the chosen one bold and last", () => {
    expect(curves.map(({ stroke, strokeWidth, dash }) => [stroke, strokeWidth, dash])).toEqual([
      ["int8", 1.25, [6, 3]],
      ["paper", 6, undefined],
      ["int4", 3, undefined],
    ]);
    const named = shapes.flatMap((shape) => (shape.kind === "text" && shape.isBold === true ? [shape.text] : []));
    expect(named).toEqual(["W4A16"]);
  });

  test("falls from all to the rarest, both axes logarithmic", () => {
    const texts = shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));
    expect(texts).toEqual(expect.arrayContaining(["all", "1 in 10", "1 in 100", "0.001", "0.1"]));
    const y = (text: string): number =>
      shapes.flatMap((shape) => (shape.kind === "text" && shape.text === text ? [shape.y] : []))[0] ?? Number.NaN;
    expect(y("1 in 10") - y("all")).toBeCloseTo(y("1 in 100") - y("1 in 10"), 6);
  });

  test("begins where the first line falls: what is flat before that is left out", () => {
    const points = [{ kld: 1e-7, share: 1 }, ...POINTS];
    const flat = DATA.lines.map((line) => ({ ...line, points }));
    const wide = drawSurvival({ ...DATA, lines: flat.slice(0, 1) }, { width: 500, height: 300 }, MADE_THEME);
    const texts = wide.shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));
    expect(texts).toContain("0.001");
    expect(texts.some((text) => text.includes("e−"))).toBe(false);
  });

  test("is walked decade by decade, line by line", () => {
    expect(marks.map(({ key, isPickable }) => [key, isPickable])).toEqual([
      ["0 0", true],
      ["0 1", true],
      ["0 2", true],
      ["1 0", true],
    ]);
    expect(marks[1]?.sentence).toBe("W4A16: 50.0 % of positions diverge by 0.01 nats or more");
  });

  test("says the same as a table, and stays empty without a point", () => {
    expect(survivalChart.table(DATA).rows[2]?.map(({ text }) => text)).toEqual(["0.1", "10.0", "0", "–"]);
    expect(drawSurvival({ ...DATA, lines: [] }, { width: 500, height: 300 }, MADE_THEME).shapes).toEqual([]);
  });
});
