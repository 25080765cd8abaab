import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { klStatistics } from "./kl-statistics.ts";
import { type ScoredWindow, sliceDivergences } from "./slices.ts";
import { emptyScores, joinScores, scoredRange, type TokenScores } from "./token-scores.ts";

function scoresOf(kld: readonly number[]): TokenScores {
  const sameTop = new Uint8Array(kld.length).fill(1);
  return { ...emptyScores(kld.length), kld: Float64Array.from(kld), sameTop, notFinite: 0 };
}

/** A window whose scored positions diverge as `kldOf` says, by their place and their target. */
function windowOf(
  slice: string,
  tokens: readonly number[],
  kldOf: (place: number, target: number) => number,
): ScoredWindow {
  const { start, end } = scoredRange(tokens.length);
  const places = Array.from({ length: end - start }, (_, row) => start + row);
  return { slice, tokens, scores: scoresOf(places.map((place) => kldOf(place, tokens[place + 1] ?? -1))) };
}

test("each slice of the text has a row, in the order in which they occur", () => {
  const tokens = [1, 1, 1, 1, 1, 1, 1, 1];
  const windows = [
    windowOf("code", tokens, () => 0.5),
    windowOf("chat", tokens, () => 0.25),
    windowOf("code", tokens, () => 1.5),
    windowOf("none", [1, 1], () => 9),
  ];
  expect(sliceDivergences(windows)).toMatchObject([
    { kind: "text", name: "code", positions: 6, windows: 2, kld: 1, interval: { low: 0 } },
    { kind: "text", name: "chat", positions: 3, windows: 1, kld: 0.25, interval: null },
    { kind: "late", name: "late", positions: 6, windows: 3, kld: 0.75 },
  ]);
});

test("late positions are the second half of the scored ones", () => {
  // Positions 4, 5 and 6 of eight tokens are scored, 5 to 8 of ten.
  const late = sliceDivergences([
    windowOf("text", new Array(8).fill(1), (place) => place),
    windowOf("text", new Array(10).fill(1), (place) => place),
  ]).find(({ kind }) => kind === "late");
  expect(late).toMatchObject({ positions: 4, windows: 2, kld: (5 + 6 + 7 + 8) / 4 });
});

test("rare tokens are the least frequent of the whole text that make up a tenth of the targets", () => {
  // Targets: 90 times token 1, 6 times 2, 3 times 3, once 4; token 3 stands so often elsewhere that it is not rare.
  const targets = [...new Array(90).fill(1), ...new Array(6).fill(2), 3, 3, 3, 4];
  const head = [...new Array(61).fill(3), ...new Array(39).fill(1)];
  const windows = [windowOf("text", [...head, 1, ...targets], (_, target) => (target === 1 ? 0 : target))];
  const rare = sliceDivergences(windows).find(({ kind }) => kind === "rare");
  // Counts: 4 once, 2 six times, 3 sixty-four, 1 a hundred and thirty. 4 and 2 are 7 of 100 targets, with 3 they are a tenth.
  expect(rare).toMatchObject({ positions: 10, kld: (6 * 2 + 3 * 3 + 4) / 10 });
});

test("tokens of one count are rare together or not at all, and where all would be, there is no row", () => {
  const tokens = Array.from({ length: 40 }, (_, place) => place);
  const kinds = sliceDivergences([windowOf("text", tokens, () => 1)]).map(({ kind }) => kind);
  expect(kinds).toEqual(["text", "late"]);
  const halfRare = [...tokens.slice(0, 30), ...new Array(10).fill(99)];
  const rare = sliceDivergences([windowOf("text", halfRare, () => 1)]).find(({ kind }) => kind === "rare");
  expect(rare?.positions).toBe(9);
});

test("the means of the slices, weighed with their positions, are the mean of all", () => {
  const window = fc.record({
    slice: fc.constantFrom("a", "b", "c"),
    tokens: fc.array(fc.nat({ max: 5 }), { maxLength: 20 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 6 }), (made) => {
      const windows = made.map(({ slice, tokens, seed }) => {
        const random = new SeededRandom(seed);
        return windowOf(slice, tokens, () => random.nextUniform());
      });
      const whole = klStatistics(joinScores(windows.map(({ scores }) => scores)));
      const rows = sliceDivergences(windows);
      const texts = rows.filter(({ kind }) => kind === "text");
      const positions = texts.reduce((sum, row) => sum + row.positions, 0);
      expect(positions).toBe(whole?.scored ?? 0);
      const total = texts.reduce((sum, row) => sum + row.kld * row.positions, 0);
      expect(total).toBeCloseTo((whole?.kld.value ?? 0) * positions, 10);
      for (const row of rows) if (row.kind === "rare") expect(row.positions).toBeGreaterThanOrEqual(0.1 * positions);
    }),
    // Each row draws 2000 times.
    { numRuns: 40 },
  );
});
