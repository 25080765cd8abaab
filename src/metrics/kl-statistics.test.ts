import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DELTA_P_PERCENTILES, KLD_PERCENTILES, klStatistics, quantile } from "./kl-statistics.ts";
import { emptyScores, joinScores, TOKEN_COLUMNS, type TokenScores } from "./token-scores.ts";

interface GoldenCase {
  readonly name: string;
  readonly scores: Readonly<Record<"nll_base" | "nll" | "kld" | "delta_p", number[]>> & {
    readonly same_top: boolean[];
  };
  readonly statistics: Readonly<Record<string, unknown>>;
}

const CASES: readonly GoldenCase[] = JSON.parse(readFileSync("fixtures/golden/kl-statistics/cases.json", "utf8"));

function scoresOf({ nll_base, nll, kld, delta_p, same_top }: GoldenCase["scores"]): TokenScores {
  const [nllBase, other, divergence, deltaP] = [nll_base, nll, kld, delta_p].map((values) => Float64Array.from(values));
  if (!nllBase || !other || !divergence || !deltaP) throw new Error("no scores");
  const sameTop = Uint8Array.from(same_top, Number);
  const own = { nllBase, nll: other, kld: divergence, deltaP, sameTop, notFinite: 0 };
  return { ...emptyScores(sameTop.length), ...own };
}

/** Every number of a report under its path. */
function numbersIn(report: object, path = ""): readonly (readonly [string, unknown])[] {
  return Object.entries(report).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? numbersIn(value, `${path}${key}.`)
      : [[`${path}${key}`, value] as const],
  );
}

describe.each(CASES)("$name", ({ scores, statistics }) => {
  test("has the keys and the values of measure.py", () => {
    const found = new Map(numbersIn(klStatistics(scoresOf(scores)) ?? {}));
    const expected = numbersIn(statistics);
    expect([...found.keys()].sort()).toEqual(expected.map(([path]) => path).sort());
    for (const [path, value] of expected) {
      if (typeof value !== "number") expect(found.get(path), path).toBe(value);
      else if (path !== "pplDifference.uncertainty") expectNear(found.get(path), value, path);
    }
    // The last bit of exp matters more here: squares that nearly cancel, under a root.
    const squareOf = (numbers: ReadonlyMap<string, unknown>, path: string) =>
      Number(numbers.get(`${path}.uncertainty`)) ** 2;
    const wanted = new Map(expected);
    const terms = squareOf(wanted, "pplQ") + squareOf(wanted, "pplBase");
    const difference = squareOf(found, "pplDifference") - squareOf(wanted, "pplDifference");
    expect(Math.abs(difference)).toBeLessThanOrEqual(4 * Number.EPSILON * terms);
  });
});

test("nothing scored has no statistics", () => {
  expect(klStatistics(joinScores([]))).toBeNull();
});

test("one position that is not finite spoils every figure but the share of equal tops", () => {
  const whole = scoresOf(CASES.at(-1)?.scores ?? fail());
  for (const values of [whole.nll, whole.nllBase, whole.kld, whole.deltaP]) values[3] = Number.NaN;
  const report = klStatistics(whole) ?? fail();
  const finite = numbersIn(report).filter(([, value]) => Number.isFinite(value));
  expect(finite.map(([path]) => path)).toEqual(["scored", "sameTopP.value", "sameTopP.uncertainty"]);
});

test("the order of windows changes nothing but the last bits", () => {
  const { scores } = CASES.at(-1) ?? fail();
  const whole = scoresOf(scores);
  const parts = [0, 1, 2, 3].map((part) => partOf(whole, part * 50, part === 3 ? whole.kld.length : (part + 1) * 50));
  const expected = numbersIn(klStatistics(whole) ?? {});
  fc.assert(
    fc.property(fc.shuffledSubarray(parts, { minLength: 4 }), (order) => {
      const found = new Map(numbersIn(klStatistics(joinScores(order)) ?? {}));
      for (const [path, value] of expected) {
        if (typeof value !== "number") continue;
        // Standard errors of differences nearly cancel: they lose a few digits more.
        expect(Math.abs(Number(found.get(path)) - value), path).toBeLessThanOrEqual(1e-11 * Math.abs(value));
      }
    }),
  );
});

test("percentiles are told in llama.cpp's order", () => {
  expect(KLD_PERCENTILES.join(" ")).toBe("max 99.9 99 95 90 median 10 5 1 0.1 min");
  expect(DELTA_P_PERCENTILES.join(" ")).toBe("max 99.9 99 95 90 75 median 25 10 5 1 0.1 min");
});

test("a quantile lies between its neighbours, and at the ends on them", () => {
  expect(quantile(Float64Array.of(1, 2, 4), 0.25)).toBe(1.5);
  expect(quantile(Float64Array.of(1, 2, 4), 0.75)).toBe(3);
  const values = fc.float64Array({ minLength: 1, noNaN: true, min: -1e9, max: 1e9 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (unsorted, fraction) => {
      const sorted = unsorted.toSorted();
      const [least = 0, greatest = 0] = [sorted[0], sorted.at(-1)];
      expect(quantile(sorted, 0)).toBe(least);
      expect(quantile(sorted, 1)).toBe(greatest);
      expect(quantile(sorted, fraction)).toBeGreaterThanOrEqual(least);
      expect(quantile(sorted, fraction)).toBeLessThanOrEqual(greatest);
    }),
  );
});

/** Sums are in numpy's order: only the last bits of exp and log can differ. */
function expectNear(found: unknown, expected: number, path: string): void {
  expect(Math.abs(Number(found) - expected), path).toBeLessThanOrEqual(1e-14 * Math.abs(expected));
}

function partOf(scores: TokenScores, start: number, end: number): TokenScores {
  const part = emptyScores(end - start);
  for (const name of TOKEN_COLUMNS) part[name].set(scores[name].slice(start, end));
  return { ...part, notFinite: 0 };
}

function fail(): never {
  throw new Error("missing");
}
