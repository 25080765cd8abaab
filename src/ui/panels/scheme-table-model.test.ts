import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { computed, measured } from "../../base/quantity.ts";
import { sampleMeasurement, windowsAround } from "../../engine/measure-result.cases.ts";
import { SAMPLE_AWQ, SAMPLE_GPTQ, sampleReport } from "../../engine/method-words.cases.ts";
import { sampleFit, sampleLayer, sampleResult, sampleScheme } from "./compare-result.cases.ts";
import {
  differingColumns,
  hiddenWords,
  nextSort,
  schemeTable,
  sortedRows,
  type TableSort,
} from "./scheme-table-model.ts";

const ERROR = new LabError({
  code: "safetensors/header-too-long",
  doing: "reading the header",
  found: "it is too long",
  allowed: "100 MB",
  advice: "download it again",
}).toData();

describe("the scheme table", () => {
  test("a unit that all share stands in the head, else beside each figure", () => {
    const table = schemeTable(sampleResult());
    const weights = table.columns.find((column) => column.name === "weights");
    expect(weights?.unit).toBe("kB");
    const file = table.columns.find((column) => column.name === "file");
    expect(file?.unit).toBe("");
    expect(file?.cells[0]).toEqual({ form: "figure", value: "2.000", unit: "MB", amount: 2_000_000 });
  });

  test("a measurement brings a column with its interval, found by the name of the recipe", () => {
    const rows = [
      { scheme: "W8A8", bytes: 1, kld: windowsAround(0.02) },
      { scheme: "W4A16", bytes: 1, kld: windowsAround(0.5), change: { method: "given" as const } },
      { scheme: "W4A16", bytes: 1, kld: windowsAround(0.033) },
    ];
    const columnOf = (measurement: ReturnType<typeof sampleMeasurement> | null) =>
      schemeTable(sampleResult(), measurement).columns.find(({ name }) => name === "mean KLD");
    const column = columnOf(sampleMeasurement(rows));
    expect(column).toMatchObject({ group: "divergence", unit: "nats, 95 %", best: "low" });
    expect(column?.example?.samples).toBe(2032);
    expect(column?.cells).toMatchObject([
      { form: "none" },
      { form: "figure", value: "0.0330", amount: 0.033 },
      { form: "figure", value: "0.0200" },
    ]);
    expect(column?.cells[1]).toHaveProperty("unit", expect.stringMatching(/^0\.03\d … 0\.03\d$/));
    expect(columnOf(null)).toBeUndefined();
    const waiting = sampleMeasurement([{ scheme: "W8A8", bytes: 1, kld: [] }], { finished: false });
    expect(columnOf(waiting)?.cells.map(({ form }) => form)).toEqual(["none", "none", "waiting"]);
  });

  test("what is not measured yet waits; it is no dash and no zero", () => {
    const open = sampleScheme("W4A16", 19);
    const { relativeMse: _, ...waiting } = open;
    const table = schemeTable(sampleResult({ finished: false, outcome: "partial", schemes: [waiting] }));
    const column = table.columns.find((candidate) => candidate.name === "relative MSE");
    expect(column?.cells.map((cell) => cell.form)).toEqual(["none", "waiting"]);
  });

  test("a refused scheme leaves the other rows standing", () => {
    const table = schemeTable(
      sampleResult({ schemes: [sampleScheme("W4A16", 19, 0.1, { error: ERROR }), sampleScheme("W8A8", 42)] }),
    );
    expect(table.rows.map((row) => row.failure !== null)).toEqual([false, true, false]);
    expect(table.caption.strong).toBe("1 of 2 schemes cannot be exported as they are.");
  });

  test("says who fits", () => {
    expect(schemeTable(sampleResult()).caption.strong).toBe("All of them fit on one L4 24 GB.");
    const tight = sampleResult({ original: { fit: sampleFit({ fits: false }) } });
    expect(schemeTable(tight).caption.strong).toBe("The original does not fit on one L4 24 GB; W4A16 and W8A8 do.");
    const many = [2, 3, 4, 5, 6].map((bits) => sampleScheme(`W${bits}A16`, 6 * bits));
    expect(schemeTable({ ...tight, schemes: many }).caption.strong).toMatch(/; W2A16, W3A16, W4A16 and 2 more do\.$/);
  });

  test("what is only pruned has a dash for its quantized bits, and the others keep theirs", () => {
    const { quantizedBitsPerWeight: _, ...pruned } = sampleScheme("magnitude:0.5 | none", 9);
    const table = schemeTable(sampleResult({ schemes: [pruned, sampleScheme("W4A16", 19)] }));
    const column = table.columns.find((candidate) => candidate.name === "quantized");
    expect(column?.cells.map((cell) => cell.form)).toEqual(["none", "none", "figure"]);
    expect(column?.example).toBeDefined();
  });

  test("a note that concerns several rows stands once, and each of them points at it", () => {
    const dense = { code: "a", severity: "info", text: "Dense with zeros." } as const;
    const other = { code: "b", severity: "warning", text: "Mind the order." } as const;
    const schemes = [
      sampleScheme("magnitude:2:4 | W4A16", 9, 0.1, { notices: [dense] }),
      sampleScheme("W4A16", 19),
      sampleScheme("magnitude:0.5 | W8A8@re:.*a; W4A16", 9, 0.1, { notices: [other, dense] }),
    ];
    const table = schemeTable(sampleResult({ schemes }));
    expect(table.notes.map((note) => note.text)).toEqual(["Dense with zeros.", "Mind the order."]);
    expect(table.rows.map((row) => row.notes)).toEqual([[], [1], [], [1, 2]]);
  });

  test("a scheme that rounds activations says where their error comes from", () => {
    const [, weights, activations] = schemeTable(sampleResult()).rows;
    expect(weights?.description).toBe("int4, symmetric, groups of 128");
    expect(activations?.description).toContain("that error comes with a measurement over text");
    const measured = sampleMeasurement([{ scheme: "W4A16", bytes: 1, kld: windowsAround(0.1) }]);
    const said = (divergence: typeof measured) => schemeTable(sampleResult(), divergence).rows[2]?.description;
    expect(said(measured)).toContain("in the mean KLD, not in the error of the weights");
    const alone = { ...measured, roundings: { ...measured.roundings, activations: false } };
    expect(said(alone)).toContain("activations are rounded too when it is served: not in these figures");
    expect(schemeTable(sampleResult(), alone).caption.plain).toMatch(/ Mean KLD: weights rounded\.$/);
  });
});

describe("the columns of the scheme table", () => {
  const mega = (bytes: number) => ({ fileBytes: computed(bytes, "bytes", "layout") });
  const one = (mse: number) => ({ layers: [sampleLayer(0, "q_proj", 20, { meanSquare: 1, mse })], modules: 1 });
  const W10 = sampleScheme("W10A16", 60, 0.1, { ...mega(900_000), ...one(1e-4) });
  const W4 = sampleScheme("W4A16", 19, 0.1, { ...mega(2_685_984), ...one(0.012) });
  const W8 = sampleScheme("W8A8", 42, 0.1, { ...mega(4_226_552), ...one(6e-5) });
  const refused = sampleScheme("int4:group=100", 30, 0.1, { ...mega(1_500_000), ...one(0.001), error: ERROR });
  const table = schemeTable(sampleResult({ schemes: [W4, refused, W8, W10] }));
  const orderBy = (column: string, direction: TableSort["direction"]): readonly (string | undefined)[] =>
    sortedRows(table, { column, direction }).map((row) => table.rows[row]?.name);

  test("are sorted by value and not by what is written, kB before MB; the original stays first", () => {
    expect(orderBy("file", "ascending")).toEqual(["original, bf16", "W10A16", "int4:group=100", "W4A16", "W8A8"]);
    expect(orderBy("file", "descending")).toEqual(["original, bf16", "W8A8", "W4A16", "int4:group=100", "W10A16"]);
  });

  test("have what has no figure last, whichever way they are sorted", () => {
    const last = (direction: TableSort["direction"]) => orderBy("signal over error", direction).at(-1);
    expect([last("ascending"), last("descending")]).toEqual(["int4:group=100", "int4:group=100"]);
    expect(orderBy("signal over error", "descending")[1]).toBe("W10A16");
  });

  test("keep the order given among equals, and where nothing is sorted", () => {
    const given = ["original, bf16", "W4A16", "int4:group=100", "W8A8", "W10A16"];
    expect(orderBy("fits", "ascending")).toEqual(["original, bf16", "W4A16", "W8A8", "W10A16", "int4:group=100"]);
    expect(sortedRows(table, null).map((row) => table.rows[row]?.name)).toEqual(given);
    expect(orderBy("gone", "ascending")).toEqual(given);
  });

  test("are sorted by name with its numbers as numbers", () => {
    expect(orderBy("scheme", "ascending").slice(1)).toEqual(["int4:group=100", "W4A16", "W8A8", "W10A16"]);
  });

  test("show the best first, then the worst, then the order given", () => {
    const presses = (name: string): readonly (TableSort | null)[] => {
      const first = nextSort(table, null, name);
      const second = nextSort(table, first, name);
      return [first, second, nextSort(table, second, name)];
    };
    expect(presses("file").map((sort) => sort?.direction)).toEqual(["ascending", "descending", undefined]);
    expect(presses("free").map((sort) => sort?.direction)).toEqual(["descending", "ascending", undefined]);
    expect(nextSort(table, { column: "file", direction: "ascending" }, "scheme")).toEqual({
      column: "scheme",
      direction: "ascending",
    });
  });

  test("hide where every row reads the same, but not what waits or stands beside a failure", () => {
    expect(differingColumns(table).map((column) => column.name)).toEqual([
      "file",
      "smaller",
      "whole file",
      "quantized",
      "relative MSE",
      "signal over error",
      "largest error",
      "verdict",
    ]);
    const { relativeMse: _, ...open } = W4;
    const waiting = schemeTable(sampleResult({ finished: false, schemes: [{ ...open, layers: [] }] }));
    const names = differingColumns(waiting).map((column) => column.name);
    expect(names).toEqual(expect.arrayContaining(["relative MSE", "verdict"]));
    expect([hiddenWords(0), hiddenWords(1)]).toEqual([
      "every column differs",
      "1 column hidden, the same in every row",
    ]);
  });

  test("say who is on the line and who is beaten by whom", () => {
    const verdicts = (schemes: readonly (typeof W4)[], finished = true) =>
      schemeTable(sampleResult({ schemes, finished })).columns.find((column) => column.name === "verdict");
    const words = verdicts([W4, W8, W10])?.cells.map((cell) => (cell.form === "words" ? cell.text : cell.form));
    expect(words).toEqual(["none", "beaten by W10A16, 66 % smaller", "on the line", "on the line"]);
    const copy = { ...W8, scheme: "INT8" };
    expect(verdicts([W8, copy])?.cells.at(-1)).toEqual({ form: "words", text: "≈ W8A8", amount: 1 });
    expect(
      verdicts(
        [
          { ...W4, layers: [] },
          { ...W8, layers: [] },
        ],
        false,
      )?.cells.map((cell) => cell.form),
    ).toEqual(["none", "waiting", "waiting"]);
    expect(verdicts([refused])?.cells.at(-1)).toEqual({ form: "none" });
    expect(verdicts([W4])?.about).toMatch(
      /^Computed: a scheme is on the line unless a file that is no larger errs less/,
    );
  });
});

describe("the notes of a method", () => {
  const plain = sampleScheme("W4A16", 19);
  const row = (scheme: string, relativeMse: number, stages: Parameters<typeof sampleReport>[0]) =>
    sampleScheme(scheme, 16, 0.1, {
      ...{ method: scheme.split(" |")[0] ?? "", methodRun: sampleReport(stages) },
      relativeMse: measured(relativeMse, "ratio", 640),
    });
  const notes = (...schemes: ReturnType<typeof row>[]) =>
    schemeTable(sampleResult({ schemes })).notes.map(({ text }) => text);

  test("say why GPTQ errs more on the weights, and what it gains at the outputs", () => {
    expect(notes(plain, row("gptq | W4A16", 0.03, [SAMPLE_GPTQ]))).toEqual([
      "The weights err more than under W4A16: GPTQ moves errors on purpose, look at the outputs. GPTQ: outputs' error × 0.570 of that of plain rounding, 3 matrices; in 1.89 s. Calibrated on made: 4 windows, 1\u2009024 tokens.",
    ]);
  });

  test("do not say it where it errs less, or where plain rounding is no row", () => {
    expect(notes(plain, row("gptq | W4A16", 0.01, [SAMPLE_GPTQ]))[0]).toMatch(/^GPTQ: outputs' error/);
    expect(notes(row("gptq | W4A16", 0.03, [SAMPLE_GPTQ]))[0]).toMatch(/^GPTQ: outputs' error/);
  });

  test("say of smoothed weights that they are others", () => {
    expect(notes(plain, row("awq | W4A16", 0.03, [SAMPLE_AWQ]))[0]).toMatch(/^Its errors are of the smoothed weights/);
    expect(notes(plain)).toEqual([]);
  });
});
