import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { computed } from "../../base/quantity.ts";
import type { SchemeResult } from "../../engine/result.ts";
import { frontierChart } from "../charts/frontier.ts";
import { MADE_THEME } from "../charts/made-theme.cases.ts";
import { sampleLayer, sampleResult, sampleScheme } from "./compare-result.cases.ts";
import { FRONTIER_EXAMPLE, frontierLegend, frontierView } from "./scheme-frontier-model.ts";

const ERROR = new LabError({
  code: "scheme/indivisible",
  doing: "planning",
  found: "2 matrices have a width that 128 does not divide",
  allowed: "multiples",
  advice: "take another group size",
}).toData();

/** A scheme of `bits` whose one matrix has the error; null: not measured yet. */
function scheme(name: string, bits: number, error: number | null, change: Partial<SchemeResult> = {}): SchemeResult {
  const layers = error === null ? [] : [sampleLayer(0, "q_proj", 20, { meanSquare: 1, mse: error })];
  const size = {
    fileBytes: computed(bits * 1e6, "bytes", ""),
    bitsPerWeight: computed(bits, "bits per weight", ""),
  };
  return sampleScheme(name, 20, 0.1, { ...size, layers, modules: 1, ...change });
}

const THREE = [scheme("W3A16", 5, 0.05), scheme("W4A16", 5.85, 0.0124), scheme("W8A8", 9.2, 0.0000629)];
const BEATEN = scheme("W4A8", 8.9, 0.02);

function captionOf(schemes: readonly SchemeResult[], outcome: "done" | "cancelled" = "done") {
  return frontierView(sampleResult({ schemes, outcome }), "").data.caption;
}

describe("the caption of the frontier", () => {
  test("names who is beaten, by whom and by how much", () => {
    expect(captionOf([...THREE, BEATEN])).toEqual({
      strong: "Three schemes are on the line; on the grey, a file no larger errs less.",
      plain: "W4A8 is beaten by W4A16: 34 % smaller, 62 % of its error.",
    });
  });

  test("of many beaten names two and counts the rest", () => {
    const many = [6, 7, 8, 9].map((bits) => scheme(`int4:group=${bits}`, bits, 0.02));
    expect(captionOf([...THREE, ...many]).plain).toBe(
      "int4:group=6 is beaten by W4A16: 3 % smaller, 62 % of its error; int4:group=7 is beaten by W4A16: 16 % smaller, 62 % of its error; so are two more.",
    );
    expect(captionOf([scheme("W4A16", 5.85, 0.0124), BEATEN]).strong).toMatch(
      /^W4A16 alone is on the line; on the grey/,
    );
  });

  test("names both ends where all are on the line", () => {
    expect(captionOf(THREE)).toEqual({
      strong: "All three schemes are on the line: each larger file errs less.",
      plain: "From W3A16 (5.00 bits, error 0.0500) to W8A8 (9.20 bits, error 6.29e−5).",
    });
    expect(captionOf(THREE.slice(1)).strong).toBe("Both schemes are on the line: the larger file errs less.");
  });

  test("of one scheme says what it is, and what is missing", () => {
    expect(captionOf(THREE.slice(1, 2))).toEqual({
      strong: "W4A16 stands alone: 5.85 bits, error 0.0124.",
      plain: "Add another scheme to see which is worth its bits.",
    });
  });

  test("of two names for one scheme says that they are as good", () => {
    expect(captionOf([...THREE, scheme("INT8", 9.2, 0.0000629)])).toEqual({
      strong: "Three schemes are on the line; another is as good as one there.",
      plain: "INT8 ≈ W8A8.",
    });
  });

  test("claims nothing before a matrix is measured", () => {
    const open = THREE.map((each) => ({ ...each, layers: [] }));
    expect(captionOf(open)).toEqual({
      strong: "Sizes are exact, errors not known yet.",
      plain: "Each hatched place stays open until every matrix is measured under every scheme.",
    });
    expect(captionOf(open, "cancelled").strong).toBe("Stopped before the errors could be compared.");
  });

  test("what holds so far says on how many matrices, and who is on the line may still change", () => {
    const growing = THREE.map((each) => ({ ...each, modules: each.layers.length + 3 }));
    expect(captionOf(growing).strong).toMatch(/^So far \d+ of \d+ matrices\.$/);
    expect(captionOf(growing, "cancelled").strong).toMatch(/^Stopped at \d+ of \d+ matrices\.$/);
  });

  test("a failure and an infinite error are said, and the others stand", () => {
    const refused = scheme("int4:group=100", 5.8, 0.011, { error: ERROR });
    expect(captionOf([...THREE, refused])).toEqual({
      strong: "All three that can be compared are on the line: each larger file errs less.",
      plain: `From W3A16 (5.00 bits, error 0.0500) to W8A8 (9.20 bits, error 6.29e−5). int4:group=100 cannot be exported.`,
    });
    const infinite = scheme("int2:tensor", 4, 1, {
      layers: [sampleLayer(0, "q_proj", null, { meanSquare: 1, mse: null })],
    });
    expect(captionOf([infinite])).toEqual({
      strong: "There is no error to compare.",
      plain: "int2:tensor has no finite error.",
    });
  });
});

describe("the dots of the frontier", () => {
  const refused = scheme("int4:group=100", 5.8, 0.011, { error: ERROR });
  const { data, example } = frontierView(sampleResult({ schemes: [...THREE, BEATEN, refused] }), "W4A16");

  test("each says size, error and how it stands", () => {
    expect(data.points.map(({ sentence }) => sentence)).toEqual([
      "W3A16: 5.00 bits, 5.00 MB, relative squared error 0.0500, on the line",
      "W4A16: 5.85 bits, 5.85 MB, relative squared error 0.0124, on the line",
      "W8A8: 9.20 bits, 9.20 MB, relative squared error 6.29e−5, on the line",
      "W4A8: 8.90 bits, 8.90 MB, relative squared error 0.0200, beaten by W4A16: 34 % smaller, 62 % of its error",
      "int4:group=100: 5.80 bits, 5.80 MB, cannot be exported: 2 matrices have a width that 128 does not divide",
    ]);
    expect(data.points.map(({ verdict }) => verdict)).toEqual([
      "on the line",
      "on the line",
      "on the line",
      "beaten by W4A16, 34 % smaller",
      "cannot be exported: 2 matrices have a width that 128 does not divide",
    ]);
    expect(data.points.map(({ isSelected }) => isSelected)).toEqual([false, true, false, false, false]);
    expect(example?.samples).toBe(160);
  });

  test("the beaten bear by whom, in the picture", () => {
    expect(data.points.map(({ note }) => note)).toEqual(["", "", "", "W4A16: 34 % smaller, 62 % of its error", ""]);
  });

  test("a foreign name keeps its escapes visible", () => {
    const shown = frontierView(sampleResult({ schemes: [scheme("a\u202Eb", 5, 0.1)] }), "").data.points[0];
    expect(shown).toMatchObject({ key: "a\u202Eb", name: "a\\u{202e}b" });
    expect(shown?.sentence).not.toContain("\u202E");
  });
});

test("the legend has the signs that occur, and no others", () => {
  const words = (schemes: readonly SchemeResult[]): readonly string[] =>
    frontierLegend(frontierView(sampleResult({ schemes }), "").data).map((item) => item.words);
  expect(words([scheme("W4A16", 5.85, 0.01)])).toEqual(["rounding"]);
  expect(words([...THREE, scheme("magnitude:2:4 | W4A16", 5.85, 0.2)])).toEqual([
    "rounding",
    "hollow: activations rounded too",
    "pruned",
    "stronger: more bits",
  ]);
  expect(words([scheme("W8A8@re:.*down_proj; W4A16", 7, 0.01)])).toContain("halves: several schemes");
  expect(words([scheme("W4A16", 5.85, null)])).toEqual(["not compared yet"]);
  expect(words([scheme("W4A16", 5.85, 0.01), scheme("int4:group=100", 5, 0.1, { error: ERROR })])).toEqual([
    "rounding",
    "cannot be exported",
  ]);
});

test("the example is a picture of five schemes", () => {
  const drawing = frontierChart.draw(FRONTIER_EXAMPLE, { width: 896, height: 240 }, MADE_THEME);
  expect(drawing.marks).toHaveLength(5);
});
