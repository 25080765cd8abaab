import { BF16, F16, F32, narrowed, narrowedF16s, putRaw, valueAt } from "../assembly/elements.as";
import { spreadEight } from "../assembly/fields.as";
import { isUsual, roundedFractions, zeroPointAt } from "../assembly/int-code.as";

/** Weights of a piece: an even number, so that no two write the same word. */
const BLOCK: u32 = 128;

/** Weights that packed codes stand for. Pieces: 128 weights. Codes without an offset have 8 bits. */
export function int_dequantize(
  uniforms: usize,
  element: u32,
  symmetric: u32,
  storedBits: u32,
  offset: u32,
  codes: usize,
  scales: usize,
  zeroPoints: usize,
  weights: usize,
  begin: u32,
  end: u32,
): void {
  const streams = load<u32>(uniforms);
  const streamLength = load<u32>(uniforms, 4);
  const groupSize = load<u32>(uniforms, 8);
  const elements = streams * streamLength;
  const streamBytes = ((streamLength * storedBits + 31) >> 5) << 2;
  const last = min(end * BLOCK, elements);
  let index = begin * BLOCK;
  let group = index / groupSize;
  let groupEnd = (group + 1) * groupSize;
  let stream = index / streamLength;
  let streamEnd = (stream + 1) * streamLength;
  while (index < last) {
    const scale = valueAt(scales, group, element);
    const zeroPoint = zeroPointAt(zeroPoints, group, symmetric);
    const runEnd = min(min(groupEnd, streamEnd), last);
    const base = codes + <usize>stream * streamBytes;
    const streamFirst = streamEnd - streamLength;
    // Eight codes that begin at a byte fill whole ones.
    const isFast = isUsual(scale) && (element != F16 || scale < 256);
    while (index < runEnd) {
      const place = index - streamFirst;
      if (isFast && (place & 7) == 0 && runEnd - index >= 8) {
        const count = (runEnd - index) & ~7;
        const from = base + (<usize>place >> 3) * storedBits;
        if (element == BF16) eights(BF16, from, storedBits, offset, scale, zeroPoint, weights, index, count);
        else if (element == F16) eights(F16, from, storedBits, offset, scale, zeroPoint, weights, index, count);
        else eights(F32, from, storedBits, offset, scale, zeroPoint, weights, index, count);
        index += count;
        continue;
      }
      const bit = place * storedBits;
      const field = (<u32>load<u16>(base + (bit >> 3)) >> (bit & 7)) & ((1 << storedBits) - 1);
      const code = offset > 0 ? <i32>(field - offset) : <i32>(<i8>field);
      const value = (<f32>code - zeroPoint) * scale;
      putRaw(weights, index, narrowed(value, element), element);
      index++;
    }
    if (index == groupEnd) {
      group++;
      groupEnd += groupSize;
    }
    if (index == streamEnd) {
      stream++;
      streamEnd += streamLength;
    }
  }
  // The last word of 16-bit weights is written whole.
  if (index == elements && (elements & 1) && element != F32) putRaw(weights, elements, 0, element);
}

/** `count` weights, a multiple of 8, under a usual scale from which none leaves the format. */
@inline
function eights(
  element: u32,
  from: usize,
  storedBits: u32,
  offset: u32,
  scale: f32,
  zeroPoint: f32,
  weights: usize,
  index: u32,
  count: u32,
): void {
  const scales = f32x4.splat(scale);
  // Bytes are read as unsigned: two's complement of 8 bits becomes an offset of 128 when its highest bit is flipped.
  const flipped = i64x2.splat(offset > 0 ? 0 : <i64>0x8080808080808080);
  const shift: u32 = offset > 0 ? offset : 128;
  const points = f32x4.splat(zeroPoint + <f32>shift);
  for (let at: u32 = 0; at < count; at += 8, from += storedBits) {
    const bytes = v128.xor(i64x2.splat(spreadEight(load<u64>(from), storedBits)), flipped);
    const halves = i16x8.extend_low_i8x16_u(bytes);
    const lower = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(halves)), points), scales);
    const upper = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(halves)), points), scales);
    if (element == F32) {
      v128.store(weights + (<usize>(index + at) << 2), lower);
      v128.store(weights + (<usize>(index + at) << 2), upper, 16);
    } else {
      const halvesOf = element == BF16
        ? v128.shuffle<i16>(roundedFractions(lower, 16), roundedFractions(upper, 16), 1, 3, 5, 7, 9, 11, 13, 15)
        : i16x8.narrow_i32x4_u(narrowedF16s(lower), narrowedF16s(upper));
      v128.store(weights + (<usize>(index + at) << 1), halvesOf);
    }
  }
}
