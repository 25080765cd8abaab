import { quote } from "../../base/errors.ts";
import { formatNumber } from "../../base/format.ts";
import { ACTIVATIONS_LEFT_OUT, leavesActivations, roundedWords } from "../../engine/divergence-words.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { LayerResult, SchemeResult } from "../../engine/result.ts";

/** What of a scheme's roundings the figures have, behind its description; empty where nothing needs saying. */
export function activationWords(
  scheme: Pick<SchemeResult, "roundsActivations">,
  measured: Pick<MeasureResult, "rows" | "roundings" | "calibration"> | null,
): string {
  if (measured === null) {
    const later = "; activations are rounded too: that error comes with a measurement over text";
    return scheme.roundsActivations ? later : "";
  }
  if (leavesActivations(scheme, measured)) return `; ${ACTIVATIONS_LEFT_OUT}`;
  return `; measured with ${roundedWords(measured)}`;
}

/** The finite matrix with the smallest signal over error, in words; null before one is measured. */
export function worstLayer(scheme: SchemeResult): { readonly name: string; readonly figure: string } | null {
  let worst: (LayerResult & { readonly sqnrDb: number }) | null = null;
  for (const layer of scheme.layers) {
    const { sqnrDb } = layer;
    if (sqnrDb !== null && (worst === null || sqnrDb < worst.sqnrDb)) worst = { ...layer, sqnrDb };
  }
  if (worst === null) return null;
  const name = worst.layer === null ? quote(worst.module) : `${quote(worst.moduleKind)}, layer ${worst.layer}`;
  return { name, figure: `${formatNumber(worst.sqnrDb)} dB` };
}
