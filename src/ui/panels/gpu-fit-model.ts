import { formatBytes } from "../../base/format.ts";
import type { FitResult } from "../../engine/result.ts";
import { shortName } from "../parts/safe-name.ts";

/** Whether a scheme fits, as a sentence. */
export interface FitSentence {
  readonly strong: string;
  readonly plain: string;
}

/** The answer first, then what is left or missing. */
export function fitSentence(recipe: string, fit: FitResult): FitSentence {
  const gpu = fit.gpu;
  const scheme = shortName(recipe);
  if (fit.freeBytes === undefined || fit.kvCacheBytes === undefined) {
    const plain = "The architecture is not known here, so its KV cache is not counted.";
    if (fit.fits === false) return { strong: `${scheme} does not fit on one ${gpu}.`, plain };
    return { strong: `The weights of ${scheme} fit on one ${gpu}.`, plain };
  }
  if (fit.fits === true) {
    return { strong: `${scheme} fits on one ${gpu}.`, plain: `${formatBytes(fit.freeBytes.value)} stay free.` };
  }
  return {
    strong: `${scheme} does not fit on one ${gpu}.`,
    plain: `It lacks ${formatBytes(fit.freeBytes.value).replace("−", "")}.`,
  };
}

/** A whole number from 1 to `max` that a person typed, or null. */
export function wholeNumber(text: string, max: number): number | null {
  const clean = text.replace(/[\s\u2009,_]/g, "");
  if (!/^\d{1,9}$/.test(clean)) return null;
  const value = Number(clean);
  return value >= 1 && value <= max ? value : null;
}
