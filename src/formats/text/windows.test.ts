import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseWindows, cutWindows, hashWindows, shareWindows } from "./windows.ts";

describe("cutting", () => {
  test("replaces the first token of each window by the BOS and counts what is left", () => {
    const ids = Uint32Array.from({ length: 11 }, (_, at) => 10 + at);
    expect(cutWindows(ids, 4, 1)).toEqual({
      windows: [
        [1, 11, 12, 13],
        [1, 15, 16, 17],
      ],
      droppedTokens: 3,
    });
    expect(cutWindows(ids, 4, null).windows[1]).toEqual([14, 15, 16, 17]);
    expect(cutWindows(ids, 12, 1)).toEqual({ windows: [], droppedTokens: 11 });
  });

  test("loses no token and invents none", () => {
    fc.assert(
      fc.property(fc.uint32Array({ maxLength: 200 }), fc.integer({ min: 3, max: 40 }), (ids, context) => {
        const { windows, droppedTokens } = cutWindows(ids, context, null);
        expect(windows.every((window) => window.length === context)).toBe(true);
        expect(windows.flat()).toEqual([...ids.subarray(0, ids.length - droppedTokens)]);
        expect(droppedTokens).toBeLessThan(context);
      }),
    );
  });
});

describe("choosing", () => {
  test("takes the first ones, or any by seed, always the same", () => {
    expect(chooseWindows(5, undefined, 3)).toEqual([0, 1, 2, 3, 4]);
    expect(chooseWindows(5, 9, 3)).toEqual([0, 1, 2, 3, 4]);
    expect(chooseWindows(100, 3, undefined)).toEqual([0, 1, 2]);
    expect(chooseWindows(100, 3, 1)).toEqual(chooseWindows(100, 3, 1));
    expect(chooseWindows(100, 3, 1)).not.toEqual(chooseWindows(100, 3, 2));
  });

  test("gives each window the same chance", () => {
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 4000; seed++) {
      const chosen = chooseWindows(10, 3, seed);
      expect(new Set(chosen).size).toBe(3);
      expect([...chosen].sort((a, b) => a - b)).toEqual(chosen);
      for (const place of chosen) counts[place] = (counts[place] ?? 0) + 1;
    }
    // 1200 each are expected; five standard deviations of a binomial count are 145.
    for (const count of counts) expect(Math.abs(count - 1200)).toBeLessThan(145);
  });
});

test("texts share a total in turn, none more than it has", () => {
  expect(shareWindows([64, 64, 11], 16)).toEqual([6, 5, 5]);
  expect(shareWindows([64, 1, 2], 8)).toEqual([5, 1, 2]);
  expect(shareWindows([2, 1], 8)).toEqual([2, 1]);
  expect(shareWindows([2, 1], undefined)).toEqual([2, 1]);
});

test("hashes tell windows apart and name equal ones alike", async () => {
  const [a, b, c, d] = await hashWindows([[1, 2, 3], [1, 2, 4], [1, 2, 3], [258]]);
  expect([a === c, a === b, a?.length]).toEqual([true, false, 64]);
  // printf '\x02\x01\x00\x00' | sha256sum
  expect(d).toBe("7255b3ce83a75f4d6f13513f56db57229ed61a0775438923799f7050c505ecda");
});
