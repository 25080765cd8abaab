import { formatBytes, formatCount, formatNumber, formatPercent } from "../../base/format.ts";
import { cornerWords } from "../../engine/corner-words.ts";
import type { LayerResult } from "../../engine/result.ts";
import { parseRecipe } from "../../schemes/recipe.ts";
import { DIVERGENCE_WORDS } from "../parts/metric-words.ts";
import { shortName } from "../parts/safe-name.ts";

/** One figure of a matrix. */
export interface FactRow {
  readonly name: string;
  readonly glyph: string;
  readonly words: string;
  readonly text: string;
}

/** The figures of one matrix. */
export function factRows(layer: LayerResult): readonly FactRow[] {
  const overAll = "Measured here, over all weights of this matrix";
  const measured = (name: string, value: number | null, write = formatNumber, unit = "", words = overAll): FactRow => ({
    name,
    glyph: "●",
    words,
    text: value === null ? "–" : `${write(value)}${unit}`,
  });
  const rows: FactRow[] = [
    measured("Signal over error", layer.sqnrDb, formatNumber, " dB"),
    measured("Relative squared error", layer.relativeMse),
    measured("Mean squared error", layer.mse),
    measured("Largest error of one weight", layer.maxAbsError),
    measured("Cosine with the original", layer.cosine),
  ];
  if (layer.scheme !== null) {
    rows.push(
      measured("Clipped weights", layer.clippedShare, formatPercent),
      measured("Levels used", layer.usedLevels, formatPercent),
    );
  }
  rows.push(
    measured(
      "Weight-histogram divergence",
      layer.histogramDivergence,
      formatNumber,
      " bits",
      `Measured here over ${formatCount(layer.histogramSamples)} weights: ${DIVERGENCE_WORDS}`,
    ),
    {
      name: "Stored for this matrix",
      glyph: "ƒ",
      words: "Computed: the layout that export writes, to the byte",
      text: formatBytes(layer.storedBytes),
    },
  );
  const { weights: bad, reconstructions } = layer.notFinite;
  if (bad > 0 || reconstructions > 0) {
    rows.push({
      name: "Not finite: weights · after",
      glyph: "●",
      words: overAll,
      text: `${formatCount(bad)} · ${formatCount(reconstructions)}`,
    });
  }
  return rows;
}

/** Corners of the arithmetic that this matrix meets, as one sentence; empty as a rule. */
export function cornerSentence({ corners }: LayerResult): string {
  return corners.length === 0 ? "" : `${corners.map(cornerWords).join("; ")}.`;
}

/** What of a recipe applies to this matrix, where the recipe's name alone does not say it; else empty. */
export function appliesWords(layer: LayerResult, recipe: string): string {
  if (layer.scheme === null) return "only pruned here, not quantized";
  try {
    const { pruning, groups } = parseRecipe(recipe);
    const scheme = shortName(layer.scheme);
    if (pruning !== null) return `pruned first, then ${scheme}`;
    return groups.length > 1 ? `${scheme} applies here` : "";
  } catch {
    return "";
  }
}

/** The shape in words: `256 × 768`. */
export function shapeWords(layer: LayerResult): string {
  return `${formatCount(layer.rows)} × ${formatCount(layer.cols)}`;
}
