import { expect, test } from "vitest";
import { cornerWords } from "./corner-words.ts";

test("corners are counted in words, one and many", () => {
  expect(cornerWords({ corner: "allZero", groups: 3 })).toBe("3 groups all zero");
  expect(cornerWords({ corner: "scaleInfinite", groups: 1 })).toBe("1 group's range overflows: its scale is infinite");
  expect(cornerWords({ corner: "scaleNan", groups: 1_200 })).toMatch(/^1\u2009200 groups hold/);
});
