import { expect, test } from "vitest";
import { sampleWords } from "../../../tests/support/measured-words.ts";
import { flipsOf } from "../../engine/word-statistics.ts";
import { flipRows, flipsCaption } from "./flip-list-model.ts";

const { tokens, text, pieces } = sampleWords();
const scores = tokens.rows[0]?.scores;
const flips = scores === undefined ? [] : flipsOf(tokens, scores, text.windows);

test("rows are the worst first, with the words around on one line", () => {
  const rows = flipRows(flips, "kld", 5, text, pieces);
  expect(rows.map(({ rank }) => rank)).toEqual(["1", "2", "3", "4", "5"]);
  const sizes = rows.map(({ flip }) => flip.kld);
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  for (const row of rows) {
    expect(row.own).toBe(pieces.get(text.windows[row.flip.window]?.[row.flip.place] ?? -1));
    expect(row.before + row.after).not.toContain("\n");
    expect(row.was).not.toBe(row.became);
  }
  const moved = flipRows(flips, "deltaP", 5, text, pieces).map(({ flip }) => Math.abs(flip.deltaP));
  expect(moved).toEqual([...moved].sort((a, b) => b - a));
});

test("the caption counts what became of the right word", () => {
  const { strong, plain } = flipsCaption(flips, "W2A16");
  expect(strong).toBe(`${flips.length} flips, the worst first.`);
  const counts = plain.match(/\d+/g)?.map(Number) ?? [];
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(flips.length);
  expect(flipsCaption([], "W8A16").strong).toBe("W8A16 flips nothing.");
});
