import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { SeededRandom } from "../base/random.ts";
import { BlockBootstrap, BOOTSTRAP_FIGURES, type WindowSums, windowSums } from "./block-bootstrap.ts";
import { klStatistics } from "./kl-statistics.ts";
import { emptyScores, joinScores, type TokenScores } from "./token-scores.ts";

/** A window of `positions` whose mean KL divergence is `kld`. */
function windowOf(kld: number, positions = 10): WindowSums {
  return { positions, kld: kld * positions, lnPplRatio: kld * positions, sameTop: positions, deltaPSquares: 0 };
}

function scoresOf(random: SeededRandom, positions: number): TokenScores {
  const made = () => Float64Array.from({ length: positions }, () => random.nextUniform());
  const sameTop = Uint8Array.from({ length: positions }, () => (random.nextUniform() < 0.8 ? 1 : 0));
  const drawn = { nllBase: made(), nll: made(), kld: made(), deltaP: made(), sameTop, notFinite: 0 };
  return { ...emptyScores(positions), ...drawn };
}

test("the figures are those of all positions together, whatever the order of the windows", () => {
  const random = new SeededRandom(1);
  const windows = [7, 30, 0, 12].map((positions) => scoresOf(random, positions));
  const expected = klStatistics(joinScores(windows));
  fc.assert(
    fc.property(fc.shuffledSubarray(windows, { minLength: windows.length }), (order) => {
      const bootstrap = new BlockBootstrap(order.map((window) => windowSums(window)));
      for (const figure of BOOTSTRAP_FIGURES) {
        expect(bootstrap.figures[figure]).toBeCloseTo(expected?.[figure].value ?? Number.NaN, 13);
      }
      expect([bootstrap.windows, bootstrap.positions]).toEqual([3, 49]);
    }),
  );
});

test("intervals hold the figure, are the same for the same seed and nearly so for another", () => {
  const random = new SeededRandom(2);
  const windows = Array.from({ length: 20 }, () => windowSums(scoresOf(random, 30)));
  const [one, again, other] = [
    new BlockBootstrap(windows),
    new BlockBootstrap(windows),
    new BlockBootstrap(windows, 5),
  ];
  for (const figure of BOOTSTRAP_FIGURES) {
    const { low, high } = one.interval(figure) ?? fail();
    expect(low).toBeLessThan(one.figures[figure]);
    expect(high).toBeGreaterThan(one.figures[figure]);
    expect(again.interval(figure)).toEqual({ low, high });
    const moved = other.interval(figure) ?? fail();
    expect(moved).not.toEqual({ low, high });
    // A bound of 2000 draws has a standard error of some 2 % of the width; two of them differ by less than five such.
    expect(Math.abs(moved.low - low)).toBeLessThan(0.14 * (high - low));
    expect(Math.abs(moved.high - high)).toBeLessThan(0.14 * (high - low));
  }
});

test("one window has a figure and no interval, none has neither", () => {
  const one = new BlockBootstrap([windowOf(0.3), windowOf(0, 0)]);
  expect(one.figures.kld).toBeCloseTo(0.3, 15);
  expect(one.windows).toBe(1);
  expect(one.interval("kld")).toBeNull();
  expect(one.difference(one, "kld")).toEqual({ value: 0, interval: null });
  const none = new BlockBootstrap([]);
  expect([none.figures.kld, none.interval("sameTopP")]).toEqual([Number.NaN, null]);
});

test("windows that are all alike have an interval without width, those of a model against itself at 0 and 1", () => {
  const same = new BlockBootstrap(Array.from({ length: 5 }, () => windowOf(0)));
  expect(BOOTSTRAP_FIGURES.map((figure) => same.interval(figure))).toEqual(
    [0, 0, 1, 0].map((value) => ({ low: value, high: value })),
  );
});

test("an interval does not reach beyond what a figure can be", () => {
  const windows = [0.1, 4].map((kld) => ({ ...windowOf(kld), sameTop: kld < 1 ? 10 : 9, deltaPSquares: kld }));
  const bootstrap = new BlockBootstrap(windows);
  expect(bootstrap.interval("kld")?.low).toBe(0);
  expect(bootstrap.interval("sameTopP")?.high).toBe(1);
  expect(bootstrap.interval("rmsDeltaP")?.low).toBe(0);
  expect(bootstrap.interval("lnPplRatio")?.low).toBeLessThan(0);
});

test("a position that is not finite leaves a figure without an interval", () => {
  const bootstrap = new BlockBootstrap([windowOf(0.1), windowOf(Number.NaN), windowOf(0.2)]);
  expect([bootstrap.figures.kld, bootstrap.interval("kld")]).toEqual([Number.NaN, null]);
  expect(bootstrap.difference(new BlockBootstrap([1, 2, 3].map((kld) => windowOf(kld))), "kld").interval).toBeNull();
});

describe("of 600 samples of a known distribution, 95 % of the intervals hold the truth", () => {
  // Three standard errors of a share of 600 about 95 %: ±2.7 %.
  const [least, most] = [0.923, 0.977];
  const normal = (random: SeededRandom) => 1 + 0.2 * random.nextNormal();

  test.each([2, 4, 8, 32])("windows whose means are normal, %i of them", (count) => {
    const share = coverage(count, normal);
    expect(share).toBeGreaterThan(least);
    expect(share).toBeLessThan(most);
  });

  test("skewed windows, 32 of them", () => {
    // Mean of a lognormal: exp(σ² / 2). Skewed samples are known to fall short by a few percent.
    const sigma = 0.6;
    const share = coverage(32, (random) => Math.exp(sigma * random.nextNormal() - sigma ** 2 / 2));
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(most);
  });

  /** Share of intervals of `count` windows that hold the mean, 1. */
  function coverage(count: number, draw: (random: SeededRandom) => number): number {
    const random = new SeededRandom(count);
    const samples = 600;
    let held = 0;
    for (let sample = 0; sample < samples; sample++) {
      const windows = Array.from({ length: count }, () => windowOf(draw(random)));
      const { low, high } = new BlockBootstrap(windows, sample).interval("lnPplRatio") ?? fail();
      if (low <= 1 && high >= 1) held++;
    }
    return held / samples;
  }
});

test("positions of one window hang together: the interval is as wide as windows differ, not as positions are many", () => {
  const random = new SeededRandom(9);
  const windows = Array.from({ length: 16 }, () => windowOf(1 + 0.2 * random.nextNormal(), 255));
  const { low, high } = new BlockBootstrap(windows).interval("kld") ?? fail();
  // 2 · t(15) · 0.2 / √16 = 0.213 for windows; as many independent positions would give 0.012.
  expect(high - low).toBeGreaterThan(0.12);
  expect(high - low).toBeLessThan(0.32);
});

test("a difference leaves out what windows do to both", () => {
  const random = new SeededRandom(4);
  const common = Array.from({ length: 16 }, () => Math.exp(random.nextNormal()));
  const apart = common.map(() => 0.05 + 0.01 * random.nextNormal());
  const better = new BlockBootstrap(common.map((kld) => windowOf(kld)));
  const worse = new BlockBootstrap(common.map((kld, window) => windowOf(kld + (apart[window] ?? 0))));
  const { value, interval } = worse.difference(better, "kld");
  expect(value).toBeCloseTo(apart.reduce((sum, difference) => sum + difference, 0) / 16, 13);
  expect(interval?.low).toBeGreaterThan(0.03);
  expect(interval?.high).toBeLessThan(0.07);
  // Each alone is far wider: their intervals overlap.
  expect(worse.interval("kld")?.low).toBeLessThan(better.interval("kld")?.high ?? 0);
  const back = better.difference(worse, "kld");
  expect(back.value).toBe(-value);
});

test("variants over other windows, or drawn otherwise, are not compared", () => {
  const three = new BlockBootstrap([1, 2, 3].map((kld) => windowOf(kld)));
  const others = [
    new BlockBootstrap([1, 2].map((kld) => windowOf(kld))),
    new BlockBootstrap([1, 2, 3].map((kld) => windowOf(kld, 11))),
    new BlockBootstrap(
      [1, 2, 3].map((kld) => windowOf(kld)),
      7,
    ),
  ];
  for (const other of others) expect(() => three.difference(other, "kld")).toThrow(LabError);
});

function fail(): never {
  throw new Error("missing");
}
