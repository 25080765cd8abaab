import { expect, test } from "vitest";
import { emptyScores } from "../metrics/token-scores.ts";
import type { MeasuredTokens } from "./measure-result.ts";
import { wordIds, wordLines } from "./word-lines.ts";

const WINDOWS = [
  [5, 6, 7, 8],
  [9, 5, 6, 7],
];

const SCORES = {
  ...emptyScores(2),
  kld: Float64Array.of(0.5, Number.NaN),
  deltaP: Float64Array.of(-0.25, Number.NaN),
  topBase: Uint32Array.of(8, 1),
  top: Uint32Array.of(2, 1),
  pTopBase: Float64Array.of(0.75, Number.NaN),
  pTop: Float64Array.of(0.5, Number.NaN),
  sameTop: Uint8Array.of(0, 0),
  notFinite: 1,
};

const MEASURED: MeasuredTokens = {
  doneWindows: 2,
  windows: Uint32Array.of(0, 1),
  places: Uint32Array.of(2, 2),
  rows: [{ scheme: "W4A16", scores: SCORES }],
};

test("every id of the text and of the most likely tokens is named once", () => {
  expect(wordIds(MEASURED, WINDOWS)).toEqual([1, 2, 5, 6, 7, 8, 9]);
});

test("a line tells which token came next, what both models would have said, and how far they are apart", () => {
  const pieces = wordIds(MEASURED, WINDOWS).map((id) => `t${id}`);
  const [first, second, end] = wordLines(MEASURED, WINDOWS, pieces).split("\n");
  expect(JSON.parse(first ?? "")).toEqual({
    ...{ scheme: "W4A16", window: 0, position: 2, token: 8, text: "t8", kld: 0.5, nllBase: 0, nll: 0, deltaP: -0.25 },
    before: { token: 8, text: "t8", p: 0.75 },
    after: { token: 2, text: "t2", p: 0.5 },
    flipped: true,
  });
  expect(JSON.parse(second ?? "")).toMatchObject({ window: 1, token: 7, kld: null, deltaP: null, flipped: false });
  expect(end).toBe("");
});
