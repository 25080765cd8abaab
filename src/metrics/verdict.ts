import type { BlockBootstrap, Interval } from "./block-bootstrap.ts";

/** What the measurement says of one variant. */
export interface RankedVariant {
  /** Its place among the variants that were handed in. */
  readonly variant: number;
  /** Mean KL divergence, nats; null where a position is not finite or nothing is scored. */
  readonly kld: number | null;
  readonly interval: Interval | null;
  /** Whether it diverges no more than the original does from itself in the arithmetic of the noise floor; null without one. */
  readonly isBelowFloor: boolean | null;
}

/** Why two variants are a tie: their difference's interval holds 0, or the difference is no larger than the noise floor. */
export type TieReason = "interval" | "noise-floor";

/** Two variants side by side. */
export interface PairVerdict {
  /** The one that diverges less, and the other; numbers of variants. */
  readonly pair: readonly [better: number, worse: number];
  /** How much more the other diverges, nats. */
  readonly difference: number;
  /** Of that, drawn in pairs; null for one window. */
  readonly interval: Interval | null;
  /** Null where they are apart, or nothing can be said yet since there is no interval. */
  readonly tie: TieReason | null;
  /** Whether more windows are unlikely to change what is said of these two. */
  readonly isSettled: boolean;
}

/** What several variants' divergences over the same windows amount to. */
export interface Verdict {
  /** The least divergent first; those without a figure last. */
  readonly ranking: readonly RankedVariant[];
  /** Every pair of variants that have a figure, in the order of the ranking. */
  readonly pairs: readonly PairVerdict[];
  /** Mean KL divergence of the noise floor; null without one. */
  readonly floor: number | null;
  /** Whether all neighbours in the ranking are settled: a run may stop here. */
  readonly isSettled: boolean;
}

/** Nothing settles on fewer windows: whoever looks after every window has as many chances to be wrong as looks. */
const MIN_SETTLED_WINDOWS = 8;

/** Variants whose divergences surely differ by less than this share of the larger one are as good as each other. */
const TIE_MARGIN = 0.1;

/**
 * Ranks variants by mean KL divergence and says which differences are real.
 *
 * Two are a tie where the 95 % interval of their paired difference holds 0, or where the difference is no larger than the
 * noise floor: what the original's own arithmetic in bf16 adds. A pair that is apart is settled. A tie is settled once the
 * whole interval lies within the noise floor or a tenth of the larger divergence, whichever is more: whatever more windows
 * show, the two stay within that. The ranking is settled when all neighbours are; a variant without a neighbour, when its own
 * interval lies within a tenth of its divergence, or below the floor. Fewer than eight windows settle nothing.
 * @param variants over the same windows
 * @param floor the original in bf16 arithmetic against itself, over any windows; null where that was not measured
 * @throws LabError `run/unpaired-windows`
 */
export function judgeVariants(variants: readonly BlockBootstrap[], floor: BlockBootstrap | null): Verdict {
  const floorKld = floor === null ? null : finiteOrNull(floor.figures.kld);
  const all = variants.map((bootstrap, variant) => {
    const kld = finiteOrNull(bootstrap.figures.kld);
    const isBelowFloor = kld === null || floorKld === null ? null : kld <= floorKld;
    return { bootstrap, ranked: { variant, kld, interval: bootstrap.interval("kld"), isBelowFloor } };
  });
  // Equal ones keep their order: sorting is stable.
  all.sort(
    (one, other) => (one.ranked.kld ?? Number.POSITIVE_INFINITY) - (other.ranked.kld ?? Number.POSITIVE_INFINITY),
  );
  const measured = all.filter(({ ranked }) => ranked.kld !== null);
  const pairs: PairVerdict[] = [];
  let settledNeighbours = 0;
  for (const [place, better] of measured.entries()) {
    for (const [offset, worse] of measured.slice(place + 1).entries()) {
      const verdict = judgePair(better, worse, floorKld);
      pairs.push(verdict);
      if (offset === 0 && verdict.isSettled) settledNeighbours++;
    }
  }
  const [only] = measured;
  const isSettled =
    measured.length === 1 && only ? isFigureSettled(only, floorKld) : settledNeighbours === measured.length - 1;
  return { ranking: all.map(({ ranked }) => ranked), pairs, floor: floorKld, isSettled };
}

interface Measured {
  readonly bootstrap: BlockBootstrap;
  readonly ranked: RankedVariant;
}

function judgePair(better: Measured, worse: Measured, floor: number | null): PairVerdict {
  const { value: difference, interval } = worse.bootstrap.difference(better.bootstrap, "kld");
  const pair = [better.ranked.variant, worse.ranked.variant] as const;
  if (interval === null) return { pair, difference, interval, tie: null, isSettled: false };
  // The difference is not below nothing: an interval that leaves out 0 lies above it.
  const tie = floor !== null && difference <= floor ? "noise-floor" : interval.low <= 0 ? "interval" : null;
  const margin = Math.max(floor ?? 0, TIE_MARGIN * (worse.ranked.kld ?? 0));
  const isDecided = tie === null || Math.max(-interval.low, interval.high) <= margin;
  return { pair, difference, interval, tie, isSettled: isDecided && hasEnoughWindows(worse) };
}

function isFigureSettled({ bootstrap, ranked }: Measured, floor: number | null): boolean {
  const { kld, interval } = ranked;
  if (kld === null || interval === null || !hasEnoughWindows({ bootstrap })) return false;
  return interval.high <= (floor ?? 0) || Math.max(kld - interval.low, interval.high - kld) <= TIE_MARGIN * kld;
}

function hasEnoughWindows({ bootstrap }: Pick<Measured, "bootstrap">): boolean {
  return bootstrap.windows >= MIN_SETTLED_WINDOWS;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
