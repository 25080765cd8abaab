import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { divergence, divergenceWords } from "../kernels/model/divergence.ts";
import { joinScores, scoredRange, type TokenScores, TokenScoreTotals } from "./token-scores.ts";

interface GoldenCase {
  readonly name: string;
  readonly windows?: readonly { readonly tokens: number[]; readonly base: number[][]; readonly other: number[][] }[];
  readonly scores: Readonly<Record<"nll_base" | "nll" | "kld" | "delta_p", number[]>> & {
    readonly same_top: boolean[];
  };
}

const CASES: readonly GoldenCase[] = JSON.parse(readFileSync("fixtures/golden/kl-statistics/cases.json", "utf8"));
const WITH_LOGITS = CASES.filter(({ windows }) => windows !== undefined);

/** One scored position. */
interface Row {
  readonly base: readonly number[];
  readonly other: readonly number[];
  readonly target: number;
}

/** What `model/divergence` writes of some columns of rows: float64 sums, each rounded once. */
function wordsOf(rows: readonly Row[], first: number, end: number, blockColumns: number): Uint32Array<ArrayBuffer> {
  const columns = end - first;
  const shape = { rows: rows.length, columns, stride: columns, first, blockColumns };
  const tileOf = (side: "base" | "other") =>
    new Uint32Array(Float32Array.from(rows.flatMap((row) => row[side].slice(first, end))).buffer);
  const targets = Uint32Array.from(rows, ({ target }) => target);
  const sums = new Uint32Array(divergenceWords(shape));
  divergence.oracle({}, shape, [tileOf("base"), tileOf("other"), targets, sums]);
  return sums;
}

/** Scores of rows whose vocabulary comes in tiles of `tileColumns` and blocks of `blockColumns`. */
function scoresOf(rows: readonly Row[], tileColumns: number, blockColumns: number): TokenScores {
  const totals = new TokenScoreTotals(rows.length);
  const columns = rows[0]?.base.length ?? 0;
  for (let first = 0; first < columns; first += tileColumns) {
    totals.addTile(wordsOf(rows, first, Math.min(first + tileColumns, columns), blockColumns));
  }
  return totals.scores();
}

/** The scored positions of a window. */
function rowsOf({ tokens, base, other }: NonNullable<GoldenCase["windows"]>[number]): readonly Row[] {
  const { start, end } = scoredRange(tokens.length);
  return Array.from({ length: end - start }, (_, index) => ({
    base: base[start + index] ?? [],
    other: other[start + index] ?? [],
    target: tokens[start + index + 1] ?? 0,
  }));
}

describe.each(WITH_LOGITS)("$name", ({ windows = [], scores }) => {
  test("scores as measure.py does, the words being exact", () => {
    // In blocks of one token every word is a float32, since the logits are multiples of 1/256.
    const found = joinScores(windows.map((window) => scoresOf(rowsOf(window), 4, 1)));
    expectNear(found.nllBase, scores.nll_base, 1e-15, 1e-15);
    expectNear(found.nll, scores.nll, 1e-15, 1e-15);
    // What nearly cancels in KL and Δp is of order 1: the absolute part is some roundings of that.
    expectNear(found.kld, scores.kld, 1e-12, 2e-15);
    expectNear(found.deltaP, scores.delta_p, 1e-12, 2e-15);
    expect([...found.sameTop]).toEqual(scores.same_top.map(Number));
    expect(found.notFinite).toBe(0);
  });

  test("scores so in larger blocks, but for the rounding of their sums", () => {
    for (const blockColumns of [2, 5, 13]) {
      const found = joinScores(windows.map((window) => scoresOf(rowsOf(window), 13, blockColumns)));
      // Half a unit in the last place of a float32 of each of two sums, and of the cross sum relative to spread · 1.
      expectNear(found.nll, scores.nll, 0, 1e-7);
      expectNear(found.kld, scores.kld, 0, 3e-7);
      expect([...found.sameTop]).toEqual(scores.same_top.map(Number));
    }
  });
});

function expectNear(found: Float64Array, expected: readonly number[], relative: number, absolute: number): void {
  expect(found).toHaveLength(expected.length);
  for (const [row, value] of expected.entries()) {
    expect(Math.abs((found[row] ?? Number.NaN) - value)).toBeLessThanOrEqual(relative * Math.abs(value) + absolute);
  }
}

/** Multiples of 1/256 up to 40 in size: their differences are float32, too. */
const logit = fc.integer({ min: -10_240, max: 10_240 }).map((count) => count / 256);
const logits = fc.integer({ min: 1, max: 40 }).chain((columns) =>
  fc.record({
    base: fc.array(logit, { minLength: columns, maxLength: columns }),
    other: fc.array(logit, { minLength: columns, maxLength: columns }),
    target: fc.nat({ max: columns - 1 }),
  }),
);

test("KL is not below nothing, and the tiles do not matter", () => {
  fc.assert(
    fc.property(logits, fc.integer({ min: 1, max: 40 }), (row, tileColumns) => {
      const whole = scoresOf([row], 40, 1);
      const tiled = scoresOf([row], tileColumns, 1);
      expect(whole.kld[0]).toBeGreaterThanOrEqual(-1e-12);
      expectNear(tiled.kld, [...whole.kld], 1e-15, 0);
      expect(tiled.sameTop).toEqual(whole.sameTop);
    }),
  );
});

test("equal logits diverge by exactly 0, whatever the blocks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -80, max: 80 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      (base, tileColumns, blockColumns) => {
        const scores = scoresOf([{ base, other: base, target: 0 }], tileColumns, blockColumns);
        expect([...scores.kld, ...scores.deltaP, ...scores.sameTop]).toEqual([0, 0, 1]);
        expect(scores.nll).toEqual(scores.nllBase);
      },
    ),
  );
});

test("of equal largest logits the lower id counts, in whatever order the tiles come", () => {
  const row = { base: [1, 5, 0, 5], other: [0, 7, 0, 6], target: 2 };
  const swapped = new TokenScoreTotals(1);
  swapped.addTile(wordsOf([row], 2, 4, 2));
  swapped.addTile(wordsOf([row], 0, 2, 2));
  expect([...swapped.scores().sameTop]).toEqual([1]);
  expect([...scoresOf([row], 2, 1).sameTop]).toEqual([1]);
  expect([...scoresOf([{ ...row, other: [0, 6, 0, 7] }], 2, 1).sameTop]).toEqual([0]);
});

test("logits far apart neither overflow nor vanish", () => {
  const row = { base: [-30_000, 30_000, 29_999], other: [30_000, -30_000, 29_999], target: 2 };
  // p = (0, e, 1)/(1 + e); ln p − ln q of id 1 is 60000 − ln(1 + 1/e) + ln(1 + 1/e), of id 2 it is 0.
  expect(scoresOf([row], 1, 1).kld[0]).toBeCloseTo((60_000 * Math.E) / (1 + Math.E), 9);
});

test("a token that both leave out altogether, alone in its block, changes nothing", () => {
  const gone = Number.NEGATIVE_INFINITY;
  const masked = { base: [gone, 1, 2, gone], other: [gone, 1.5, 2, gone], target: 1 };
  const plain = { base: [1, 2], other: [1.5, 2], target: 0 };
  for (const columns of [1, 2, 4])
    expect(scoresOf([masked], columns, columns).kld[0]).toBeCloseTo(scoresOf([plain], 1, 1).kld[0] ?? 0, 7);
  // Ids are counted from the one that is left out.
  const [expected, found] = [scoresOf([plain], 1, 1), scoresOf([masked], 1, 1)];
  const later = (ids: Uint32Array) => ids.map((id) => id + 1);
  expect(found).toEqual({ ...expected, top: later(expected.top), topBase: later(expected.topBase) });
});

test("what is not finite spoils its row, is counted, and nothing else", () => {
  const whole = { base: [1, 2, 3], other: [1, 2, 4], target: 0 };
  const spoilt = [
    { ...whole, other: [1, Number.NaN, 3] },
    { ...whole, base: [Number.NaN, 2, 3] },
    { ...whole, base: [1, Number.POSITIVE_INFINITY, 3] },
    { ...whole, other: [1, 2, Number.NEGATIVE_INFINITY] },
    { ...whole, base: [Number.NEGATIVE_INFINITY, 2, 3] },
  ];
  for (const row of spoilt) {
    for (const columns of [1, 2, 3]) {
      const scores = scoresOf([whole, row, whole], columns, columns);
      expect(scores.notFinite).toBe(1);
      for (const values of [scores.kld, scores.nll, scores.nllBase, scores.deltaP]) {
        expect([...values].map(Number.isNaN)).toEqual([false, true, false]);
      }
      expect(scores.sameTop[1]).toBe(0);
    }
  }
});

test("a block all of whose logits are NaN spoils its row, although nothing in it is the largest", () => {
  const masked = { base: [1, Number.NEGATIVE_INFINITY], other: [2, Number.NEGATIVE_INFINITY], target: 0 };
  const words = wordsOf([masked], 0, 2, 1);
  for (const side of [0, 3]) {
    const spoilt = words.slice();
    spoilt[10 + side + 1] = 0x7fc00000;
    const totals = new TokenScoreTotals(1);
    totals.addTile(spoilt);
    expect(totals.scores().notFinite).toBe(1);
  }
});

test("a range of rows is that part of all rows, its rows that are not finite counted alone", () => {
  const random = new SeededRandom(3);
  const rows = Array.from({ length: 5 }, (_, row) => ({
    base: Array.from({ length: 6 }, () => (row === 4 ? Number.NaN : random.nextNormal())),
    other: Array.from({ length: 6 }, () => random.nextNormal()),
    target: row,
  }));
  const totals = new TokenScoreTotals(5);
  totals.addTile(wordsOf(rows, 0, 6, 3));
  expect(joinScores([totals.scores(0, 2), totals.scores(2, 2), totals.scores(2)])).toEqual(totals.scores());
  expect([totals.scores(1, 3).notFinite, totals.scores(3).notFinite]).toEqual([0, 1]);
});

test("the second half of a window is scored, where a next token is known", () => {
  expect(scoredRange(512)).toEqual({ start: 256, end: 511 });
  expect(scoredRange(7)).toEqual({ start: 3, end: 6 });
  expect(scoredRange(3)).toEqual({ start: 1, end: 2 });
  for (const short of [0, 1, 2]) {
    const { start, end } = scoredRange(short);
    expect(end).toBe(start);
  }
});
