import { expect, test } from "vitest";
import { errorShares } from "./error-shares.ts";
import type { LayerResult, SchemeResult } from "./result.ts";

function layer(number: number | null, moduleKind: string, mse: number | null, cols = 4): LayerResult {
  return { layer: number, moduleKind, mse, rows: 2, cols } as LayerResult;
}

function scheme(layers: readonly LayerResult[], modules = layers.length): SchemeResult {
  return { layers, modules } as unknown as SchemeResult;
}

test("squared error is the mean times the weights, and what lies outside of the layers counts into the whole", () => {
  const shares = errorShares(scheme([layer(0, "a", 1), layer(0, "b", 1, 8), layer(1, "a", 2), layer(null, "head", 3)]));
  const total = 8 + 16 + 16 + 24;
  expect([...shares.layers]).toEqual([
    [0, 24 / total],
    [1, 16 / total],
  ]);
  expect([...shares.kinds]).toEqual([
    ["a", 24 / total],
    ["b", 16 / total],
  ]);
});

test.each([
  ["unfinished", scheme([layer(0, "a", 1)], 2)],
  ["not finite", scheme([layer(0, "a", null)])],
  ["without any error", scheme([layer(0, "a", 0)])],
])("%s, there are none", (_, result) => {
  expect(errorShares(result)).toEqual({ layers: new Map(), kinds: new Map() });
});

test("a matrix that could not be taken is left out", () => {
  const failed = { ...layer(1, "a", null), error: {} } as LayerResult;
  expect([...errorShares(scheme([layer(0, "a", 1), failed])).layers]).toEqual([[0, 1]]);
});
