import { fromBf16 } from "../../base/bfloat16.ts";
import { halfAt } from "../halves.ts";
import type { IntShape } from "../int-params.ts";

/** What changes the program of the histogram. */
export interface LevelHistogramSource {
  readonly bits: 4 | 8;
  readonly binsPerLevel: number;
}

/**
 * One exact histogram in the first copy. The quotient is decided in float64, which holds every product of a bf16 scale and
 * a bin edge without rounding.
 */
export function levelHistogramOracle(
  { bits, binsPerLevel }: LevelHistogramSource,
  shape: IntShape,
  [weights = new Uint32Array(), scales = new Uint32Array(), counts = new Uint32Array()]: readonly Uint32Array[],
): void {
  const bins = (2 ** bits + 1) * binsPerLevel;
  for (let index = 0; index < shape.groups * shape.groupSize; index++) {
    const weight = fromBf16(halfAt(weights, index));
    const scale = fromBf16(halfAt(scales, Math.floor(index / shape.groupSize)));
    if (!Number.isFinite(weight) || !Number.isFinite(scale)) continue;
    const edge = (bin: number) => (bin / binsPerLevel - (2 ** bits + 1) / 2) * scale;
    let bin = Math.floor((weight / scale + (2 ** bits + 1) / 2) * binsPerLevel);
    bin = Math.min(Math.max(bin, 0), bins - 1);
    if (bin > 0 && weight < edge(bin)) bin--;
    else if (bin < bins - 1 && weight >= edge(bin + 1)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
}
