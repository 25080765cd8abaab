import fc from "fast-check";
import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { describePruning, type Pruning, parsePruning, pruningName } from "./pruning.ts";

const shares = fc.integer({ min: 1, max: 999_999 }).map((millionths) => millionths / 1e6);
const prunings: fc.Arbitrary<Pruning> = fc.oneof(
  fc
    .integer({ min: 2, max: 32 })
    .chain((m) => fc.integer({ min: 1, max: m - 1 }).map((n): Pruning => ({ structure: "n-of-m", n, m }))),
  fc
    .record({ structure: fc.constantFrom("unstructured" as const, "rows" as const, "columns" as const), share: shares })
    .map((pruning): Pruning => pruning),
);

test("what pruningName writes, parsePruning reads", () => {
  fc.assert(
    fc.property(prunings, (pruning) => {
      expect(parsePruning(pruningName(pruning))).toEqual(pruning);
    }),
  );
  for (let millionths = 1; millionths < 1000; millionths++) {
    const pruning: Pruning = { structure: "rows", share: millionths / 1e6 };
    expect(parsePruning(pruningName(pruning))).toEqual(pruning);
  }
});

test.each([
  ["magnitude:2:4", "magnitude:2:4", "of every 4 neighbours the 2 smallest become zero"],
  ["Magnitude:1:2", "magnitude:1:2", "of every 2 neighbours the smallest becomes zero"],
  ["magnitude:.50", "magnitude:0.5", "the smallest 50.0 % of a matrix become zero"],
  ["magnitude:rows:0.25", "magnitude:rows:0.25", "the 25.0 % of a matrix's rows with the smallest norms become zero"],
  [
    " magnitude:columns:0.125 ",
    "magnitude:columns:0.125",
    "the 12.5 % of a matrix's columns with the smallest norms become zero",
  ],
])("%s is %s", (text, name, words) => {
  const pruning = parsePruning(text);
  expect([pruningName(pruning), describePruning(pruning)]).toEqual([name, words]);
});

test.each([
  "",
  "2:4",
  "wanda:2:4",
  "magnitude",
  "magnitude:",
  "magnitude:0",
  "magnitude:0.0",
  "magnitude:1",
  "magnitude:1.5",
  "magnitude:-0.5",
  "magnitude:5e-1",
  "magnitude:0.1234567",
  "magnitude:50%",
  "magnitude:0:4",
  "magnitude:4:4",
  "magnitude:5:4",
  "magnitude:2:33",
  "magnitude:02:4",
  "magnitude:2:4:8",
  "magnitude:rows:2:4",
  "magnitude:rows",
  "magnitude:blocks:0.5",
])("%j is refused", (text) => {
  try {
    parsePruning(text);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(LabError);
    expect((error as LabError).code).toBe("scheme/bad-pruning");
  }
});
