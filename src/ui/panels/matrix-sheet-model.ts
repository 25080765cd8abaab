import type { LabErrorData } from "../../base/errors.ts";
import { formatBytes, formatCount, formatNumber } from "../../base/format.ts";
import type { HistogramResult } from "../../engine/api.ts";
import type { LayerResult } from "../../engine/result.ts";

/** The histogram of the chosen matrix, on its way or failed. */
export type HistogramView =
  | { readonly state: "none" }
  | { readonly state: "waiting" }
  | { readonly state: "ready"; readonly result: HistogramResult }
  | { readonly state: "failed"; readonly error: LabErrorData };

/** One line of the sheet. */
export interface SheetRow {
  readonly name: string;
  readonly glyph: string;
  readonly words: string;
  readonly text: string;
}

/** The figures of one matrix. */
export function sheetRows(layer: LayerResult): readonly SheetRow[] {
  const weights = "Measured here, over all weights of this matrix";
  const measured = (name: string, value: number | null, unit = ""): SheetRow => ({
    name,
    glyph: "●",
    words: weights,
    text: value === null ? "–" : `${formatNumber(value)}${unit}`,
  });
  const rows: SheetRow[] = [
    measured("Signal over error", layer.sqnrDb, " dB"),
    measured("Relative squared error", layer.relativeMse),
    measured("Mean squared error", layer.mse),
    measured("Largest error of one weight", layer.maxAbsError),
    measured("Cosine with the original", layer.cosine),
    {
      name: "Stored: codes, scales, shape",
      glyph: "ƒ",
      words: "Computed: the layout of the scheme, to the byte",
      text: formatBytes(layer.storedBytes),
    },
  ];
  const { weights: bad, reconstructions } = layer.notFinite;
  if (bad > 0 || reconstructions > 0) {
    rows.push({
      name: "Not finite: weights · after",
      glyph: "●",
      words: weights,
      text: `${formatCount(bad)} · ${formatCount(reconstructions)}`,
    });
  }
  return rows;
}

/** What a histogram says: how many of its levels are taken. */
export function histogramCaption(result: HistogramResult): { readonly strong: string; readonly plain: string } {
  const levels = result.codes.length;
  const used = result.codes.filter((count) => count > 0).length;
  const plain = "Outline: its weights in steps of their own scale. Comb: the codes they become.";
  if (used === levels) return { strong: `All ${levels} levels are taken.`, plain };
  return { strong: `${used} of ${levels} levels are taken.`, plain };
}

/** The shape in words: `256 × 768`. */
export function shapeWords(layer: LayerResult): string {
  return `${formatCount(layer.rows)} × ${formatCount(layer.cols)}`;
}
