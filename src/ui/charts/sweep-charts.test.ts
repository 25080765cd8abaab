import { describe, expect, test } from "vitest";
import type { Shape } from "./chart.ts";
import { MADE_THEME } from "./made-theme.cases.ts";
import { drawSweepLayers, type SweepLayersData, sweepLayersChart } from "./sweep-layers.ts";
import { drawSweepSalient, type SweepSalientData, sweepSalientChart } from "./sweep-salient.ts";
import { drawSweepSamples, type SweepSamplesData, sweepSamplesChart } from "./sweep-samples.ts";
import { drawSweepStrength, type SweepStrength, type SweepStrengthData, sweepStrengthChart } from "./sweep-strength.ts";
import { toCsv } from "./table-text.ts";

const SIZE = { width: 720, height: 300 };
const CAPTION = { strong: "", plain: "" };

const textsOf = (shapes: readonly Shape[]): readonly string[] =>
  shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));
const textAt = (shapes: readonly Shape[], text: string) =>
  shapes.flatMap((shape) => (shape.kind === "text" && shape.text === text ? [shape] : []));
const circles = (shapes: readonly Shape[]) => shapes.flatMap((shape) => (shape.kind === "circle" ? [shape] : []));
const paths = (shapes: readonly Shape[]) => shapes.flatMap((shape) => (shape.kind === "path" ? [shape] : []));
const squares = (shapes: readonly Shape[]) => paths(shapes).filter(({ d }) => d.endsWith("z"));

const around = (value: number) => ({ low: value * 0.9, high: value * 1.1 });

describe("strengths", () => {
  /** All of it as shares of 0.02 nats, 1 % and 1 %. */
  const strength = (at: number | null, kld: number | null, weights = 0.01, activations = 0.01): SweepStrength => ({
    ...{ strength: at, kld, interval: kld === null ? null : around(kld), weights, activations },
    relative: {
      kld: kld === null ? null : kld / 0.02,
      interval: kld === null ? null : around(kld / 0.02),
      ...{ weights: weights * 100, activations: activations * 100 },
    },
  });
  const data: SweepStrengthData = {
    plain: strength(null, 0.02),
    points: [strength(0, 0.018), strength(0.5, 0.002, 0.02, 0.003), strength(1, 0.02, 0.1, 0.001)],
    ...{ best: 0.5, ties: [1], family: "int8", shape: "square", isHollow: true, caption: CAPTION },
  };
  const { shapes, marks } = drawSweepStrength(data, SIZE, MADE_THEME);

  test("are a curve of squares with whiskers and two thin ones of dots, whole and broken", () => {
    expect(squares(shapes)).toHaveLength(3);
    expect(squares(shapes).every(({ fill, stroke }) => fill === "paper" && stroke === "int8")).toBe(true);
    expect(paths(shapes).filter(({ d }) => /^M\S+ \S+V\S+m-3 0h6/.test(d))).toHaveLength(3);
    expect(circles(shapes).filter(({ radius }) => radius === 3)).toHaveLength(6);
    expect(paths(shapes).filter(({ dash }) => dash?.[0] === 5)).toHaveLength(1);
  });

  test("lie on one log scale whose 100 % is no smoothing", () => {
    const rings = circles(shapes).filter(({ radius }) => radius === 9);
    const [line] = paths(shapes).filter(({ dash }) => dash?.[0] === 2);
    const height = Number(/^M\S+ (\S+)H/.exec(line?.d ?? "")?.[1]);
    const last = circles(shapes)
      .filter(({ radius }) => radius === 3)
      .at(-1);
    // A tenth of the divergence lies as far below the line as a tenth of the activations' error.
    expect((rings[0]?.y ?? 0) - height).toBeCloseTo((last?.y ?? 0) - height, 6);
    expect((rings[0]?.y ?? 0) - height).toBeGreaterThan(20);
    expect(textsOf(shapes)).toEqual(expect.arrayContaining(["no smoothing", "100 %", "10.0 %", "0.5"]));
  });

  test("point out the least, and mark what cannot be told from it", () => {
    expect(textAt(shapes, "least")).toHaveLength(1);
    expect(textAt(shapes, "≈").map(({ x }) => x)).toEqual([marks[2] && marks[2].x + 12]);
    expect(marks).toHaveLength(9);
    expect(marks[1]?.sentence).toBe(
      "strength 0.5: mean KLD 0.00200 nats, 95 % 0.00180 … 0.00220, 10.0 % of that without smoothing, least",
    );
    expect(marks[2]?.sentence).toMatch(/, not told from the least$/);
    expect(marks[8]?.sentence).toBe(
      "strength 1: rounding takes 0.100 % of the activations, 10.0 % of that without smoothing",
    );
    expect(marks[8]?.place).toEqual({ row: 2, column: 2 });
  });

  test("bear their names where there is room; a whisker to 0 does not stretch the picture", () => {
    expect(textsOf(shapes)).toEqual(expect.arrayContaining(["mean KLD", "error of weights", "error of activations"]));
    expect(textsOf(drawSweepStrength(data, { width: 340, height: 300 }, MADE_THEME).shapes)).not.toContain("mean KLD");
    const deep = data.points.map((own) => ({
      ...own,
      relative: { ...own.relative, interval: { low: 0, high: 1.2 } },
    }));
    const drawn = drawSweepStrength({ ...data, points: deep }, SIZE, MADE_THEME);
    for (const { y } of circles(drawn.shapes)) expect(y).toBeGreaterThan(0);
    for (const { d } of paths(drawn.shapes)) expect(d).not.toMatch(/NaN|Infinity/);
  });

  test("leave out what has no value, and are no picture without any", () => {
    const broken = { ...data, points: [strength(0, null), strength(1, 0.01)] };
    expect(drawSweepStrength(broken, SIZE, MADE_THEME).marks).toHaveLength(5);
    const nothing = { kld: null, interval: null, weights: null, activations: null };
    const none = { ...data, points: [{ ...strength(0, null), relative: nothing }] };
    expect(drawSweepStrength(none, SIZE, MADE_THEME)).toMatchObject({ height: 0, shapes: [], marks: [] });
  });

  test("are a table that begins with no smoothing", () => {
    const rows = toCsv(sweepStrengthChart.table(data)).split("\r\n");
    expect(rows[1]).toBe("none,0.02,0.018000000000000002,0.022000000000000002,100,1,1,");
    expect(rows[3]?.startsWith("0.5,0.002,")).toBe(true);
    expect(rows[3]?.endsWith(",least")).toBe(true);
    expect(rows[4]?.endsWith(",not told from the least")).toBe(true);
  });
});

describe("samples", () => {
  const point = (samples: number, kld: number, low: number | null): SweepSamplesData["points"][number] => ({
    ...{ samples, kld, interval: around(kld), outputError: 0.005, methodMs: 1200 },
    excess: low === null ? null : { value: 0.001, interval: { low, high: 0.002 } },
    relative: { kld: kld / 0.03, interval: around(kld / 0.03), outputError: 0.5, onSamples: 0.4 },
  });
  const data: SweepSamplesData = {
    plain: { kld: 0.03, interval: around(0.03), outputError: 0.01 },
    points: [point(8, 0.02, 0.0005), point(16, 0.016, -0.001), point(32, 0.015, null)],
    ...{ enough: 16, enoughWord: "enough", family: "int4", shape: "diamond", isHollow: false, caption: CAPTION },
  };
  const { shapes, marks } = drawSweepSamples(data, SIZE, MADE_THEME);

  test("stand on a log axis: twice as many are as far everywhere", () => {
    const [one = 0, two = 0, three = 0] = marks.slice(0, 3).map(({ x }) => x);
    expect(three - two).toBeCloseTo(two - one, 6);
    expect(textsOf(shapes)).toEqual(expect.arrayContaining(["8", "16", "32", "plain rounding", "enough"]));
    expect(marks[1]?.sentence).toMatch(/^16 windows: mean KLD 0\.0160 nats, .*, enough$/);
    expect(marks[0]?.sentence).not.toMatch(/enough|told/);
  });

  test("of one number stand in the middle", () => {
    const alone = { ...data, points: [point(8, 0.02, null)], enough: null };
    const [mark] = drawSweepSamples(alone, SIZE, MADE_THEME).marks;
    expect(mark?.x).toBeGreaterThan(200);
    expect(mark?.x).toBeLessThan(400);
  });

  test("are a table that begins with plain rounding, and names what is enough", () => {
    const rows = toCsv(sweepSamplesChart.table(data)).split("\r\n");
    expect(rows[1]?.startsWith("none,0.03,")).toBe(true);
    expect(rows[1]?.endsWith(",1,,,plain rounding")).toBe(true);
    expect(rows.slice(2, 5).map((row) => row.split(",").at(-1))).toEqual(["", "enough", ""]);
  });
});

describe("kept channels", () => {
  const data: SweepSalientData = {
    choices: [
      { name: "none", isPlain: true, kld: 0.2, interval: around(0.2), beside: null, gain: null, outcome: "" },
      {
        ...{
          name: "loudest inputs",
          isPlain: false,
          kld: 0.05,
          interval: around(0.05),
          beside: { low: -0.01, high: 0.07 },
        },
        ...{ gain: { value: 0.15, interval: { low: 0.13, high: 0.17 } }, outcome: "75.0 % of the divergence gone" },
      },
      {
        name: "at random",
        isPlain: false,
        kld: null,
        interval: null,
        beside: null,
        gain: null,
        outcome: "no finite divergence",
      },
    ],
    ...{ family: "int4", caption: CAPTION },
  };
  const { shapes, marks, height } = drawSweepSalient(data, SIZE, MADE_THEME);
  const bars = shapes.flatMap((shape) => (shape.kind === "rect" ? [shape] : []));

  test("are bars from 0 on, hollow where nothing is kept, with a whisker; what is not finite has none", () => {
    expect(bars.map(({ fill, stroke }) => [fill, stroke])).toEqual([
      ["paper", "int4"],
      ["int4", undefined],
    ]);
    expect((bars[1]?.width ?? 0) / (bars[0]?.width ?? 1)).toBeCloseTo(0.25, 6);
    expect(paths(shapes).filter(({ stroke, strokeWidth }) => stroke === "ink" && strokeWidth === 1.5)).toHaveLength(1);
    // Its low end is below 0, where no divergence is.
    const [whisker] = paths(shapes).filter(({ strokeWidth }) => strokeWidth === 1.5);
    expect(Number(/^M(\S+) /.exec(whisker?.d ?? "")?.[1])).toBe(bars[0]?.x);
    expect(height).toBeLessThan(SIZE.height);
  });

  test("each have a sentence and a row with what they take away", () => {
    expect(marks.map(({ sentence }) => sentence)).toEqual([
      "none: mean KLD 0.200 nats, 95 % 0.180 … 0.220",
      "loudest inputs: mean KLD 0.0500 nats, 95 % 0.0450 … 0.0550; 75.0 % of the divergence gone",
      "at random: mean KLD not finite",
    ]);
    const rows = toCsv(sweepSalientChart.table(data)).split("\r\n");
    expect(rows[2]?.endsWith(",0.15,0.13,0.17,75.0 % of the divergence gone")).toBe(true);
  });
});

describe("strengths by layer", () => {
  const data: SweepLayersData = {
    layers: [
      { layer: 0, strength: 0.2, weights: 0.0001, activations: 0.001 },
      { layer: 1, strength: null, weights: null, activations: null },
      { layer: 2, strength: 1, weights: 0.0002, activations: null },
    ],
    ...{ best: 0.5, family: "int8", isHollow: false, caption: CAPTION },
  };

  test("are a square a layer; one without a strength keeps its place", () => {
    const { shapes, marks } = drawSweepLayers(data, { width: 600, height: 150 }, MADE_THEME);
    expect(squares(shapes)).toHaveLength(2);
    expect(textsOf(shapes)).toEqual(["layer 0", "layer 1", "layer 2"]);
    expect((marks[1]?.x ?? 0) - (marks[0]?.x ?? 0)).toBeCloseTo(128, 6);
    expect(marks.map(({ sentence }) => sentence)).toEqual([
      "layer 0 wants strength 0.2: rounding takes 0.0100 % of the weights and 0.100 % of the activations",
      "layer 2 wants strength 1: rounding takes 0.0200 % of the weights",
    ]);
    expect(toCsv(sweepLayersChart.table(data)).split("\r\n")[2]).toBe("1,,,");
  });

  test("of a deep model pan, and are no picture where no layer has one", () => {
    const layers = Array.from({ length: 80 }, (_, layer) => ({
      layer,
      strength: 0.5,
      weights: null,
      activations: null,
    }));
    const { width, marks } = drawSweepLayers({ ...data, layers }, { width: 600, height: 150 }, MADE_THEME);
    expect(width).toBe(80 * 24);
    expect(marks).toHaveLength(80);
    const none = { ...data, layers: data.layers.slice(1, 2) };
    expect(drawSweepLayers(none, { width: 600, height: 150 }, MADE_THEME).height).toBe(0);
  });
});
