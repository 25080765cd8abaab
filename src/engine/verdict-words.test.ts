import { describe, expect, test } from "vitest";
import { gainWords, verdictWords } from "./verdict-words.ts";

describe("words", () => {
  const beaten = { place: "beaten", by: "W6A16", smallerBy: 0.18, errorRatio: 0.447, isPartial: false } as const;

  test.each([
    [{ smallerBy: 0.18, errorRatio: 0.447 }, "18 % smaller, 45 % of its error"],
    [{ smallerBy: 0, errorRatio: 0.07 }, "the same size, 7 % of its error"],
    [{ smallerBy: 0.004, errorRatio: 0.999 }, "less than 1 % smaller, hardly less error"],
    [{ smallerBy: 0.2, errorRatio: 1 }, "20 % smaller, the same error"],
    [{ smallerBy: 0.2, errorRatio: 0 }, "20 % smaller, no error"],
    [{ smallerBy: 0.2, errorRatio: 1e-5 }, "20 % smaller, less than 1 % of its error"],
    [{ smallerBy: 0.2, errorRatio: null }, "20 % smaller"],
  ])("of the gain %j", (gain, words) => {
    expect(gainWords({ ...beaten, ...gain })).toBe(words);
  });

  test("of the verdict", () => {
    expect(verdictWords(beaten, "W6A16")).toBe("beaten by W6A16, 18 % smaller");
    expect(verdictWords({ ...beaten, smallerBy: 0 }, "W6A16")).toBe("beaten by W6A16, 45 % of its error");
    expect(verdictWords({ ...beaten, place: "tied" }, "W8A8")).toBe("≈ W8A8");
    expect(verdictWords({ ...beaten, place: "line" }, "")).toBe("on the line");
    expect(verdictWords({ ...beaten, place: "waiting", isPartial: true }, "")).toBe("");
    expect(verdictWords({ ...beaten, place: "line", isPartial: true }, "")).toBe("on the line so far");
  });
});
