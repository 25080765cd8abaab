import { expect, test } from "vitest";
import { paced } from "./pace.ts";
import type { Progress } from "./result.ts";

function told(steps: readonly (readonly [atMs: number, phase: string, doneBytes: number])[]) {
  let now = 0;
  const heard: Progress[] = [];
  const hooks = paced({ onProgress: (progress) => heard.push(progress) }, () => now);
  for (const [atMs, phase, doneBytes] of steps) {
    now = atMs;
    hooks.onProgress?.({ phase, doneBytes, totalBytes: 1000, item: null, doneItems: 0, totalItems: 1 });
  }
  return heard.map(({ bytesPerSecond, leftMs }) => [bytesPerSecond, leftMs]);
}

test("a rate is a mean since the phase began, what is left follows after three seconds", () => {
  expect(
    told([
      [100, "a", 0],
      [300, "a", 100],
      [1100, "a", 200],
      [4100, "a", 400],
    ]),
  ).toEqual([
    [null, null],
    [null, null],
    [200, null],
    [100, 6000],
  ]);
});

test("a new phase has its own pace, and nothing done has none", () => {
  expect(
    told([
      [0, "a", 500],
      [9000, "b", 0],
      [19000, "b", 0],
    ]),
  ).toEqual([
    [null, null],
    [null, null],
    [null, null],
  ]);
});

test("without a listener nothing is computed", () => {
  expect(paced({}, () => 0).onProgress).toBeUndefined();
});
