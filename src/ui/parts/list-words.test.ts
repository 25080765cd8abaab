import { expect, test } from "vitest";
import { listWords } from "./list-words.ts";

test.each([
  [[], 3, ""],
  [["a"], 3, "a"],
  [["a", "b"], 3, "a and b"],
  [["a", "b", "c"], 3, "a, b and c"],
  [["a", "b", "c", "d", "e"], 3, "a, b, c and 2 more"],
])("%j, at most %i, is said as %j", (words, most, said) => {
  expect(listWords(words, most)).toBe(said);
});
