import { expect, test } from "vitest";
import type { DepthResult } from "../../engine/diagnosis-api.ts";
import { drawDepth } from "../charts/depth-chart.ts";
import { MADE_THEME } from "../charts/made-theme.cases.ts";
import { depthBasis, depthDataOf, EXAMPLE_DEPTH } from "./depth-model.ts";

const error = (relative: number) => ({ relative, signalToNoiseDb: 20 });

function result(scheme: string, rounded: readonly string[], fresh: readonly number[]): DepthResult {
  return {
    ...{ kind: "depth", scheme, rounded, windows: 4, tokens: 1024, kernels: [] },
    layers: fresh.map((own, layer) => ({ layer, inherited: error(0.02), fresh: error(own) })),
  };
}

const INT4 = result("W4A16", ["weights: int4, symmetric, groups of 128"], [0.01, 0.001, 0.001]);
const INT8 = result("W8A8", ["weights: int8", "inputs: int 8 bit per token, dynamic"], [0.001, 0.01, 0.001]);
const both = new Map([INT4, INT8].map((own) => [own.scheme, own]));

test("the chosen scheme comes first, speaks, and shows its culprits", () => {
  const data = depthDataOf(both, "W8A8");
  expect(data?.lines.map(({ scheme, isChosen, culprits }) => [scheme, isChosen, culprits])).toEqual([
    ["W8A8", true, [1]],
    ["W4A16", false, [0]],
  ]);
  expect(data?.caption).toEqual({
    strong: "W8A8: layer 1 adds most: 1.00 % of the signal's power.",
    plain: "It is carried on: 2.00 % after the last layer, 2.",
  });
});

test("hollow is what rounded activations in the run, whatever the scheme could", () => {
  expect(depthDataOf(both, "W8A8")?.lines.map(({ isHollow }) => isHollow)).toEqual([true, false]);
  const alone = new Map([["W8A8", { ...INT8, rounded: ["weights: int8"] }]]);
  expect(depthDataOf(alone, "W8A8")?.lines[0]).toMatchObject({ isHollow: false, family: "int8" });
});

test("a scheme that was not followed says so over the lines of the others; without any there is nothing", () => {
  const data = depthDataOf(both, "W3A16");
  expect(data?.caption.strong).toBe("W3A16 was not followed yet.");
  expect(data?.lines.every(({ isChosen }) => !isChosen)).toBe(true);
  expect(depthDataOf(new Map(), "W3A16")).toBeNull();
});

test("a name of two hundred characters is cut in the sentence", () => {
  const long = "x".repeat(200);
  expect(depthDataOf(new Map([[long, result(long, [], [0.1])]]), long)?.caption.strong.length).toBeLessThan(120);
});

test("says on what it stands", () => {
  expect(depthBasis(INT4)).toBe("4 windows, 1\u2009024 tokens; rounded: weights: int4, symmetric, groups of 128");
  expect(depthBasis({ ...INT4, windows: 1, rounded: [] })).toBe("1 window, 1\u2009024 tokens; nothing rounded");
});

test("the example is a picture", () => {
  expect(drawDepth(EXAMPLE_DEPTH, { width: 800, height: 280 }, MADE_THEME).marks).toHaveLength(8);
});
