import { LabError } from "../base/errors.ts";
import { SeededRandom } from "../base/random.ts";
import { quantile } from "./kl-statistics.ts";
import type { TokenScores } from "./token-scores.ts";

/** Sums over some scored positions of one window. */
export interface WindowSums {
  readonly positions: number;
  /** KL divergence, nats. */
  readonly kld: number;
  /** ln p − ln q of the tokens that came next: its mean is ln(PPL ratio). */
  readonly lnPplRatio: number;
  /** Positions with the same most likely token. */
  readonly sameTop: number;
  /** (Δp)². */
  readonly deltaPSquares: number;
}

/**
 * The sums of one window's scores.
 * @param rows which of them; all unless said
 */
export function windowSums(scores: TokenScores, rows: Iterable<number> = scores.kld.keys()): WindowSums {
  const sums = { positions: 0, kld: 0, lnPplRatio: 0, sameTop: 0, deltaPSquares: 0 };
  for (const row of rows) {
    sums.positions++;
    sums.kld += scores.kld[row] ?? 0;
    sums.lnPplRatio += (scores.nll[row] ?? 0) - (scores.nllBase[row] ?? 0);
    sums.sameTop += scores.sameTop[row] ?? 0;
    sums.deltaPSquares += (scores.deltaP[row] ?? 0) ** 2;
  }
  return sums;
}

/** Bounds of a figure at 95 % confidence, both inclusive. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The figures that have intervals, under the names they have among `KlStatistics`. */
export const BOOTSTRAP_FIGURES = ["kld", "lnPplRatio", "sameTopP", "rmsDeltaP"] as const;
export type BootstrapFigure = (typeof BOOTSTRAP_FIGURES)[number];

/** What a figure can be at all: an interval does not reach beyond. */
const BOUNDS: Readonly<Record<BootstrapFigure, Interval>> = {
  kld: { low: 0, high: Number.POSITIVE_INFINITY },
  lnPplRatio: { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
  sameTopP: { low: 0, high: 1 },
  rmsDeltaP: { low: 0, high: 1 },
};

/** Share of intervals that hold the truth. */
const CONFIDENCE = 0.95;

/** Standard normal quantile at (1 + CONFIDENCE) / 2. */
const NORMAL_QUANTILE = 1.959963984540054;

/** Enough for bounds that move by some 3 % of their width from seed to seed. */
const RESAMPLES = 2000;

/** Any seed does: the same for all variants, so that they are drawn alike. */
const SEED = 20_817;

/**
 * Intervals of one variant's figures by block bootstrap: windows are drawn again and again, with replacement, as many as
 * there are, and the figure of each draw is taken. A window is a block, since what stands in one text hangs together, while
 * the plain standard error takes every position for independent. Windows without a scored position are left out.
 *
 * The percentile interval of few windows is too narrow: it is stretched about the figure by t·√(n / (n − 1)) / z, t and z the
 * quantiles of Student's distribution with n − 1 degrees of freedom and of the normal one. One window has no interval.
 *
 * Draws depend on the seed and the number of windows alone. Two variants over the same windows are hence drawn in pairs,
 * and the interval of their difference leaves out what a text does to both alike.
 * Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13; the stretch is that of the
 * expanded percentile interval in Hesterberg, What Teachers Should Know About the Bootstrap, 2015.
 */
export class BlockBootstrap {
  /** Figures of all windows. NaN where nothing is scored; a position that is not finite leaves `sameTopP` alone. */
  readonly figures: Readonly<Record<BootstrapFigure, number>>;
  readonly #windows: readonly WindowSums[];
  readonly #seed: number;
  #drawn: Readonly<Record<BootstrapFigure, Float64Array>> | null = null;

  constructor(windows: readonly WindowSums[], seed: number = SEED) {
    this.#windows = windows.filter(({ positions }) => positions > 0);
    this.#seed = seed;
    const total = (of: keyof WindowSums) => this.#windows.reduce((sum, window) => sum + window[of], 0);
    const positions = total("positions");
    this.figures = {
      kld: total("kld") / positions,
      lnPplRatio: total("lnPplRatio") / positions,
      sameTopP: total("sameTop") / positions,
      rmsDeltaP: Math.sqrt(total("deltaPSquares") / positions),
    };
  }

  /** Windows that are drawn from. */
  get windows(): number {
    return this.#windows.length;
  }

  /** Scored positions of all windows. */
  get positions(): number {
    return this.#windows.reduce((sum, { positions }) => sum + positions, 0);
  }

  /**
   * The interval of a figure.
   * @returns null for fewer than two windows, and where a position is not finite
   */
  interval(figure: BootstrapFigure): Interval | null {
    const interval = stretchedInterval(this.figures[figure], this.#resamples()[figure], this.windows);
    if (interval === null) return null;
    const { low, high } = BOUNDS[figure];
    return { low: Math.max(interval.low, low), high: Math.min(interval.high, high) };
  }

  /**
   * How much larger a figure is than another variant's over the same windows.
   * @returns `interval` null as for a single figure
   * @throws LabError `run/unpaired-windows`
   */
  difference(
    other: BlockBootstrap,
    figure: BootstrapFigure,
  ): { readonly value: number; readonly interval: Interval | null } {
    this.#checkPairs(other);
    const value = this.figures[figure] - other.figures[figure];
    const others = other.#resamples()[figure];
    const drawn = this.#resamples()[figure].map((own, index) => own - (others[index] ?? 0));
    return { value, interval: stretchedInterval(value, drawn, this.windows) };
  }

  #checkPairs(other: BlockBootstrap): void {
    const [own, others] = [this, other].map((one) => one.#windows.map(({ positions }) => positions).join(" "));
    if (own === others && this.#seed === other.#seed) return;
    throw new LabError({
      code: "run/unpaired-windows",
      doing: "comparing two variants window by window",
      found: `${this.windows} windows of ${this.positions} positions and ${other.windows} of ${other.positions}, or other seeds`,
      allowed: "the same windows for both, drawn with the same seed",
      advice: "measure both on the same text",
    });
  }

  /** Figures of each draw, made once. */
  #resamples(): Readonly<Record<BootstrapFigure, Float64Array>> {
    this.#drawn ??= resample(this.#windows, this.#seed);
    return this.#drawn;
  }
}

function resample(windows: readonly WindowSums[], seed: number): Readonly<Record<BootstrapFigure, Float64Array>> {
  const count = windows.length < 2 ? 0 : RESAMPLES;
  const column = (of: keyof WindowSums) => Float64Array.from(windows, (window) => window[of]);
  const [positions, klds, lnPplRatios] = [column("positions"), column("kld"), column("lnPplRatio")];
  const [sameTops, deltaPSquares] = [column("sameTop"), column("deltaPSquares")];
  const drawn = {
    kld: new Float64Array(count),
    lnPplRatio: new Float64Array(count),
    sameTopP: new Float64Array(count),
    rmsDeltaP: new Float64Array(count),
  };
  const random = new SeededRandom(seed);
  for (let index = 0; index < count; index++) {
    let [scored, kld, lnPplRatio, sameTop, squares] = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < windows.length; draw++) {
      const window = Math.floor(random.nextUniform() * windows.length);
      scored += positions[window] ?? 0;
      kld += klds[window] ?? 0;
      lnPplRatio += lnPplRatios[window] ?? 0;
      sameTop += sameTops[window] ?? 0;
      squares += deltaPSquares[window] ?? 0;
    }
    drawn.kld[index] = kld / scored;
    drawn.lnPplRatio[index] = lnPplRatio / scored;
    drawn.sameTopP[index] = sameTop / scored;
    drawn.rmsDeltaP[index] = Math.sqrt(squares / scored);
  }
  return drawn;
}

function stretchedInterval(value: number, drawn: Float64Array, windows: number): Interval | null {
  if (windows < 2 || !Number.isFinite(value)) return null;
  const sorted = drawn.toSorted();
  const stretch = (studentQuantile(windows - 1) / NORMAL_QUANTILE) * Math.sqrt(windows / (windows - 1));
  const boundAt = (fraction: number) => value + (quantile(sorted, fraction) - value) * stretch;
  return { low: boundAt((1 - CONFIDENCE) / 2), high: boundAt((1 + CONFIDENCE) / 2) };
}

/** Quantiles of Student's distribution at (1 + CONFIDENCE) / 2 for 1 to 5 degrees of freedom. */
const STUDENT_QUANTILES = [12.706204736, 4.30265273, 3.182446305, 2.776445105, 2.570581836];

/**
 * Student's quantile at (1 + CONFIDENCE) / 2, to 0.002: a table for few degrees of freedom, a series for more.
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
 */
function studentQuantile(degrees: number): number {
  const z = NORMAL_QUANTILE;
  const known = STUDENT_QUANTILES[degrees - 1];
  if (known !== undefined) return known;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
}
