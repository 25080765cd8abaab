import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Drawing, Shape } from "./chart.ts";
import { drawFrontier, frontierChart } from "./frontier.ts";
import { type Area, overlaps, textWidth } from "./frontier-labels.ts";
import type { FrontierData, FrontierDot, FrontierPlace } from "./frontier-points.ts";
import { frontierTable } from "./frontier-words.ts";
import { MADE_THEME } from "./made-theme.cases.ts";

const ROUND = { fills: [{ family: "int4", isHollow: false }], isPruned: false };

function dot(name: string, bits: number, error: number | null, change: Partial<FrontierDot> = {}): FrontierDot {
  return {
    key: name,
    name,
    look: ROUND,
    bits,
    bytes: bits * 1e6,
    error,
    interval: null,
    cap: null,
    place: error === null ? "waiting" : "line",
    isPartial: false,
    isSelected: false,
    hasFailed: false,
    sentence: `about ${name}`,
    verdict: "on the line",
    note: "",
    ...change,
  };
}

const ERROR = { name: "relative squared error", unit: "", none: "no error", hasSpread: false } as const;

function data(
  points: readonly FrontierDot[],
  original: FrontierData["original"] = { bits: 16, bytes: 16e6 },
): FrontierData {
  return { points, original, measure: ERROR, floor: null, caption: { strong: "S", plain: "P" } };
}

function draw(points: readonly FrontierDot[], width = 896): Drawing {
  return drawFrontier(data(points), { width, height: 1 }, MADE_THEME);
}

type Of<Kind extends Shape["kind"]> = Extract<Shape, { kind: Kind }>;

function of<Kind extends Shape["kind"]>(drawing: Drawing, kind: Kind): readonly Of<Kind>[] {
  return drawing.shapes.filter((shape): shape is Of<Kind> => shape.kind === kind);
}

const isNear = (one: number, other: number): boolean => Math.abs(one - other) < 0.2;
/** Names of dots, and what else lies on the picture itself. */
const labels = (drawing: Drawing) => of(drawing, "text").filter(({ halo }) => halo !== undefined);
const faces = (drawing: Drawing) => of(drawing, "circle").filter(({ fill }) => fill === "int4");
const texts = (drawing: Drawing): readonly string[] => of(drawing, "text").map(({ text }) => text);

function areaOf({ x, y, text, size = 12, isBold = false, anchor = "start" }: Of<"text">): Area {
  const width = textWidth(text, size, isBold);
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
  return { x: left, y: y - 9.5, width, height: 12 };
}

const FOUR = [dot("A", 4, 0.1), dot("B", 5, 0.01), dot("C", 7, 0.001), dot("D", 6, 0.05, { place: "beaten" })];

describe("the frontier", () => {
  test("a model without weights has no bits, and its picture is empty", () => {
    const { shapes, marks, height } = draw([dot("A", Number.NaN, null)]);
    expect([shapes, marks, height]).toEqual([[], [], 0]);
  });

  test("a point that may still move has a broken outline", () => {
    const dashes = (isPartial: boolean) =>
      draw([dot("A", 4, 0.1, { isPartial })]).shapes.filter(
        (shape) => shape.kind === "circle" && shape.dash !== undefined,
      );
    expect([dashes(true).length, dashes(false).length]).toEqual([1, 0]);
  });

  test("more bits stand further right, less error further down, a decade as high as the next", () => {
    const [beaten, a, b, c] = faces(draw(FOUR));
    expect((a?.x ?? 0) < (b?.x ?? 0) && (b?.x ?? 0) < (c?.x ?? 0)).toBe(true);
    expect((b?.y ?? 0) - (a?.y ?? 0)).toBeCloseTo((c?.y ?? 0) - (b?.y ?? 0), 6);
    expect(beaten?.x).toBeCloseTo(((b?.x ?? 0) + (c?.x ?? 0)) / 2, 6);
  });

  test("the line steps through the dots on it, and the ground beyond is filled", () => {
    const drawing = draw(FOUR);
    const [beaten, a, b, c] = faces(drawing);
    const ground = of(drawing, "path").find(({ fill }) => fill === "beaten")?.d ?? "";
    const corners = [...ground.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    const expected = [a, b, b, c, c].map((face, index) => [face?.x ?? 0, [a, a, b, b, c][index]?.y ?? 0] as const);
    expect(corners).toHaveLength(5);
    for (const [index, [x, y]] of corners.entries()) {
      expect(isNear(x, expected[index]?.[0] ?? 0) && isNear(y, expected[index]?.[1] ?? 0)).toBe(true);
    }
    expect(ground).toMatch(/H894V6H[\d.]+z$/);
    expect((beaten?.y ?? 0) < (b?.y ?? 0)).toBe(true);
  });

  test("names on the line are bold, the beaten are plain, the chosen one has a ring", () => {
    const drawing = draw([...FOUR.slice(0, 3), dot("D", 6, 0.05, { place: "beaten", isSelected: true })]);
    const bold = new Map(labels(drawing).map(({ text, isBold }) => [text, isBold]));
    expect([bold.get("A"), bold.get("D")]).toEqual([true, false]);
    const rings = of(drawing, "circle").filter(({ stroke, fill }) => stroke === "ink" && fill === undefined);
    expect(rings).toHaveLength(1);
    expect(rings[0]?.x).toBe(faces(drawing).at(-1)?.x);
  });

  test("what waits is a hatched column at its bits, never a dot at zero", () => {
    const drawing = draw([dot("A", 4, 0.1), dot("W", 6, null), dot("B", 8, 0.001)]);
    const [a, b] = faces(drawing);
    const columns = of(drawing, "rect").filter(({ fill }) => fill === "hatch");
    expect(faces(drawing)).toHaveLength(2);
    expect(columns).toHaveLength(1);
    expect((columns[0]?.x ?? 0) + (columns[0]?.width ?? 0) / 2).toBeCloseTo(((a?.x ?? 0) + (b?.x ?? 0)) / 2, 6);
    expect(texts(drawing)).not.toContain("no error");
    expect(drawing.marks.find(({ key }) => key === "W")?.height).toBe(378);
  });

  test("a failure has a soft column and a cross, whatever figures it has", () => {
    const drawing = draw([dot("A", 4, 0.1), dot("F", 6, 0.02, { hasFailed: true, place: "unknown" })]);
    expect(of(drawing, "rect").filter(({ fill }) => fill === "fail")).toHaveLength(1);
    expect(of(drawing, "path").filter(({ stroke }) => stroke === "fail")).toHaveLength(1);
    expect(faces(drawing)).toHaveLength(1);
  });

  test("no error at all has a row of its own, below every decade", () => {
    const drawing = draw([dot("A", 4, 0.1), dot("B", 5, 1e-7), dot("Z", 16, 0)]);
    const word = of(drawing, "text").find(({ text }) => text === "no error");
    const zero = faces(drawing).at(-1);
    expect(word?.y).toBeCloseTo((zero?.y ?? 0) + 4, 6);
    const others = faces(drawing).slice(0, -1);
    expect(Math.max(...others.map(({ y }) => y)) + 12).toBeLessThan(zero?.y ?? 0);
  });

  test("errors over eight decades get every power, without a long row of zeros", () => {
    const drawing = draw([dot("A", 4, 0.3), dot("B", 6, 1e-8)]);
    expect(texts(drawing)).toEqual(expect.arrayContaining(["0.1", "0.001", "1e−4", "1e−8"]));
  });

  test.each([896, 720, 351])("one dot, or two of equal size and error, lie inside %i px", (width) => {
    for (const points of [[dot("A", 4, 0.1)], [dot("A", 4, 0.1), dot("B", 4, 0.1, { place: "tied" })]]) {
      const drawing = draw(points, width);
      expect(drawing.width).toBe(width);
      for (const { x, y } of faces(drawing)) {
        expect(x > 46 && x < width && y > 6 && y < drawing.height - 56).toBe(true);
      }
      expect(texts(drawing).filter((text) => /^\d+\.?\d*$/.test(text)).length).toBeGreaterThan(4);
    }
  });

  test("nothing at all is an empty plot", () => {
    expect(draw([]).marks).toEqual([]);
    expect(JSON.stringify(draw([]).shapes)).not.toMatch(/null|NaN/);
  });

  test("the original is a note at the edge, or a line where it lies within", () => {
    expect(texts(draw(FOUR))).toContain("original: 16.0 bits, 16.0 MB ▸");
    const near = draw([...FOUR, dot("P", 16.1, 0.2, { place: "beaten" })]);
    expect(texts(near)).toEqual(expect.arrayContaining(["original: 16.0 bits, 16.0 MB", "original"]));
    expect(texts(draw(FOUR, 351))).toContain("original: 16.0 ▸");
  });

  test("two of one scheme are halves, activations are hollow, pruning is a cross", () => {
    const [int8, hollow] = [
      { family: "int8", isHollow: false },
      { family: "int4", isHollow: true },
    ];
    const look = (fills: FrontierDot["look"]["fills"], isPruned: boolean) =>
      draw([dot("A", 4, 0.1, { look: { fills, isPruned } })]);
    const halves = of(look([int8, hollow], false), "path").filter(({ d }) => d.includes("a"));
    expect(halves.map(({ fill, stroke }) => [fill, stroke])).toEqual([
      ["int8", "int8"],
      ["paper", "int4"],
    ]);
    expect(of(look([hollow], false), "circle").some(({ fill, stroke }) => fill === "paper" && stroke === "int4")).toBe(
      true,
    );
    expect(of(look([int8], true), "path").some(({ stroke }) => stroke === "paper")).toBe(true);
    expect(of(look([], true), "path").some(({ stroke }) => stroke === "orig")).toBe(true);
  });
});

describe("a crowd", () => {
  const crowd = [5.8, 5.83, 5.86, 5.9, 5.92].map((bits, index) => dot(`N${index}`, bits, 0.012 - index * 0.0007));
  const points = [dot("A", 4, 0.3), ...crowd, dot("D", 9.2, 5e-5)];

  test("is enlarged where there is room, and each of it is reached there", () => {
    const drawing = draw(points);
    expect(texts(drawing)).toContain("5 close together, enlarged");
    const { marks } = drawing;
    expect(marks.map(({ key }) => key).sort()).toEqual([" crowd", "A", "D", "N0", "N1", "N2", "N3", "N4"]);
    const inner = marks.filter(({ key }) => key.startsWith("N"));
    for (const [index, one] of inner.entries()) {
      for (const other of inner.slice(index + 1)) expect(overlaps(one, other)).toBe(false);
    }
    expect(marks.find(({ isPickable }) => !isPickable)?.sentence).toMatch(/^5 schemes .*N0, N1, N2, N3, N4$/);
  });

  test("covers neither a dot nor the line; without room it stays as it is", () => {
    const frame = of(draw(points), "rect").find(({ fill }) => fill === "paper");
    const rest = faces(draw(points)).filter(({ radius }) => radius > 5);
    expect(frame).toBeDefined();
    for (const { x, y } of rest) {
      expect(overlaps(frame ?? { x, y, width: 1, height: 1 }, { x: x - 6, y: y - 6, width: 12, height: 12 })).toBe(
        false,
      );
    }
    const withoutError = draw([
      dot("A", 4, 0.3),
      ...crowd.map((each, index) => ({ ...each, bits: 5.8 + index / 100, error: 0 })),
    ]);
    expect(texts(withoutError).join()).not.toContain("enlarged");
    expect(texts(draw(points, 600)).join()).not.toContain("enlarged");
    expect(texts(draw(points.slice(0, 4))).join()).not.toContain("enlarged");
  });
});

describe("names", () => {
  const places: readonly FrontierPlace[] = ["line", "beaten", "tied", "waiting", "unknown"];
  const point = fc.record({
    name: fc.string({ minLength: 1, maxLength: 70 }),
    bits: fc.double({ min: 1, max: 17, noNaN: true }),
    error: fc.oneof(fc.double({ min: 1e-8, max: 2, noNaN: true }), fc.constant(0)),
    place: fc.constantFrom(...places),
    note: fc.constantFrom("", "W6A16: 18 % smaller, 45 % of its error"),
  });

  test("never lie on each other, on a dot or beyond the plot, and the picture holds only finite numbers", () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 14 }), fc.constantFrom(896, 720, 351), (made, width) => {
        const dots = made.map((each, index) => {
          const error = each.place === "waiting" || each.place === "unknown" ? null : each.error;
          return dot(each.name, each.bits, error, { ...each, error, key: String(index) });
        });
        const drawing = draw(dots, width);
        const areas = labels(drawing).map(areaOf);
        for (const [index, area] of areas.entries()) {
          expect(area.x >= 46 && area.x + area.width <= width).toBe(true);
          for (const other of areas.slice(index + 1)) expect(overlaps(area, other)).toBe(false);
          for (const { x, y } of faces(drawing)) {
            expect(overlaps(area, { x: x - 4, y: y - 4, width: 8, height: 8 })).toBe(false);
          }
        }
        expect(JSON.stringify(drawing)).not.toMatch(/NaN|:null/);
      }),
      { numRuns: 300 },
    );
  });

  test("on the line are placed before the beaten", () => {
    const many = Array.from({ length: 14 }, (_, index) =>
      dot(`scheme-${index}`, 5 + index / 400, 0.01 + index / 40_000, { place: index === 13 ? "line" : "beaten" }),
    );
    const named = labels(draw(many, 351)).map(({ text }) => text);
    expect(named).toContain("scheme-13");
    expect(named.length).toBeLessThan(14);
  });

  test("of 60 characters are cut, and whole in the sentence", () => {
    const name = "a".repeat(60);
    const drawing = draw([dot(name, 4, 0.1), dot("B", 8, 0.01)], 351);
    expect(labels(drawing).some(({ text }) => /^a+…$/.test(text))).toBe(true);
    expect(drawing.marks[0]?.sentence).toBe(`about ${name}`);
  });

  test("of a waiting scheme stands at the top of its column, or beside another's", () => {
    const drawing = draw([dot("A", 4, null), dot("B", 4.02, null), dot("C", 9, null)]);
    expect(labels(drawing).map(({ text }) => text)).toEqual(["A", "B", "C"]);
    expect(labels(drawing).every(({ y }) => y < 60)).toBe(true);
  });
});

test("dots at one place share their target, so that each can be pressed", () => {
  const { marks } = draw([dot("A", 5, 0.01), dot("B", 5, 0.01, { place: "tied" }), dot("C", 9, 0.001)]);
  const [a, b] = marks;
  expect([a?.width, b?.width]).toEqual([12, 12]);
  expect(a && b && overlaps(a, b)).toBe(false);
  expect(marks.every(({ isPickable }) => isPickable)).toBe(true);
});

test("caption and table twin are those of the data", () => {
  const given = data([dot("A", 5.85131, 0.0123969), dot("F", 6, 0.02, { hasFailed: true, verdict: "cannot" })]);
  expect(frontierChart.caption(given)).toEqual({ strong: "S", plain: "P" });
  const { columns, rows } = frontierTable(given);
  expect(columns.map(({ name }) => name)).toEqual([
    "scheme",
    "whole file",
    "file",
    "relative squared error",
    "verdict",
  ]);
  expect(rows.map((row) => row.map(({ text }) => text))).toEqual([
    ["original", "16.00", "16.00", "–", "reference"],
    ["A", "5.851", "5.851", "0.0124", "on the line"],
    ["F", "6.000", "6.000", "–", "cannot"],
  ]);
  expect(rows[1]?.[3]?.value).toBe(0.0123969);
});

describe("a measurement", () => {
  const spread = (name: string, bits: number, error: number): FrontierDot =>
    dot(name, bits, error, { interval: { low: 0.8 * error, high: 1.3 * error }, cap: 8 * error });
  const floor = { error: 1e-4, words: "noise floor", sentence: "about the floor" };
  const measure = { name: "mean KLD", unit: "nats", none: "KLD 0", hasSpread: true };
  const all = (points: readonly FrontierDot[], width = 896): Drawing =>
    drawFrontier({ ...data(points), measure, floor }, { width, height: 1 }, MADE_THEME);
  const points = [spread("A", 4, 0.1), spread("B", 6, 0.01)];

  test("has a whisker through each dot and a thinner line up to its cap, all within the plot", () => {
    const drawing = all(points);
    const lines = of(drawing, "path").filter(({ stroke }) => stroke === "int4");
    const whiskers = lines.filter(({ strokeWidth }) => strokeWidth === 1.5);
    const caps = lines.filter(({ opacity }) => opacity === 0.6);
    expect([whiskers.length, caps.length]).toEqual([2, 2]);
    for (const [index, face] of faces(drawing).entries()) {
      const [x = 0, low = 0, high = 0] = [...(whiskers[index]?.d ?? "").matchAll(/[MV]([\d.]+)(?: ([\d.]+))?/g)]
        .slice(0, 2)
        .flatMap(([, one, two]) => (two === undefined ? [Number(one)] : [Number(one), Number(two)]));
      const top = Number(/V([\d.]+)/.exec(caps[index]?.d ?? "")?.[1]);
      expect(x).toBeCloseTo(face.x, 6);
      expect(low > face.y && face.y > high && high > top && top > 6).toBe(true);
    }
  });

  test("of which the lower end is nothing keeps its whisker in the picture", () => {
    const drawing = all([dot("A", 4, 0.1, { interval: { low: 0, high: 0.2 } }), spread("B", 6, 0.01)]);
    expect(JSON.stringify(drawing)).not.toMatch(/null|NaN|Infinity/);
    expect(texts(drawing)).not.toContain("KLD 0");
    expect(
      of(drawing, "path").filter(({ stroke, strokeWidth }) => stroke === "int4" && strokeWidth === 1.5),
    ).toHaveLength(2);
  });

  test("has the noise floor as a line with its words, spoken too and not to be pressed", () => {
    const drawing = all(points);
    const line = of(drawing, "path").find(({ dash }) => dash?.[0] === 1.5);
    const word = of(drawing, "text").find(({ text }) => text === "noise floor");
    expect(line?.d).toMatch(/^M46 [\d.]+H894$/);
    expect(word?.y).toBeGreaterThan(Math.max(...faces(drawing).map(({ y }) => y)));
    expect(drawing.marks.find(({ key }) => key === " floor")).toMatchObject({
      sentence: "about the floor",
      isPickable: false,
    });
    expect(draw(points).marks).toHaveLength(2);
  });

  test("that is exactly nothing lies in a row of its own under its own words", () => {
    expect(texts(all([spread("A", 4, 0.1), dot("Z", 8, 0, { interval: { low: 0, high: 0 }, cap: 0 })]))).toContain(
      "KLD 0",
    );
  });
});
