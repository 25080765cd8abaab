import { formatNumber } from "../../base/format.ts";
import type { MeasuredTokens, TokenScores } from "../../engine/measure-result.ts";
import { divergenceReached, shareAtLeast, survivalCurve } from "../../engine/word-statistics.ts";
import type { Caption } from "../charts/chart.ts";
import type { SurvivalData, SurvivalLine } from "../charts/survival-curve.ts";
import { shortName } from "../parts/safe-name.ts";
import { recipeLook } from "../parts/scheme-mark.ts";

/** Nats at which the curves are read out. */
const LEVELS = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10] as const;

type Curve = Pick<SurvivalLine, "points" | "shares">;

/** Sorted once for each state of a measurement. */
const known = new WeakMap<TokenScores, Curve>();

function curveOf(scores: TokenScores): Curve {
  const before = known.get(scores);
  if (before !== undefined) return before;
  const points = survivalCurve(scores.kld);
  const curve = { points, shares: LEVELS.map((level) => shareAtLeast(scores.kld, level)) };
  known.set(scores, curve);
  return curve;
}

/** A line for each measured model; null where none has a position. Checkpoints that were given are no recipes to choose. */
export function survivalOf(
  tokens: MeasuredTokens | null,
  recipes: readonly string[],
  chosen: string,
): SurvivalData | null {
  if (tokens === null || tokens.windows.length === 0) return null;
  const lines = tokens.rows.map(({ scheme, scores }): SurvivalLine => {
    const isRecipe = recipes.includes(scheme);
    const [fill] = isRecipe ? recipeLook(scheme).fills : [];
    return {
      ...curveOf(scores),
      scheme: isRecipe ? scheme : null,
      name: shortName(scheme),
      family: fill?.family ?? "orig",
      isHollow: fill?.isHollow ?? false,
      isChosen: scheme === chosen,
    };
  });
  const row = tokens.rows.find(({ scheme }) => scheme === chosen);
  return { lines, levels: LEVELS, positions: tokens.windows.length, caption: captionOf(row?.scores, chosen) };
}

function captionOf(scores: TokenScores | undefined, scheme: string): Caption {
  const plain = "Every position counts once; a line that ends further left hurts nowhere much.";
  const tenth = scores === undefined ? null : divergenceReached(scores.kld, 0.1);
  const hundredth = scores === undefined ? null : divergenceReached(scores.kld, 0.01);
  if (tenth === null || hundredth === null) return { strong: "How far do how many predictions move?", plain };
  const strong = `Under ${shortName(scheme)} one prediction in ten moves by ${formatNumber(tenth, 2)} nats or more, one in a hundred by ${formatNumber(hundredth, 2)}.`;
  return { strong, plain };
}
