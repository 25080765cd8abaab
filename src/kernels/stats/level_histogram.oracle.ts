import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { byteAt, type IntCodes } from "../int-params.ts";

/** What changes the program of the histogram. */
export interface LevelHistogramSource extends Pick<IntCodes, "element" | "bits" | "symmetric"> {
  /** A power of two. */
  readonly binsPerLevel: number;
}

/** Weights of a run, in groups that share a scale. */
export interface LevelHistogramShape {
  readonly elements: number;
  readonly groupSize: number;
}

/**
 * One exact histogram in the first copy. A bin is guessed in float64 and then held against its edges, which are compared as
 * weight − zero-point-free edge · scale in float64: exact for the up to 24 + 14 bits of that product.
 */
export function levelHistogramOracle(
  { element, bits, symmetric, binsPerLevel }: LevelHistogramSource,
  shape: LevelHistogramShape,
  [
    weights = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    counts = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const { fromBits } = FLOAT_FORMATS[element];
  const bins = (2 ** bits + 1) * binsPerLevel;
  for (let index = 0; index < shape.elements; index++) {
    const group = Math.floor(index / shape.groupSize);
    const weight = fromBits(elementAt(weights, index, element));
    const scale = fromBits(elementAt(scales, group, element));
    if (!Number.isFinite(weight) || !Number.isFinite(scale)) continue;
    const middle = (2 ** bits + 1) / 2 + (symmetric ? 0 : byteAt(zeroPoints, group));
    const edge = (bin: number) => (bin / binsPerLevel - middle) * scale;
    let bin = Math.floor((weight / scale + middle) * binsPerLevel);
    bin = Math.min(Math.max(bin, 0), bins - 1);
    if (bin > 0 && weight < edge(bin)) bin--;
    else if (bin < bins - 1 && weight >= edge(bin + 1)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
}
