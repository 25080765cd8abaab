import { expect, test } from "vitest";
import { sampleGeneration } from "../../../tests/support/measured-words.ts";
import { generationCaption, generationLines, readAsk } from "./generation-model.ts";

const result = sampleGeneration();

test("a line has its median, its interval, and its prompts in order, those that never differ last", () => {
  const [four, two, eight] = generationLines(result);
  expect(four).toMatchObject({ median: "25.5", interval: "9 … over 64", same: "5 of 16" });
  expect(four?.dots.slice(0, 2)).toEqual([3, 5]);
  expect(four?.dots.slice(-5)).toEqual([null, null, null, null, null]);
  expect(two).toMatchObject({ median: "3", interval: "2 … 4" });
  expect(eight?.sentence).toBe("W8A16: differs after over 64 tokens in the median; 16 of 16 prompts never differ");
});

test("the caption names who says the same for longest and for shortest", () => {
  expect(generationCaption(result).strong).toBe(
    "W8A16 says the same as the original for all 64 tokens at 16 of 16 prompts; W2A16 for 3 tokens.",
  );
  const some = { ...result, rows: result.rows.slice(0, 2) };
  expect(generationCaption(some).strong).toBe(
    "In the median W4A16 for 25.5 tokens the same as the original; W2A16 for 3 tokens.",
  );
  expect(generationCaption({ ...result, rows: [] }).strong).toBe("No scheme was run.");
});

test("fields take whole numbers within their limits", () => {
  expect([readAsk("16", "prompts"), readAsk("1\u2009024", "prompts")]).toEqual([16, 1024]);
  expect(["0", "1025", "x", "", "1.5", "-1"].map((text) => readAsk(text, "prompts"))).toEqual(Array(6).fill(null));
});
