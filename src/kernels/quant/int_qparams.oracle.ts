import { FLOAT_FORMATS, type FloatFormat, float32Of, roundHalfEven } from "../../base/float-format.ts";
import { setElement } from "../elements.ts";
import { type IntCodes, setByte } from "../int-params.ts";

/** What changes the program: nothing of the arithmetic, since both rules share scales and zero points. */
export type QparamsSource = Pick<IntCodes, "element" | "bits" | "symmetric">;

/** Groups of a run, and where their results go among those of other schemes. */
export interface QparamsShape {
  readonly groups: number;
  /** Place of the first group's scale and zero point: a multiple of four. */
  readonly first: number;
  /** Which five counters of corners are its own. */
  readonly slot: number;
}

/**
 * Scale and zero point of a group from the largest magnitudes on either side of zero.
 * Source: compressed-tensors 0.19 `quantization/utils/helpers.py :: calculate_qparams`.
 */
export function qparamsOf(
  { bits, symmetric }: Pick<IntCodes, "bits" | "symmetric">,
  format: FloatFormat,
  positive: number,
  negative: number,
): { readonly scale: number; readonly zeroPoint: number } {
  const steps = 2 ** bits - 1;
  const [lowest, highest] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  let scale: number;
  let zeroPoint = 0;
  if (symmetric) {
    const absmax = Number.isNaN(positive) || Number.isNaN(negative) ? Number.NaN : Math.max(positive, negative);
    scale = format.round(Math.fround(absmax / (steps / 2)));
  } else {
    const range = format.round(Math.fround(positive + negative));
    scale = format.round(Math.fround(range / steps));
    const ratio = format.round(Math.fround(-negative / scale));
    const shifted = format.round(Math.fround(lowest - ratio));
    zeroPoint = roundHalfEven(Math.min(Math.max(shifted, lowest), highest));
  }
  return { scale: scale === 0 ? format.epsilon : scale, zeroPoint: Number.isNaN(zeroPoint) ? 0 : zeroPoint };
}

/** Runs the rule group by group, and counts the corners. */
export function intQparamsOracle(
  source: QparamsSource,
  shape: QparamsShape,
  [
    extremes = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    corners = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const format = FLOAT_FORMATS[source.element];
  const count = (corner: number) => {
    corners[5 * shape.slot + corner] = (corners[5 * shape.slot + corner] ?? 0) + 1;
  };
  // Words are written whole: places that no group takes are zero.
  const padded = Math.ceil(shape.groups / 4) * 4;
  for (let group = 0; group < padded; group++) {
    if (group >= shape.groups) {
      if (!source.symmetric) setByte(zeroPoints, shape.first + group, 0);
      if (format.sizeBytes === 2 && group === shape.groups && group % 2 === 1) {
        setElement(scales, shape.first + group, 0, source.element);
      }
      continue;
    }
    const [positive, negative] = [float32Of(extremes[2 * group] ?? 0), float32Of(extremes[2 * group + 1] ?? 0)];
    const { scale, zeroPoint } = qparamsOf(source, format, positive, negative);
    setElement(scales, shape.first + group, format.toBits(scale), source.element);
    if (!source.symmetric) setByte(zeroPoints, shape.first + group, zeroPoint);
    if (Number.isNaN(scale)) count(4);
    else if (scale === Number.POSITIVE_INFINITY) count(3);
    else if (positive === 0 && negative === 0) count(0);
    else if (scale === format.epsilon && isTooSmall(source, format, positive, negative)) count(1);
    else if (scale < smallestNormal(format)) count(2);
  }
}

/** Whether the scale itself would have been 0. */
function isTooSmall(
  { bits, symmetric }: QparamsSource,
  format: FloatFormat,
  positive: number,
  negative: number,
): boolean {
  const steps = 2 ** bits - 1;
  const quotient = symmetric ? Math.max(positive, negative) / (steps / 2) : format.round(positive + negative) / steps;
  return format.round(Math.fround(quotient)) === 0;
}

function smallestNormal(format: FloatFormat): number {
  return format.name === "f16" ? 2 ** -14 : 2 ** -126;
}
