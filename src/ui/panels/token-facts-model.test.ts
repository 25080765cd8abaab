import { expect, test } from "vitest";
import { sampleLook, sampleWords } from "../../../tests/support/measured-words.ts";
import { nextRows, tokenFacts } from "./token-facts-model.ts";

const { tokens, text, pieces } = sampleWords();
const scores = tokens.rows[1]?.scores;

test("a scored token has the words before it and its scores; context has none", () => {
  if (scores === undefined) throw new Error("the sample has three rows");
  const data = { tokens, text, scheme: "W4A16", scores };
  const facts = tokenFacts({ ...data, token: { window: 1, place: 40 } }, pieces);
  const ids = text.windows[1] ?? [];
  expect(facts?.own).toBe(pieces.get(ids[40] ?? -1));
  expect(facts?.before).toBe(
    ids
      .slice(34, 40)
      .map((id) => pieces.get(id))
      .join(""),
  );
  // Window 1 is the second of 31 scored positions each; token 40 is predicted by position 39, the eighth.
  expect(facts?.score.kld).toBe(scores.kld[31 + 7]);
  expect(tokenFacts({ ...data, token: { window: 1, place: 10 } }, pieces)).toBeNull();
});

test("both lists are drawn to the largest probability of either, and know what came", () => {
  const { original, variant, largest } = nextRows(sampleLook(), pieces);
  expect(largest).toBe(0.31);
  expect(original.map(({ isNext }) => isNext).indexOf(true)).toBe(1);
  expect(variant[0]).toMatchObject({ id: 12, piece: pieces.get(12) });
});
