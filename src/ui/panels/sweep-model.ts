import { formatCount } from "../../base/format.ts";
import {
  besideNone,
  type ChannelChoice,
  isFew,
  keptWords,
  layerStrengthWords,
  relativeSamples,
  relativeStrength,
  type SalientChannels,
  type SampleCurve,
  type StrengthSweep,
  type SweepKind,
  salientWords,
  sampleWords,
  shareWords,
  strengthWords,
  sweptWords,
} from "../../engine/sweep-words.ts";
import { needsMethodRun, parseRecipe } from "../../schemes/recipe.ts";
import type { SweepLayersData } from "../charts/sweep-layers.ts";
import type { SweepSalientData } from "../charts/sweep-salient.ts";
import type { SweepSamplesData } from "../charts/sweep-samples.ts";
import type { SweepStrength, SweepStrengthData } from "../charts/sweep-strength.ts";
import { recipeLook } from "../parts/scheme-mark.ts";
import type { SweepAsk } from "./panel-events.ts";

const STRENGTHS = { coarse: [0, 0.2, 0.4, 0.6, 0.8, 1], fine: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] };

/** Numbers of samples while not all of the calibration text is asked for. */
const FEW_SAMPLES = [2, 4, 8, 16];

/** Windows of the measured text that a sweep can be asked over: few, since every point runs them. */
export const SWEEP_WINDOWS = [4, 8, 16] as const;

/** Shares of channels: AWQ's paper has the first two. */
export const SWEEP_SHARES = [0.01, 0.03, 0.1] as const;

/** The strengths that are asked for, rising. */
export function sweepStrengths({ isFine }: Pick<SweepAsk, "isFine">): readonly number[] {
  return isFine ? STRENGTHS.fine : STRENGTHS.coarse;
}

/** The numbers of samples that are asked for, of a calibration text of so many windows; null: the engine's own, up to all of it. */
export function sweepSamples({ isWhole }: Pick<SweepAsk, "isWhole">, windows: number): readonly number[] | null {
  if (isWhole) return null;
  const there = FEW_SAMPLES.filter((count) => count <= windows);
  return there.length === 0 ? null : there;
}

/** What a run takes, before anything runs. */
export function sweepCost(kind: SweepKind, ask: SweepAsk): string {
  const windows = `${ask.windows} windows of the measured text`;
  switch (kind) {
    case "strengths": {
      const points = sweepStrengths(ask).length;
      return `up to ${points + 2} runs: ${points} strengths, none, and one a layer; each over all of the calibration text and ${windows}`;
    }
    case "samples":
      return ask.isWhole
        ? `a run for 8, 16, 32 … and all windows of the calibration text, 512 at most, and a plain one; each over ${windows} too`
        : `up to ${FEW_SAMPLES.length + 1} runs: the method on ${FEW_SAMPLES.join(", ")} windows of the calibration text, and none; each over ${windows} too`;
    case "salient":
      return `a look at all of the calibration text, then four models side by side over ${windows}`;
  }
}

/** Why a recipe cannot be swept so; null where it can. */
export function sweepLacks(kind: SweepKind, scheme: string): string | null {
  const recipe = parseRecipe(scheme);
  if (recipe.groups.length === 0) return "it rounds nothing";
  if (kind === "samples" && !needsMethodRun(recipe)) {
    return "its weights take no samples; choose a recipe with a method, such as gptq | W4A16";
  }
  return null;
}

/** A sweep over strengths as a picture. */
export function strengthDataOf(sweep: StrengthSweep): SweepStrengthData {
  const { plain, points, best, scheme } = sweep;
  const drawn = (own: StrengthSweep["plain"]): SweepStrength => {
    const { strength, kld, interval, weights, activations } = own;
    return { strength, kld, interval, weights, activations, relative: relativeStrength(own, sweep) };
  };
  return {
    plain: drawn(plain),
    points: points.map(drawn),
    best: best?.strength ?? null,
    ties: best?.ties ?? [],
    ...colours(scheme),
    shape: "square",
    caption: strengthWords(sweep),
  };
}

/** What the layers would choose; null where none would. */
export function layersDataOf(sweep: StrengthSweep): SweepLayersData | null {
  const caption = layerStrengthWords(sweep);
  if (caption === null) return null;
  const layers = sweep.layers.map(({ layer, strength }) => {
    const point = sweep.points.find((own) => own.strength === strength);
    const own = point?.layers.find((other) => other.layer === layer);
    return { layer, strength, weights: own?.weights ?? null, activations: own?.activations ?? null };
  });
  return { layers, best: sweep.best?.strength ?? null, ...colours(sweep.scheme), caption };
}

/** A recipe that came out of a sweep, to be taken along. */
export interface FoundRecipe {
  readonly what: string;
  readonly recipe: string;
  readonly figures: string;
}

/** The recipe of the least divergence and the one with a strength a layer, once where they are the same. */
export function foundRecipes({ points, best, perLayer }: StrengthSweep): readonly FoundRecipe[] {
  const least = points.find(({ strength }) => strength === best?.strength);
  return [
    ...(least === undefined ? [] : [{ what: "least", recipe: least.recipe, figures: sweptWords(least) }]),
    ...(perLayer === null || perLayer.recipe === least?.recipe
      ? []
      : [{ what: "a strength a layer", recipe: perLayer.recipe, figures: sweptWords(perLayer) }]),
  ];
}

/** A sweep over samples as a picture. */
export function samplesDataOf(curve: SampleCurve): SweepSamplesData {
  const { plain, points, enough, scheme } = curve;
  return {
    plain,
    points: points.map((own) => {
      const { samples, kld, interval, excess, outputError, methodMs } = own;
      return { samples, kld, interval, excess, outputError, methodMs, relative: relativeSamples(own, curve) };
    }),
    enough,
    // A few windows that see no difference do not say that there is none.
    enoughWord: isFew(curve) ? `≈ ${formatCount(points.at(-1)?.samples ?? 0)}` : "enough",
    ...colours(scheme),
    shape: recipeLook(scheme).shape ?? null,
    caption: sampleWords(curve),
  };
}

const CHOICES: Readonly<Record<ChannelChoice, string>> = {
  none: "none",
  activations: "loudest inputs",
  weights: "largest weights",
  random: "at random",
};

/** Kept channels as a picture. */
export function salientDataOf(salient: SalientChannels): SweepSalientData {
  return {
    choices: salient.rows.map(({ choice, kld, interval, gain }) => ({
      ...{
        name: CHOICES[choice],
        isPlain: choice === "none",
        kld,
        interval,
        gain,
        beside: besideNone(salient, choice),
      },
      outcome: choice === "none" ? "" : keptWords(salient, choice),
    })),
    family: colours(salient.recipe).family,
    caption: salientWords(salient),
  };
}

/** Of which channels of which recipe the bars are: `keeps 12 of 1 024 channels of 28 matrices of W3A16, 1 left out`. */
export function salientGround({ recipe, channels, matrices, leftOut, share }: SalientChannels): string {
  const left =
    leftOut === 0 ? "" : `; ${formatCount(leftOut)} ${leftOut === 1 ? "matrix is" : "matrices are"} left out`;
  return `${shareWords(share)}: ${formatCount(channels.kept)} of ${formatCount(channels.all)} input channels of ${formatCount(matrices)} matrices of ${recipe}${left}`;
}

function colours(scheme: string): { readonly family: string; readonly isHollow: boolean } {
  const [fill] = recipeLook(scheme).fills;
  return { family: fill?.family ?? "orig", isHollow: fill?.isHollow ?? false };
}
