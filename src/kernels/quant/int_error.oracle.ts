import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { byteAt, type IntCodes } from "../int-params.ts";
import { intCoder } from "./int_code.oracle.ts";

/** What changes the program. */
export interface IntErrorSource extends Pick<IntCodes, "element" | "arithmetic"> {
  /** Whether weights are other than the originals; else both bindings are the same buffer. */
  readonly isPruned: boolean;
}

/** One scheme of a run. */
export interface ErrorScheme {
  /** 0: the weights themselves are the reconstruction. */
  readonly bits: number;
  readonly symmetric: boolean;
  readonly groupSize: number;
  /** Place of its first group among scales and zero points, a multiple of four. */
  readonly first: number;
}

/** Weights of a run and the schemes that are measured on them, up to eight. */
export interface IntErrorShape {
  readonly elements: number;
  readonly schemes: readonly ErrorScheme[];
}

const BLOCK = 256;
const SCHEME_WORDS = 6;

/**
 * The sums of a block in float64, then stored as float32 in units of the power of two below its largest original.
 * Source of the figures: squared error of `_dequantize(_quantize(x))` of compressed-tensors 0.19.
 */
export function intErrorOracle(
  source: IntErrorSource,
  { elements, schemes }: IntErrorShape,
  [
    original = new Uint32Array(),
    weights = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    levels = new Uint32Array(),
    sums = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const { element } = source;
  const format = FLOAT_FORMATS[element];
  const floats = new Float32Array(sums.buffer, sums.byteOffset, sums.length);
  const restorers = schemes.map((scheme, number) =>
    scheme.bits === 0
      ? (index: number) => ({ value: format.fromBits(elementAt(weights, index, element)), isClipped: false })
      : restorer(source, scheme, number, { weights, scales, zeroPoints, levels }),
  );
  for (let block = 0; block * BLOCK < elements; block++) {
    const [first, end] = [block * BLOCK, Math.min((block + 1) * BLOCK, elements)];
    const values = Array.from({ length: end - first }, (_, i) =>
      format.fromBits(elementAt(original, first + i, element)),
    );
    const finite = values.filter(Number.isFinite);
    const largest = finite.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const exponent = largest === 0 ? 0 : floorLog2(largest);
    const unit = 2 ** exponent;
    const place = block * (2 + SCHEME_WORDS * schemes.length);
    floats[place] = finite.reduce((sum, value) => sum + (value / unit) ** 2, 0);
    sums[place + 1] = (exponent + 512) * 65536 + values.length - finite.length;
    for (const [number, restore] of restorers.entries()) {
      const total = { error: 0, largest: 0, product: 0, reconstruction: 0, overflows: 0, clipped: 0 };
      for (const [i, value] of values.entries()) {
        const restored = restore(first + i);
        if (restored.isClipped) total.clipped++;
        if (!Number.isFinite(restored.value)) {
          total.overflows++;
          continue;
        }
        if (!Number.isFinite(value)) continue;
        const [x, y] = [value / unit, restored.value / unit];
        total.error += (x - y) ** 2;
        total.largest = Math.max(total.largest, Math.abs(x - y));
        total.product += x * y;
        total.reconstruction += y * y;
      }
      // The errors of pruning alone are as large as what was pruned.
      const isPruning = schemes[number]?.bits === 0;
      const errorExponent = isPruning && total.largest > 0 ? floorLog2(total.largest * unit) : exponent;
      const toUnit = unit / 2 ** errorExponent;
      const at = place + 2 + SCHEME_WORDS * number;
      floats[at] = total.error * toUnit ** 2;
      floats[at + 1] = total.largest * toUnit;
      floats[at + 2] = total.product;
      floats[at + 3] = total.reconstruction;
      sums[at + 4] = total.overflows * 65536 + total.clipped;
      sums[at + 5] = errorExponent + 512;
    }
  }
}

type Restored = { readonly value: number; readonly isClipped: boolean };

/** What each weight becomes under a scheme; notes which levels occur. */
function restorer(
  source: IntErrorSource,
  scheme: ErrorScheme,
  number: number,
  buffers: Readonly<Record<"weights" | "scales" | "zeroPoints" | "levels", Uint32Array>>,
): (index: number) => Restored {
  const { element }: { element: FloatName } = source;
  const format = FLOAT_FORMATS[element];
  const codeOf = intCoder({ ...source, bits: scheme.bits, symmetric: scheme.symmetric });
  const { weights, scales, zeroPoints, levels } = buffers;
  return (index) => {
    const place = scheme.first + Math.floor(index / scheme.groupSize);
    const scale = format.fromBits(elementAt(scales, place, element));
    const zeroPoint = scheme.symmetric ? 0 : byteAt(zeroPoints, place);
    const { code, isClipped } = codeOf(format.fromBits(elementAt(weights, index, element)), scale, zeroPoint);
    const level = code + 2 ** (scheme.bits - 1);
    const word = number * 8 + Math.floor(level / 32);
    levels[word] = (levels[word] ?? 0) | (1 << (level % 32));
    return { value: format.round((code - zeroPoint) * scale), isClipped };
  };
}

/** Largest e with 2^e ≤ value, for a positive finite value; the logarithm alone may be off by one at a power of two. */
function floorLog2(value: number): number {
  const guess = Math.floor(Math.log2(value) + 0.5);
  return 2 ** guess <= value ? guess : guess - 1;
}
