import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChartTable, figure, words } from "./chart.ts";
import { toCsv, toMarkdown } from "./table-text.ts";

const TABLE: ChartTable = {
  columns: [
    { name: "scheme", unit: "" },
    { name: "error", unit: "dB" },
  ],
  rows: [
    [words('a "quoted", name'), figure(19.1234567, (value) => value.toFixed(1))],
    [words("=1+1"), figure(null, String)],
    [words("two\nlines | and a bar"), figure(Number.POSITIVE_INFINITY, () => "∞")],
  ],
};

test("a file has units in its head, whole numbers, and nothing that a spreadsheet would run", () => {
  expect(toCsv(TABLE)).toBe(
    'scheme,error (dB)\r\n"a ""quoted"", name",19.1234567\r\n\'=1+1,\r\n"two\nlines | and a bar",\r\n',
  );
});

test("Markdown has the words as people read them", () => {
  expect(toMarkdown({ strong: "One.", plain: "Two." }, TABLE).split("\n")).toEqual([
    "__One.__ Two.",
    "",
    "| scheme | error, dB |",
    "| --- | ---: |",
    '| a "quoted", name | 19.1 |',
    "| =1+1 | – |",
    "| two lines \\| and a bar | ∞ |",
    "",
  ]);
});

/** A reader of RFC 4180, to read back what was written. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let field = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        field += text[at];
        if (text[at] === '"') at++;
      }
    } else if (text[at] === ",") {
      rows.at(-1)?.push(field);
      field = "";
    } else if (text.startsWith("\r\n", at)) {
      rows.at(-1)?.push(field);
      field = "";
      rows.push([]);
      at++;
    } else field += text[at];
  }
  return rows.slice(0, -1);
}

describe("whatever the texts and numbers", () => {
  test("a file is read back as it was written", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.double())), (rows) => {
        const table: ChartTable = {
          columns: TABLE.columns,
          rows: rows.map(([text, value]) => [words(text), figure(value, String)]),
        };
        const [, ...read] = readCsv(toCsv(table));
        const safe = rows.map(([text]) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text));
        expect(read.map(([text]) => text)).toEqual(safe);
        const numbers = read.map(([, value]) => (value === "" ? null : Number(value)));
        expect(numbers).toEqual(rows.map(([, value]) => (Number.isFinite(value) ? Number(String(value)) : null)));
      }),
    );
  });
});
