import { describe, expect, test } from "vitest";
import { sampleWords } from "../../../tests/support/measured-words.ts";
import { flipsOf } from "../../engine/word-statistics.ts";
import {
  chunksOf,
  flipWords,
  readablePiece,
  shownTokens,
  TINT_WORDS,
  tokenSentence,
  type WordTextData,
  windowWords,
} from "./word-text-model.ts";

/** W4A16 over three windows, of which two are measured; the first position not finite. */
function made(window: number): { readonly data: WordTextData; readonly pieces: ReadonlyMap<number, string> } {
  const { tokens, text, pieces } = sampleWords({ done: 2, context: 300 });
  const scores = tokens.rows[1]?.scores;
  if (scores === undefined) throw new Error("the sample has three rows");
  scores.kld[0] = Number.NaN;
  const flips = flipsOf(tokens, scores, text.windows);
  return { data: { tokens, text, window, scheme: "W4A16", scores, flips }, pieces };
}

describe("a piece for reading", () => {
  test.each([
    [" heaven", { lead: " ", core: "heaven", breaks: "" }],
    ["ing", { lead: "", core: "ing", breaks: "" }],
    ["  ", { lead: "", core: "··", breaks: "" }],
    ["\n\n", { lead: "", core: "↵↵", breaks: "\n\n" }],
    [".\n", { lead: "", core: ".↵", breaks: "\n" }],
    ["\t", { lead: "", core: "⇥", breaks: "" }],
  ])("%j", (piece, parts) => expect(readablePiece(piece)).toEqual(parts));
});

describe("a window", () => {
  test("has context, then scored tokens with their tints and flips", () => {
    const { data, pieces } = made(0);
    const shown = shownTokens(data, pieces);
    expect(shown).toHaveLength(300);
    expect(shown.slice(0, 151).every(({ state }) => state === "context")).toBe(true);
    expect([shown[151]?.state, shown[152]?.state, shown[299]?.state]).toEqual(["blank", "scored", "scored"]);
    const flips = shown.filter(({ flip }) => flip !== null);
    expect(flips.length).toBeGreaterThan(3);
    expect(flips.length).toBe(data.flips.filter(({ window }) => window === 0).length);
    expect(shown.some(({ level }) => level > 1)).toBe(true);
  });

  test("waits where it is not measured, and under a recipe that was not", () => {
    const { data, pieces } = made(2);
    expect(shownTokens(data, pieces)[200]?.state).toBe("waiting");
    expect(shownTokens({ ...made(0).data, scores: null, flips: [] }, pieces)[200]?.state).toBe("waiting");
  });

  test("far from view is the same letters without marks", () => {
    const { data, pieces } = made(0);
    const tokens = shownTokens(data, pieces);
    const chunks = chunksOf(tokens);
    expect(chunks.map((chunk) => chunk.tokens.length)).toEqual([96, 96, 96, 12]);
    expect(chunks.map(({ plain }) => plain).join("")).toBe(
      tokens.map(({ lead, core, breaks }) => lead + core + breaks).join(""),
    );
  });
});

describe("a token, spoken", () => {
  const { data, pieces } = made(0);
  const tokens = shownTokens(data, pieces);
  const say = (place: number): string => {
    const token = tokens[place];
    return token === undefined ? "" : tokenSentence(token, data, pieces, data.text.windows[0]?.[place] ?? 0);
  };

  test("says both predictions, how far they are apart, and whether the word flipped", () => {
    const flip = tokens.find((token) => token.flip !== null)?.place ?? 0;
    expect(say(flip)).toMatch(
      /^token ".+", predicted by the original ".+" [\d.]+ %, by W4A16 ".+" [\d.]+ %, KL [\d.e−]+ nats, Δp −?[\d.e−]+ %, flipped$/,
    );
    const same = tokens.find(({ flip: own, state }) => own === null && state === "scored")?.place ?? 0;
    expect(say(same)).not.toContain("flipped");
  });

  test("says why it has no score", () => {
    expect(say(0)).toMatch(/, first of the window$/);
    expect(say(10)).toMatch(/, context, not scored$/);
    expect(say(151)).toMatch(/, its score is not a finite number$/);
    const [, later] = shownTokens(made(2).data, pieces).slice(199);
    expect(later && tokenSentence(later, made(2).data, pieces, 0)).toMatch(/, not measured yet$/);
  });
});

test("what stands below a flip has no quotes, unless it is a blank", () => {
  const flip = { score: 0, window: 0, place: 1, kind: "lost", before: 1, after: 2, kld: 1, deltaP: 0 } as const;
  const pieces = new Map([
    [1, " was"],
    [2, "\n"],
  ]);
  expect(flipWords(flip, pieces)).toBe("was → ↵");
  expect(flipWords({ ...flip, after: 3 }, new Map([...pieces, [3, " "]]))).toBe('was → " "');
});

test("windows and tints have names", () => {
  const { data } = made(0);
  expect(windowWords(data.text, 2)).toBe("Window 3 of 3, scripture");
  expect(windowWords({ ...data.text, slices: [] }, 0)).toBe("Window 1 of 3");
  expect(TINT_WORDS).toEqual(["under 0.01", "0.01", "0.03", "0.1", "0.3", "1 and more"]);
});
