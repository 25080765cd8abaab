import { expect, test } from "vitest";
import { drawFitBar, type FitBarData, fitBarChart } from "./fit-bar.ts";
import { MADE_THEME } from "./made-theme.cases.ts";

function draw(data: Pick<FitBarData, "weights" | "cache" | "usable">) {
  const whole = { ...data, family: "int4", caption: { strong: "", plain: "" } };
  const { shapes, marks } = drawFitBar(whole, { width: 200, height: 0 }, MADE_THEME);
  const parts = shapes.slice(1).flatMap((shape) => (shape.kind === "rect" ? [shape] : []));
  return { parts, marks, line: shapes.at(-1) };
}

test("parts are drawn in proportion to usable memory", () => {
  const { parts, marks } = draw({ weights: 50, cache: 25, usable: 100 });
  expect(parts.map((part) => Math.round(part.width))).toEqual([100, 50]);
  expect(parts[0]?.fill).toBe("int4");
  expect(marks.map((mark) => mark.sentence)).toEqual(["weights: 50 B", "keys and values: 25 B", "usable: 100 B"]);
});

test("what does not fit goes beyond the line", () => {
  const { parts, line } = draw({ weights: 150, cache: 50, usable: 100 });
  expect(line).toMatchObject({ d: "M99.25 0v18" });
  expect(parts.at(-1)?.x).toBeGreaterThan(100);
});

test("a small model is still seen, an unknown cache is left out", () => {
  const { parts } = draw({ weights: 1, cache: null, usable: 1e9 });
  expect(parts.map((part) => part.width)).toEqual([2]);
});

test("the table has the bytes", () => {
  const data = { weights: 1500, cache: null, usable: 3000, family: "int4", caption: { strong: "", plain: "" } };
  expect(fitBarChart.table(data).rows.map((row) => row.map(({ value }) => value))).toEqual([
    ["weights", 1500],
    ["usable", 3000],
  ]);
});
