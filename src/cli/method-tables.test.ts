import { expect, test } from "vitest";
import { SAMPLE_AWQ, SAMPLE_GAINS, SAMPLE_GPTQ, sampleMethods, sampleReport } from "../engine/method-words.cases.ts";
import { gainsText, methodsText } from "./method-tables.ts";

/** The cells of a printed table. */
const cells = (text = ""): readonly (readonly string[])[] =>
  text.split("\n").map((line) => line.trim().split(/\s{2,}/));

test("methods are listed pass by pass: what they came to, where they fell back, how long they took", () => {
  const methodRun = sampleReport([SAMPLE_AWQ, SAMPLE_GPTQ]);
  const rows = [
    { scheme: "W4A16", methodRun: null },
    { scheme: "awq+gptq | W4A16", methodRun },
  ];
  const [text, ...rest] = methodsText(rows);
  expect(rest).toEqual([]);
  expect(text?.split("\n")[0]).toBe("calibrated on made: 4 windows, 1\u2009024 tokens");
  expect(cells(text).slice(2)).toEqual([
    ["awq+gptq | W4A16", "AWQ", "–", "–", "0", "0", "2 of 4", "7.35 s"],
    ["awq+gptq | W4A16", "GPTQ", "0.570", "3", "1", "1", "–", "1.89 s"],
  ]);
  expect(methodsText(rows.slice(0, 1))).toEqual([]);
});

test("gains stand with their interval and verdict, what loses marked", () => {
  const { rows } = sampleMethods();
  const changed = rows.map((row) => (row.gain?.verdict === "wins" ? { ...row, gain: SAMPLE_GAINS.loses } : row));
  expect(cells(gainsText(changed)[0]).slice(1)).toEqual([
    ["gptq | W4A16", "W4A16", "−0.0100", "−0.0120 … −0.00800", "−30.0 %", "loses !"],
    ["awq | W4A16", "W4A16", "−0.00100", "−0.00300 … 0.00100", "−3.00 %", "open"],
  ]);
  const alone = rows.map((row) => ({ ...row, gain: row.gain && SAMPLE_GAINS.alone }));
  expect(gainsText(alone)[0]).toContain("one window");
  expect(gainsText(rows.map((row) => ({ ...row, gain: null })))).toEqual([]);
});
