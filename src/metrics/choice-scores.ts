import type { Interval } from "./block-bootstrap.ts";

/** How often two models answer the same items right. */
export interface PairedAnswers {
  /** Items that both answer right, only the first, only the second, and neither. */
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

/**
 * The choice with the largest likelihood, the first where several have it.
 * @param logLikelihoods one for each choice, in nats; NaN where a model gave none, which is never chosen
 * @returns null where no choice has one
 */
export function likeliestChoice(logLikelihoods: readonly number[]): number | null {
  let best: number | null = null;
  for (const [choice, own] of logLikelihoods.entries()) {
    if (!Number.isNaN(own) && (best === null || own > (logLikelihoods[best] ?? Number.NaN))) best = choice;
  }
  return best;
}

/** @param first whether the first model is right, item by item; `second` the same of the same items */
export function pairAnswers(first: readonly boolean[], second: readonly boolean[]): PairedAnswers {
  const count = (one: boolean, other: boolean) =>
    first.filter((own, item) => own === one && second[item] === other).length;
  return {
    both: count(true, true),
    onlyFirst: count(true, false),
    onlySecond: count(false, true),
    neither: count(false, false),
  };
}

/** Standard normal quantile at (1 + 0.95) / 2. */
const NORMAL_QUANTILE = 1.959963984540054;

/**
 * The interval, at 95 % confidence, of how much more often the first model is right than the second, on the same items. Each
 * share has its score interval, and their distances from the shares are joined with the correlation φ of the two, so that it
 * neither collapses where the models never differ nor leaves −1 … 1. Sound for few items, where the textbook's is not.
 * @returns null for fewer than two items
 * Source: Newcombe, Improved confidence intervals for the difference between binomial proportions based on paired data,
 *   Statistics in Medicine 17, 1998, 2635–2650, method 10; score intervals by Wilson 1927.
 */
export function pairedDifferenceInterval({ both, onlyFirst, onlySecond, neither }: PairedAnswers): Interval | null {
  const items = both + onlyFirst + onlySecond + neither;
  if (items < 2) return null;
  const [firstRight, secondRight] = [both + onlyFirst, both + onlySecond];
  const difference = (onlyFirst - onlySecond) / items;
  const [first, second] = [scoreDistances(firstRight, items), scoreDistances(secondRight, items)];
  const margins = firstRight * (items - firstRight) * secondRight * (items - secondRight);
  const product = both * neither - onlyFirst * onlySecond;
  // Corrected for continuity where it would narrow the interval.
  const corrected = product > 0 ? Math.max(0, product - items / 2) : product;
  const correlation = margins === 0 ? 0 : corrected / Math.sqrt(margins);
  const joined = (one: number, other: number) =>
    Math.sqrt(Math.max(0, one ** 2 - 2 * correlation * one * other + other ** 2));
  return {
    low: difference - joined(first.below, second.above),
    high: difference + joined(second.below, first.above),
  };
}

/** How far Wilson's bounds of a share lie below and above it. */
function scoreDistances(right: number, items: number): { readonly below: number; readonly above: number } {
  const share = right / items;
  const square = NORMAL_QUANTILE ** 2;
  const middle = (share + square / (2 * items)) / (1 + square / items);
  const half =
    (NORMAL_QUANTILE * Math.sqrt((share * (1 - share)) / items + square / (4 * items ** 2))) / (1 + square / items);
  return { below: share - (middle - half), above: middle + half - share };
}

/**
 * How many items a model must lose, and win none, until the interval of the difference leaves out nothing.
 * @param right items that the original answers right
 * @returns null where losing all of them would not do
 */
export function leastTellingLoss(right: number, items: number): number | null {
  for (let lost = 1; lost <= right; lost++) {
    const answers = { both: right - lost, onlyFirst: 0, onlySecond: lost, neither: items - right };
    const interval = pairedDifferenceInterval(answers);
    if (interval !== null && interval.high < 0) return lost;
  }
  return null;
}
