import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { sampleMeasurement, windowsAround } from "../../engine/measure-result.cases.ts";
import type { MeasureRow } from "../../engine/measure-result.ts";
import { SAMPLE_GAINS, sampleMethods } from "../../engine/method-words.cases.ts";
import { WHOLE_PRESET } from "../../engine/roundings.ts";
import { toCsv } from "../charts/table-text.ts";
import { exampleTable, statisticsCsvTable, statisticsTable, statisticsText } from "./divergence-table-model.ts";

const result = sampleMeasurement();

test("a column a scheme and one for the noise floor, llama.cpp's lines in three parts, the parts of the text below", () => {
  const { columns, sections } = statisticsTable(result);
  expect(columns.map(({ name, scheme }) => [name, scheme])).toEqual([
    ["W3A16", "W3A16"],
    ["W4A16", "W4A16"],
    ["W8A16", "W8A16"],
    ["noise floor, bf16", null],
  ]);
  expect(sections.map(({ title, rows }) => [title, rows.length])).toEqual([
    ["Perplexity statistics", 6],
    ["KL divergence statistics", 12],
    ["Token probability statistics", 16],
    ["Mean KLD by part of the text, 95 % by windows", 2],
  ]);
  const mean = sections[1]?.rows[0];
  expect(mean).toMatchObject({ label: "Mean KLD", unit: "nats" });
  expect(mean?.cells[1]).toEqual({ value: "0.0330000", spread: "± 0.00165" });
  expect(sections[1]?.rows[1]?.cells[0]?.spread).toBe("");
  expect(sections[2]?.rows[0]?.unit).toBe("%");
  expect(sections[3]?.rows.map(({ label }) => label)).toEqual([
    "scripture, 2\u2009032 positions",
    "late in a window, 1\u2009016 positions",
  ]);
});

test("the caption answers with the best and the worst, and says on what it stands", () => {
  expect(statisticsTable(result).caption).toEqual({
    strong: "The most likely token stays the same under W8A16 at 99.0 % of positions, under W3A16 at 84.0 %.",
    plain:
      "Weights rounded. 2\u2009032 positions, the second half of each of 16 windows; KLD in nats, Δp in percent; ± is one standard error, as llama.cpp gives it.",
  });
  const text = { ...result.text, windows: 32 };
  expect(statisticsTable({ ...result, finished: false, text }).caption.plain).toContain("16 of 32 windows so far");
  const one = sampleMeasurement([{ scheme: "W4A16", bytes: 1, kld: windowsAround(0.03) }]);
  expect(statisticsTable(one).caption.strong).toBe(
    "The most likely token stays the same under W4A16 at 96.0 % of positions.",
  );
});

test("a row without figures has dashes beside those that have some, and says what it leaves out", () => {
  const error = new LabError({
    code: "scheme/x",
    doing: "a",
    found: "no group fits",
    allowed: "c",
    advice: "d",
  }).toData();
  const rows = [
    { scheme: "W8A8", bytes: 1, kld: windowsAround(0.03), change: { divergence: null } },
    { scheme: "W4A16", bytes: 1, kld: windowsAround(0.03), change: { error } },
    { scheme: "elsewhere", bytes: 1, kld: windowsAround(0.03), change: { method: "given" as const } },
  ];
  const roundings = { ...WHOLE_PRESET, activations: false };
  const { columns, sections } = statisticsTable(sampleMeasurement(rows, { roundings }));
  expect(columns.map(({ note }) => note)).toEqual([
    "activations are rounded too when it is served: not in these figures",
    ...["no group fits.", "", ""],
  ]);
  expect(columns[2]?.scheme).toBeNull();
  expect(sections[1]?.rows[0]?.cells.map((cell) => cell === null)).toEqual([true, false, false, false]);
  const nothing = statisticsTable(sampleMeasurement([{ scheme: "W4A16", bytes: 1, kld: [] }]));
  expect(nothing.sections.every(({ rows: own }) => own.length === 0)).toBe(true);
  expect(nothing.caption.strong).toBe("No figure yet.");
});

describe("a measurement that rounds more than weights", () => {
  const simulated = sampleMeasurement().rows[1]?.divergence;
  if (!simulated) throw new Error("no divergence");
  const words = ["KV cache: int 8 bit per tensor, static", "inputs: int 8 bit per token, dynamic"];
  const row = (own: readonly string[], served: MeasureRow["served"] = null) => ({
    divergence: { ...simulated, activationQuantization: own },
    served,
  });
  const served = {
    divergence: { ...simulated, kld: { value: 0.031, uncertainty: 0.0015 } },
    difference: { value: -0.002, interval: { low: -0.003, high: -0.001 } },
    evidence: "read, not run",
  };
  const kld = windowsAround(0.033);
  const mixed = sampleMeasurement(
    [
      { scheme: "W4A16", bytes: 1, kld, change: row(words.slice(0, 1)) },
      { scheme: "W8A8", bytes: 1, kld, change: row(words, served) },
    ],
    {
      roundings: { weights: true, activations: true, kvCache: "int8:tensor" },
      calibration: { name: "calibration: 64 windows", hash: "", windows: 64 },
    },
  );

  test("says of each column what not all of them round, and of all of them the rest", () => {
    const { columns, caption } = statisticsTable(mixed);
    expect(columns.map(({ note }) => note)).toEqual(["", "inputs: int 8 bit per token, dynamic", ""]);
    expect(caption.plain).toMatch(
      /^Weights rounded, activations where the scheme says so; keys and values int8 per tensor, static \(static_minmax\); ranges from calibration: 64 windows\. /,
    );
  });

  test("has what serving does beneath what is simulated, with the difference and whence it is known", () => {
    const rows = statisticsTable(mixed).sections[1]?.rows ?? [];
    expect(rows.slice(0, 3).map(({ label }) => label)).toEqual([
      "Mean KLD",
      "as served (vLLM)",
      "served − simulated, 95 %",
    ]);
    expect(rows[1]?.cells).toEqual([null, { value: "0.0310000", spread: "± 0.00150" }, null]);
    expect(rows[2]?.cells[1]).toEqual({ value: "−0.00200", spread: "−0.0030 … −0.0010" });
    expect(rows[1]?.about).toContain("read, not run");
    expect(statisticsTable(result).sections[1]?.rows[1]?.label).not.toBe("as served (vLLM)");
    const csv = toCsv(statisticsCsvTable(mixed)).split("\r\n");
    expect(csv).toContain('"Mean KLD, as served (vLLM)",nats,,,0.031,0.0015,,');
    expect(csv).toContain('"Mean KLD, served − simulated, 95 %",nats,,,-0.002,,,');
  });

  test("rows of the original's figures alone wait without a number", () => {
    const waiting = { divergence: null, difference: null, evidence: "read, not run" };
    const rows = [{ scheme: "W8A8", bytes: 1, kld, change: row([], waiting) }];
    const [mean, own, difference] = statisticsTable(sampleMeasurement(rows)).sections[1]?.rows ?? [];
    expect([mean?.cells[0] === null, own?.cells[0], difference?.cells[0]]).toEqual([false, null, null]);
  });
});

test("CSV has the value and its ± of each model, unrounded", () => {
  const lines = toCsv(statisticsCsvTable(result)).split("\r\n");
  expect(lines[0]).toBe(
    'statistic,unit,W3A16,W3A16 ±,W4A16,W4A16 ±,W8A16,W8A16 ±,"noise floor, bf16","noise floor, bf16 ±"',
  );
  const mean = lines.find((line) => line.startsWith("Mean KLD,nats"))?.split(",") ?? [];
  expect(Number(mean[4])).toBe(result.rows[1]?.divergence?.kld.value);
  expect(lines).toHaveLength(1 + 34 + 2 + 1);
});

test("the text is llama.cpp's, one model after the other, each named", () => {
  const text = statisticsText(result);
  expect(text.match(/====== KL divergence statistics ======/g)).toHaveLength(4);
  expect(text).toMatch(/^W3A16, tiny on scripture: 16 windows\n\n====== Perplexity statistics ======\nMean PPL\(Q\)/);
});

test("the example waits for the asked recipes, or stands for two", () => {
  expect(exampleTable(null).columns.map(({ name }) => name)).toEqual(["W4A16", "W8A16"]);
  const waiting = exampleTable(["W2A16"]);
  expect(waiting.columns.map(({ name }) => name)).toEqual(["W2A16"]);
  expect(waiting.sections[0]?.rows.every(({ cells }) => cells[0] === null)).toBe(true);
});

describe("what methods buy", () => {
  const methods = sampleMethods();
  const lines = (change: (typeof SAMPLE_GAINS)["loses"] | null) => {
    const rows = methods.rows.map((row) => (row.gain?.verdict === "wins" && change ? { ...row, gain: change } : row));
    return statisticsTable({ ...methods, rows }).sections[1]?.rows.slice(0, 3) ?? [];
  };

  test("stands beneath the mean, with interval and verdict, a dash where there is no method", () => {
    const [mean, difference, share] = lines(null);
    expect(mean?.label).toBe("Mean KLD");
    expect(difference?.cells).toEqual([
      null,
      { value: "0.0100", spread: "0.0080 … 0.012" },
      { value: "−0.00100", spread: "−0.0030 … 0.0010" },
      null,
      null,
    ]);
    expect(share?.cells.map((cell) => cell && [cell.value, cell.spread, cell.isAlarm])).toEqual([
      null,
      ["30.0", "wins", false],
      ["−3.00", "open", false],
      null,
      null,
    ]);
  });

  test("alarms where it loses, and where it is open does not", () => {
    expect(lines(SAMPLE_GAINS.loses)[2]?.cells.map((cell) => cell?.isAlarm)).toEqual([
      undefined,
      true,
      false,
      undefined,
      undefined,
    ]);
  });

  test("is in the file for a spreadsheet, both ends of the interval too; and not at all without a method", () => {
    const csv = toCsv(statisticsCsvTable(methods));
    expect(csv).toContain("plain − with method,nats,,,0.01,,-0.001,");
    expect(csv).toContain("low end at 95 %,nats,,,0.008,");
    expect(csv).toContain("share of plain's mean KLD,,,,0.3,");
    expect(toCsv(statisticsCsvTable(result))).not.toContain("plain");
    expect(statisticsTable(result).sections[1]?.rows[1]?.label).toBe("Maximum KLD");
  });
});
