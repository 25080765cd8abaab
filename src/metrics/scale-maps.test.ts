import fc from "fast-check";
import { expect, test } from "vitest";
import { BF16, F16, F32, type FloatFormat } from "../base/float-format.ts";
import { SeededRandom } from "../base/random.ts";
import { ScaleSums } from "./scale-maps.ts";

const LIMITS = { rows: 5, columns: 4 };

/** Scales and codes of a matrix of `rows` × `columns` groups. */
function made(rows: number, columns: number, groupSize: number, bits: number, format: FloatFormat, seed: number) {
  const random = new SeededRandom(seed);
  const scaleBits = Array.from({ length: rows * columns }, () =>
    format.toBits(Math.abs(random.nextNormal()) * 2 ** (-8 * random.nextUniform())),
  );
  const codes = Uint8Array.from({ length: rows * columns * groupSize }, () =>
    Math.floor(random.nextUniform() ** 2 * 2 ** bits),
  );
  return { scaleBits, codes };
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1];

test.each([BF16, F16, F32])("$name: maps, extremes and medians are what their definition says", (format) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      (rows, columns, groupSize, bits, tileRows, seed) => {
        const { scaleBits, codes } = made(rows, columns, groupSize, bits, format, seed);
        const sums = new ScaleSums({ rows, columns, groupSize, bits, format }, LIMITS);
        const tiles = Array.from({ length: Math.ceil(rows / tileRows) }, (_, tile) => tile * tileRows * columns);
        const tileOf = (first: number) => scaleBits.slice(first, first + tileRows * columns);
        for (const first of tiles) {
          const end = (first + tileRows * columns) * groupSize;
          sums.add(first, tileOf(first), codes.subarray(first * groupSize, end), groupSize);
        }
        if (sums.needsSecondLook) for (const first of tiles) sums.lookAgain(tileOf(first));
        const scales = scaleBits.map((own) => format.fromBits(own));
        const used = scales.map((_, group) => new Set(codes.subarray(group * groupSize, (group + 1) * groupSize)).size);
        const map = sums.map();
        expect(map).toMatchObject({
          levels: 2 ** bits,
          groupSize,
          groups: rows * columns,
          smallest: Math.min(...scales),
          median: middle(scales),
          largest: Math.max(...scales),
          fewestLevels: Math.min(...used),
          fullGroups: used.filter((count) => count === 2 ** bits).length,
          medianLevels: middle(used),
        });
        const { rowsPerCell, columnsPerCell } = map.scales;
        const cells = new Map<number, number[]>();
        for (const group of scales.keys()) {
          const [row, column] = [Math.floor(group / columns), group % columns];
          const cell = Math.floor(row / rowsPerCell) * map.scales.columns + Math.floor(column / columnsPerCell);
          cells.set(cell, [...(cells.get(cell) ?? []), group]);
        }
        expect(map.scales.values).toHaveLength(cells.size);
        for (const [cell, groups] of cells) {
          expect(map.scales.values[cell]).toBe(Math.max(...groups.map((group) => scales[group] ?? 0)));
          expect(map.usedLevels.values[cell]).toBe(Math.min(...groups.map((group) => used[group] ?? 0)));
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("the one group of a matrix may come in pieces", () => {
  const sums = new ScaleSums({ rows: 1, columns: 1, groupSize: 6, bits: 2, format: F32 }, LIMITS);
  const scale = F32.toBits(0.5);
  sums.add(0, [scale], Uint8Array.from([0, 1, 1]), 3);
  sums.add(0, [scale], Uint8Array.from([1, 3]), 2);
  sums.add(0, [scale], Uint8Array.from([0]), 1);
  expect(sums.needsSecondLook).toBe(false);
  expect(sums.map()).toMatchObject({
    groups: 1,
    smallest: 0.5,
    median: 0.5,
    largest: 0.5,
    fewestLevels: 3,
    fullGroups: 0,
    medianLevels: 3,
  });
});

test("scales that are not finite stand in their cells and are left out of the figures", () => {
  const sums = new ScaleSums({ rows: 4, columns: 1, groupSize: 1, bits: 4, format: BF16 }, LIMITS);
  sums.add(0, [BF16.nan, BF16.toBits(0.25), BF16.infinity, BF16.toBits(0.5)], new Uint8Array(4), 1);
  const map = sums.map();
  expect([...map.scales.values]).toEqual([Number.NaN, 0.25, Number.POSITIVE_INFINITY, 0.5]);
  expect([map.smallest, map.median, map.largest]).toEqual([0.25, 0.25, 0.5]);
  const none = new ScaleSums({ rows: 1, columns: 1, groupSize: 1, bits: 4, format: F32 }, LIMITS);
  none.add(0, [F32.nan], new Uint8Array(1), 1);
  expect([none.map().smallest, none.map().median, none.needsSecondLook]).toEqual([Number.NaN, Number.NaN, false]);
});

test("a matrix without rows has no groups", () => {
  const sums = new ScaleSums({ rows: 0, columns: 2, groupSize: 8, bits: 4, format: BF16 }, LIMITS);
  expect(sums.map()).toMatchObject({ groups: 0, fewestLevels: 0, medianLevels: 0, fullGroups: 0, median: Number.NaN });
});
