import { type KernelCase, kernelCase } from "../test-case.ts";
import { addRow } from "./add_row.ts";
import { compareFloats } from "./compare-floats.ts";
import { normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";

/** Around the edges of vectors, chunks of columns (32) and pieces (8192 numbers). */
const SHAPES = [
  { rows: 1, width: 1 },
  { rows: 1, width: 9000 },
  { rows: 3, width: 4 },
  { rows: 5, width: 33 },
  { rows: 70, width: 64 },
  { rows: 300, width: 68 },
  { rows: 67, width: 127 },
];

export const addRowCases: readonly KernelCase[] = SHAPES.map(({ rows, width }) =>
  kernelCase(addRow, {
    name: `adds a row of ${width} numbers to ${rows} rows`,
    source: {},
    shape: { rows, width },
    inputs: [normalWords(width, width), withSlack(streamRows(rows, width, rows))],
    outputWords: rows * width + SLACK_WORDS,
    // WGSL may round a sum either way; numbers below 2⁻¹²⁶ may count as 0.
    compare: compareFloats((index, sum) => (index < rows * width ? 2 ** -23 * Math.abs(sum) + 2 ** -125 : 0)),
  }),
);
