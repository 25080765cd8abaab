import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryOutput } from "../../tests/support/memory-output.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import type { LineRun } from "./shrink.ts";
import { ReusedReader } from "./tiles.ts";
import { writeShrunk } from "./write-shrunk.ts";

const DTYPES = { F32: 4, BF16: 2, I8: 1 } as const;

/** Runs of the lines that are kept. */
function runsOf(kept: readonly boolean[]): readonly LineRun[] {
  const runs: LineRun[] = [];
  for (const [line, stays] of kept.entries()) {
    const last = runs.at(-1);
    if (!stays) continue;
    if (last?.end === line) runs[runs.length - 1] = { start: last.start, end: line + 1 };
    else runs.push({ start: line, end: line + 1 });
  }
  return runs;
}

/** Writes a tensor of counted bytes, and gives what stands in the file behind `start`, and what was told. */
async function written(
  dtype: keyof typeof DTYPES,
  shape: readonly number[],
  rows: readonly boolean[] | null,
  columns: readonly boolean[] | null,
) {
  const size = shape.reduce((product, length) => product * length, DTYPES[dtype]);
  const [before, start] = [5, 3];
  const file = Uint8Array.from({ length: before + size }, (_, at) => (at * 31 + (at >>> 8)) & 0xff);
  const tensor = { name: "t", dtype, shape, shard: 0, start: before, end: before + size };
  const [keptRows, keptColumns] = [rows && runsOf(rows), columns && runsOf(columns)];
  const output = createMemoryOutput();
  const target = await output.create("out", start + size);
  let told = 0;
  const advance = (bytes: number) => {
    told += bytes;
  };
  const source = createBufferSource("in", file);
  const shrunk = { tensor, name: "t", shape, sizeBytes: 0, rows: keptRows, columns: keptColumns };
  await writeShrunk(shrunk, source, new ReusedReader(), { file: target, start, advance });
  const [, width = 1] = shape;
  const expected = file.slice(before).filter((_, at) => {
    const element = Math.floor(at / DTYPES[dtype]);
    return (rows?.[Math.floor(element / width)] ?? true) && (columns?.[element % width] ?? true);
  });
  return { found: output.files.get("out")?.slice(start, start + told), told, expected };
}

test("what is written is the rows and columns that stay, element by element", async () => {
  const lines = fc.array(fc.boolean(), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("F32", "BF16", "I8"),
      lines,
      lines,
      fc.boolean(),
      fc.boolean(),
      async (dtype, rows, columns, cutsRows, cutsColumns) => {
        const shape = [rows.length, columns.length];
        const own = await written(dtype, shape, cutsRows ? rows : null, cutsColumns ? columns : null);
        expect(own.told).toBe(own.expected.length);
        expect(own.found).toEqual(own.expected);
      },
    ),
  );
});

test("a bias is cut like the rows that it belongs to", async () => {
  const own = await written("BF16", [6], [true, false, false, true, true, false], null);
  expect(own.found).toEqual(own.expected);
  expect(own.told).toBe(6);
});

test("a tensor of more than one tile is cut across its border", async () => {
  const rows = Array.from({ length: 3000 }, (_, row) => row % 3 !== 1);
  const columns = Array.from({ length: 1024 }, (_, column) => column % 5 !== 2);
  for (const [ownRows, ownColumns] of [
    [rows, null],
    [null, columns],
    [null, null],
  ] as const) {
    const own = await written("BF16", [3000, 1024], ownRows, ownColumns);
    expect(own.told).toBe(own.expected.length);
    expect(Buffer.from(own.found ?? []).equals(own.expected)).toBe(true);
  }
});
