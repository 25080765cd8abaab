import fc from "fast-check";
import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import {
  CRITERIA,
  describePruning,
  PARTS,
  type Pruning,
  parsePruning,
  prunesByCalibration,
  pruningName,
  removesParts,
  SPARSEGPT_BLOCK,
} from "./pruning.ts";

const shares = fc.integer({ min: 1, max: 999_999 }).map((millionths) => millionths / 1e6);
const patterns = fc
  .integer({ min: 2, max: 32 })
  .chain((m) =>
    fc.record({ structure: fc.constant("n-of-m" as const), n: fc.integer({ min: 1, max: m - 1 }), m: fc.constant(m) }),
  );
const criteria = fc.constantFrom(...CRITERIA);
const prunings: fc.Arbitrary<Pruning> = fc.oneof(
  fc
    .tuple(criteria, patterns)
    .filter(([criterion, { m }]) => criterion !== "sparsegpt" || SPARSEGPT_BLOCK % m === 0)
    .map(([criterion, pattern]) => ({ criterion, ...pattern })),
  fc.record({ criterion: criteria, structure: fc.constant("unstructured" as const), share: shares }),
  fc.record({
    criterion: fc.constant("magnitude" as const),
    structure: fc.constantFrom("rows" as const, "columns" as const),
    share: shares,
  }),
  fc.record({
    criterion: fc.constant("wanda" as const),
    structure: fc.constantFrom(...PARTS),
    share: shares,
  }),
);

test("what pruningName writes, parsePruning reads", () => {
  fc.assert(
    fc.property(prunings, (pruning) => {
      expect(parsePruning(pruningName(pruning))).toEqual(pruning);
    }),
  );
  for (let millionths = 1; millionths < 1000; millionths++) {
    const pruning: Pruning = { criterion: "magnitude", structure: "rows", share: millionths / 1e6 };
    expect(parsePruning(pruningName(pruning))).toEqual(pruning);
  }
});

test.each([
  ["magnitude:2:4", "magnitude:2:4", "of every 4 neighbours the 2 smallest become zero"],
  ["Magnitude:1:2", "magnitude:1:2", "of every 2 neighbours the smallest becomes zero"],
  ["magnitude:.50", "magnitude:0.5", "the smallest 50.0 % of a matrix become zero"],
  ["magnitude:rows:0.25", "magnitude:rows:0.25", "the 25.0 % of a matrix's rows with the smallest norms become zero"],
  ["Wanda:2:4", "wanda:2:4", "of every 4 neighbours the 2 smallest by Wanda become zero"],
  ["wanda:3:7", "wanda:3:7", "of every 7 neighbours the 3 smallest by Wanda become zero"],
  ["wanda:.5", "wanda:0.5", "the smallest 50.0 % by Wanda of each row become zero"],
  [
    "SparseGPT:1:2",
    "sparsegpt:1:2",
    "of every 2 neighbours the smallest by SparseGPT becomes zero, the others make up for it",
  ],
  [
    "sparsegpt:0.50",
    "sparsegpt:0.5",
    "the smallest 50.0 % by SparseGPT of each 128 columns become zero, the others make up for it",
  ],
  [
    " magnitude:columns:0.125 ",
    "magnitude:columns:0.125",
    "the 12.5 % of a matrix's columns with the smallest norms become zero",
  ],
  ["Wanda:Channels:.25", "wanda:channels:0.25", "the 25.0 % of each MLP's channels that Wanda scores lowest go"],
  [
    "wanda:heads:0.5",
    "wanda:heads:0.5",
    "the 50.0 % of each attention's key and value heads that Wanda scores lowest go, with their query heads",
  ],
  ["wanda:layers:0.125", "wanda:layers:0.125", "the 12.5 % of the layers that change the residual stream least go"],
])("%s is %s", (text, name, words) => {
  const pruning = parsePruning(text);
  expect([pruningName(pruning), describePruning(pruning)]).toEqual([name, words]);
});

test.each([
  "",
  "2:4",
  "random:2:4",
  "wanda",
  "wanda:",
  "wanda:1",
  "wanda:4:4",
  "wanda:rows:0.5",
  "wanda:columns:0.5",
  "wanda:channels:1",
  "wanda:channels",
  "wanda:heads:2:4",
  "wanda:experts:0.5",
  "magnitude:channels:0.25",
  "sparsegpt:layers:0.25",
  "sparsegpt:rows:0.25",
  "sparsegpt:3:6",
  "sparsegpt:2:31",
  "sparsegpt:2:64",
  "sparsegpt:2:4:8",
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

test("only magnitudes are known without a calibration text", () => {
  const needs = (text: string) => prunesByCalibration(parsePruning(text));
  expect(["magnitude:2:4", "magnitude:rows:0.5", "wanda:2:4", "sparsegpt:0.5"].map(needs)).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(prunesByCalibration(null)).toBe(false);
});

test("channels, heads and layers make a model smaller, weights that become zero do not", () => {
  const removes = (text: string) => removesParts(parsePruning(text));
  expect(["wanda:channels:0.5", "wanda:heads:0.5", "wanda:layers:0.5"].map(removes)).toEqual([true, true, true]);
  expect(["wanda:0.5", "wanda:2:4", "magnitude:columns:0.5"].map(removes)).toEqual([false, false, false]);
});
