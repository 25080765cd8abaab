import { BF16, F16, F32, fourAt, valueAt } from "../assembly/elements.as";
import {
  clamped,
  divisorOf,
  isUsual,
  plainCode,
  quotientElement,
  quotientSums,
  zeroPointAt,
} from "../assembly/int-code.as";
import { packFields } from "../assembly/fields.as";
import { scratch } from "../assembly/scratch.as";

/** Weights of a piece; with any width they fill whole words. */
const BLOCK: u32 = 128;

/** Rounds to whole numbers what is added to it: 1.5 * 2^23. */
const MAGIC: f32 = 12582912;

/** Codes of integer quantization, packed stream by stream. Pieces: 128 weights of a stream. */
export function int_quantize(
  uniforms: usize,
  element: u32,
  bits: u32,
  symmetric: u32,
  precision: u32,
  storedBits: u32,
  offset: u32,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  codes: usize,
  begin: u32,
  end: u32,
): void {
  const streamLength = load<u32>(uniforms, 4);
  const groupSize = load<u32>(uniforms, 8);
  const lowest = <f32>(-(1 << (bits - 1)));
  const highest = <f32>((1 << (bits - 1)) - 1);
  const perStream = (streamLength + BLOCK - 1) / BLOCK;
  const streamBytes = ((streamLength * storedBits + 31) >> 5) << 2;
  const quotient = quotientElement(element, precision);
  for (let piece = begin; piece < end; piece++) {
    const stream = piece / perStream;
    const inStream = (piece % perStream) * BLOCK;
    const first = stream * streamLength + inStream;
    const count = min(BLOCK, streamLength - inStream);
    const last = first + count;
    let group = first / groupSize;
    for (let index = first; index < last; group++) {
      const groupEnd = min((group + 1) * groupSize, last);
      const scale = valueAt(scales, group, element);
      const zeroPoint = zeroPointAt(zeroPoints, group, symmetric);
      const usualEnd = isUsual(scale) ? index + ((groupEnd - index) & ~7) : index;
      const to = scratch + (index - first);
      if (precision == 8) {
        if (symmetric) usualCodes(BF16, 8, true, weights, index, usualEnd, to, scale, 0, lowest, highest, offset);
        else usualCodes(BF16, 8, false, weights, index, usualEnd, to, scale, zeroPoint, lowest, highest, offset);
      } else if (precision == 11) {
        usualCodes(F16, 11, false, weights, index, usualEnd, to, scale, zeroPoint, lowest, highest, offset);
      } else if (element == BF16) {
        usualCodes(BF16, 24, false, weights, index, usualEnd, to, scale, zeroPoint, lowest, highest, offset);
      } else if (element == F16) {
        usualCodes(F16, 24, false, weights, index, usualEnd, to, scale, zeroPoint, lowest, highest, offset);
      } else {
        usualCodes(F32, 24, false, weights, index, usualEnd, to, scale, zeroPoint, lowest, highest, offset);
      }
      for (index = usualEnd; index < groupEnd; index++) {
        const code = plainCode(valueAt(weights, index, element), scale, zeroPoint, lowest, highest, quotient);
        store<u8>(scratch + (index - first), <u8>(<i32>clamped(code, lowest, highest) + offset));
      }
    }
    packFields(scratch, count, storedBits, codes + <usize>stream * streamBytes + ((inStream * storedBits) >> 3));
  }
}

/** Codes of weights [index, end), a multiple of 8 of them, as bytes. */
@inline
function usualCodes(
  element: u32,
  precision: u32,
  symmetric: bool,
  weights: usize,
  index: u32,
  end: u32,
  to: usize,
  scale: f32,
  zeroPoint: f32,
  lowest: f32,
  highest: f32,
  offset: u32,
): void {
  const divisor = f32x4.splat(divisorOf(scale, precision));
  const points = f32x4.splat(zeroPoint);
  const low = f32x4.splat(lowest);
  const high = f32x4.splat(highest);
  const magic = f32x4.splat(MAGIC);
  // What the magic number leaves in the bits below the code, and the offset of stored codes.
  const shift = i16x8.splat(<i16>offset);
  const count = end - index;
  for (let at: u32 = 0; at < count; at += 8) {
    const one = quotientSums(fourAt(weights, index + at, element), divisor, points, precision, symmetric);
    const other = quotientSums(fourAt(weights, index + at + 4, element), divisor, points, precision, symmetric);
    const lower = f32x4.add(f32x4.pmin(high, f32x4.pmax(low, one)), magic);
    const upper = f32x4.add(f32x4.pmin(high, f32x4.pmax(low, other)), magic);
    // The low halves of the bits are the codes in two's complement.
    const halves = v128.shuffle<i16>(lower, upper, 0, 2, 4, 6, 8, 10, 12, 14);
    const bytes = i16x8.add(halves, shift);
    v128.store64_lane(to + at, v128.shuffle<i8>(bytes, bytes, 0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14), 0);
  }
}
