import { expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { sampleMeasurement, windowsAround } from "../../engine/measure-result.cases.ts";
import { frontierTable } from "../charts/frontier-words.ts";
import { divergenceView } from "./scheme-frontier-model.ts";

const ERROR = new LabError({
  code: "scheme/x",
  doing: "a",
  found: "no group fits",
  allowed: "c",
  advice: "d",
}).toData();
const row = (scheme: string, bytes: number, kld: readonly number[], change = {}) => ({ scheme, bytes, kld, change });

test("all on the line, settled", () => {
  const { data, example } = divergenceView(sampleMeasurement(), "W4A16");
  expect(data.caption).toEqual({
    strong: "All 3 are on the line: each larger file diverges less.",
    plain: "The order is settled on 16 windows.",
  });
  expect(example?.samples).toBe(2032);
  expect(data.points.map(({ isSelected }) => isSelected)).toEqual([false, true, false]);
  const [first] = data.points;
  expect(first?.interval?.high).toBeGreaterThan(0.15);
  expect(first?.cap).toBeCloseTo(0.9, 10);
  expect(data.floor).toMatchObject({ words: "noise floor, bf16 arithmetic: 1.00e−4" });
});

test("names who is beaten and who is alike", () => {
  const { data } = divergenceView(
    sampleMeasurement([
      row("A", 100, windowsAround(0.1)),
      row("B", 125, windowsAround(0.2)),
      row("C", 126, [...windowsAround(0.1005, 16, 0.5)].reverse()),
      row("D", 200, windowsAround(0.01)),
    ]),
    "A",
  );
  expect(data.caption.strong).toBe("2 of 4 are on the line; on the grey, a file no larger diverges less or as little.");
  expect(data.caption.plain).toContain("B is beaten by A: 20 % smaller, 50 % of its KLD. C ≈ A. The order");
  expect(data.points.map(({ note }) => note)).toEqual(["", "", "≈ A", ""]);
});

test("while it grows says how far it is, and each point says so far", () => {
  const result = sampleMeasurement(undefined, { finished: false });
  const { data } = divergenceView({ ...result, text: { ...result.text, windows: 32 } }, "");
  expect(data.caption.strong).toBe("16 of 32 windows: points and whiskers still move.");
  expect(data.points.every(({ isPartial, sentence }) => isPartial && sentence.endsWith("so far"))).toBe(true);
});

test("before the first window every point waits; a refused one says why; a given one has the look of the original", () => {
  const waiting = divergenceView(sampleMeasurement([row("A", 1, [])], { finished: false }), "");
  expect(waiting.data.caption.strong).toBe("Sizes are exact, divergences not known yet.");
  expect(waiting.data.points[0]).toMatchObject({ place: "waiting", error: null });
  expect(waiting.data.floor).toBeNull();
  const { data } = divergenceView(
    sampleMeasurement([
      row("W4A16", 1e6, windowsAround(0.1), { error: ERROR }),
      row("W8A16", 2e6, windowsAround(5e-5), { method: "given" }),
    ]),
    "",
  );
  expect(data.points[0]).toMatchObject({ hasFailed: true, verdict: "cannot be exported: no group fits" });
  expect(data.points[0]?.sentence).toMatch(/cannot be exported: no group fits$/);
  expect(data.points[1]?.look.fills[0]?.family).toBe("orig");
  expect(data.points[1]?.sentence).toMatch(
    /mean KLD 5\.00e−5, .* at 95 %, 99 % of positions below .*, below the noise floor, on the line$/,
  );
  expect(data.caption.strong).toBe("W8A16 alone is on the line.");
});

test("the table twin has the interval, the cap and the noise floor", () => {
  const { columns, rows } = frontierTable(divergenceView(sampleMeasurement(), "").data);
  expect(columns.map(({ name }) => name)).toEqual([
    "scheme",
    "whole file",
    "file",
    "mean KLD",
    "95 % from",
    "95 % to",
    "99 % of positions below",
    "verdict",
  ]);
  expect(rows.map((cells) => cells.length)).toEqual([8, 8, 8, 8, 8]);
  expect(rows[1]?.[6]?.text).toBe("0.900");
  expect(
    rows
      .at(-1)
      ?.map(({ text }) => text)
      .slice(0, 4),
  ).toEqual(["noise floor, bf16 arithmetic: 1.00e−4", "–", "–", "1.00e−4"]);
});
