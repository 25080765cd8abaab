import { describe, expect, test } from "vitest";
import type { Shape } from "./chart.ts";
import { type DepthData, type DepthLine, depthChart, drawDepth } from "./depth-chart.ts";
import { MADE_THEME } from "./made-theme.cases.ts";
import { walkMarks } from "./walk.ts";

const error = (relative: number | null) => ({ relative, signalToNoiseDb: relative === null ? null : 20 });

function line(scheme: string, errors: readonly (readonly [number | null, number | null])[], own = {}): DepthLine {
  return {
    ...{ scheme, name: scheme, family: "int8", isHollow: false, isChosen: true, culprits: [] },
    layers: errors.map(([inherited, fresh], layer) => ({ layer, inherited: error(inherited), fresh: error(fresh) })),
    ...own,
  };
}

const W8A8 = line(
  "W8A8",
  [
    [0.001, 0.001],
    [0.02, 0.019],
    [0.02, 0.0001],
  ],
  { culprits: [1], isHollow: true },
);
const W4A16 = line(
  "W4A16",
  [
    [0.01, 0.01],
    [0.02, 0.01],
    [0.03, 0.01],
  ],
  { isChosen: false, family: "int4" },
);
const data: DepthData = { lines: [W8A8, W4A16], caption: { strong: "s", plain: "p" } };
const size = { width: 800, height: 280 };
const draw = (own: DepthData = data, width = size.width) => drawDepth(own, { ...size, width }, MADE_THEME);
const texts = (shapes: readonly Shape[]) => shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));
const rects = (shapes: readonly Shape[]) => shapes.flatMap((shape) => (shape.kind === "rect" ? [shape] : []));

describe("the error along depth", () => {
  test("the tallest bar is the culprit's, and bears its figure", () => {
    const faces = rects(draw({ ...data, lines: [W8A8] }).shapes).filter(({ opacity }) => opacity !== undefined);
    expect(faces).toHaveLength(3);
    const tallest = faces.reduce((most, face) => (face.height > most.height ? face : most));
    expect(faces.indexOf(tallest)).toBe(1);
    expect(faces.map(({ opacity }) => opacity)).toEqual([0.18, 0.5, 0.18]);
    expect(texts(draw().shapes)).toContain("1.90 %");
  });

  test("the chosen line is bold, the others thin; hollow where activations are rounded too", () => {
    const { shapes } = draw();
    const curves = shapes.filter((shape) => shape.kind === "path" && shape.stroke?.startsWith("int"));
    expect(curves.map((shape) => (shape.kind === "path" ? [shape.stroke, shape.strokeWidth] : []))).toEqual([
      ["int4", 1],
      ["int8", 2.5],
    ]);
    const dots = shapes.flatMap((shape) => (shape.kind === "circle" ? [`${shape.fill} ${shape.stroke}`] : []));
    expect(new Set(dots)).toEqual(new Set(["int4 int4", "paper int8"]));
    expect(texts(shapes)).toEqual(expect.arrayContaining(["W8A8", "W4A16", "layer 0", "1 %"]));
    expect(texts(draw(data, 400).shapes)).not.toContain("W4A16");
  });

  test("every layer of every scheme says both errors; schemes that are not chosen can be", () => {
    const { marks } = draw();
    expect(marks).toHaveLength(12);
    expect(marks[1]?.sentence).toBe("W8A8: error after layer 1 is 2.00 % of the signal's power, 20.0 dB");
    expect(marks[4]?.sentence).toBe("W8A8: layer 1 alone adds 1.90 % of the signal's power, 20.0 dB");
    expect(marks.filter(({ isPickable }) => isPickable).map(({ key }) => key)[0]).toBe("inherited 0 W4A16");
    expect(walkMarks(marks, marks[1]?.key ?? "", "ArrowDown")).toBe("fresh 1 W8A8");
  });

  test("what is not finite or 0 breaks the line and has a dash", () => {
    const broken = line("W2A16", [
      [0.1, 0.1],
      [null, null],
      [0.2, 0],
    ]);
    const drawing = draw({ ...data, lines: [broken] });
    expect(JSON.stringify(drawing)).not.toMatch(/NaN|Infinity/);
    const curve = drawing.shapes.find((shape) => shape.kind === "path" && shape.strokeWidth === 2.5);
    expect(curve?.kind === "path" && curve.d.match(/M/g)).toHaveLength(2);
    expect(drawing.marks).toHaveLength(3);
    const { rows } = depthChart.table({ ...data, lines: [broken] });
    expect(rows[1]?.map(({ text }) => text)).toEqual(["W2A16", "1", "–", "–", "–", "–"]);
    expect(draw({ ...data, lines: [] })).toEqual({ ...size, shapes: [], marks: [] });
  });

  test("eighty layers in a narrow box: no dots, no edges of other schemes, few names of layers", () => {
    const deep = (scheme: string, own: object) =>
      line(
        scheme,
        Array.from({ length: 80 }, () => [0.01, 0.001] as const),
        own,
      );
    const { shapes } = draw({ ...data, lines: [deep("W8A8", {}), deep("W4A16", { isChosen: false })] }, 375);
    expect(shapes.some(({ kind }) => kind === "circle")).toBe(false);
    expect(rects(shapes)).toHaveLength(160);
    const names = texts(shapes).filter((text) => /^(layer )?\d+$/.test(text));
    expect(names).toEqual(["layer 0", "10", "20", "30", "40", "50", "60", "70"]);
  });

  test("the table has both errors of each layer, as percent and dB, unrounded in files", () => {
    const { columns, rows } = depthChart.table(data);
    expect(columns.map(({ name, unit }) => `${name} ${unit}`.trim())).toEqual([
      "scheme",
      "layer",
      "inherited % of power",
      "inherited dB",
      "fresh % of power",
      "fresh dB",
    ]);
    expect(rows).toHaveLength(6);
    expect(rows[1]?.map(({ value }) => value)).toEqual(["W8A8", 1, 2, 20, 1.9, 20]);
  });
});
