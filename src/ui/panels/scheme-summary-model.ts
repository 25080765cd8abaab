import { quote } from "../../base/errors.ts";
import { formatNumber } from "../../base/format.ts";
import type { LayerResult, SchemeResult } from "../../engine/result.ts";

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
