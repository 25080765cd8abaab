import { BF16, F16, F32, narrowedF16s, rounded, valueAt, widenedF16s } from "../assembly/elements.as";
import { spreadEight } from "../assembly/fields.as";
import { roundedFractions, zeroPointAt } from "../assembly/int-code.as";
import { scratch } from "../assembly/scratch.as";
import { multiplyRows, TILE } from "../assembly/tiles.as";

const ROWS: u32 = 256;

/** Weights of a row that are restored at a time: four rows of them fill the scratch memory. */
const DEPTH: u32 = 1024;

/** y = x Wᵀ with W from packed codes, in a block of y. Pieces: 4 columns of the block. */
export function int_linear(
  uniforms: usize,
  element: u32,
  symmetric: u32,
  storedBits: u32,
  offset: u32,
  inputs: usize,
  codes: usize,
  scales: usize,
  zeroPoints: usize,
  outputs: usize,
  begin: u32,
  end: u32,
): void {
  const m = load<u32>(uniforms);
  const n = load<u32>(uniforms, 4);
  const k = load<u32>(uniforms, 8);
  const groupSize = load<u32>(uniforms, 12);
  const stride = <usize>k << 2;
  const firstRow = load<u32>(uniforms, 16);
  const outputStride = <usize>load<u32>(uniforms, 20) << 2;
  const x = inputs + firstRow * stride;
  const y = outputs + firstRow * outputStride + (<usize>load<u32>(uniforms, 24) << 2);
  const streamBytes = <usize>((k * storedBits + 31) >> 5) << 2;
  // Two's complement becomes an offset of half the range when its highest bit is flipped.
  const half: u32 = 1 << (storedBits - 1);
  const flips: u32 = offset == 0 ? half : 0;
  const shift: u32 = offset == 0 ? half : offset;
  for (let row: u32 = 0; row < m; row += ROWS) {
    for (let depth: u32 = 0; depth < k; depth += DEPTH) {
      const count = min(DEPTH, k - depth);
      for (let column = begin * TILE; column < min(end * TILE, n); column += TILE) {
        const columns = min(TILE, n - column);
        for (let each: u32 = 0; each < columns; each++) {
          const stream = codes + (column + each) * streamBytes;
          const first = (column + each) * k;
          for (let place = depth; place < depth + count; ) {
            const group = (first + place) / groupSize;
            const last = min((group + 1) * groupSize - first, depth + count);
            const scale = valueAt(scales, group, element);
            const zeroPoint = zeroPointAt(zeroPoints, group, symmetric) + <f32>shift;
            const to = scratch + (<usize>(each * DEPTH) << 2) - (<usize>depth << 2);
            restore(element, stream, stream + streamBytes, storedBits, flips, scale, zeroPoint, place, last, to);
            place = last;
          }
        }
        multiplyRows(
          x + row * stride + (<usize>depth << 2),
          stride,
          min(ROWS, m - row),
          scratch,
          DEPTH << 2,
          columns,
          count,
          y + row * outputStride + (<usize>column << 2),
          outputStride,
          depth > 0,
        );
      }
    }
  }
}

/** Weights `first` to `last` of a stream, all of one group, as float32 from `to` on. */
function restore(
  element: u32,
  stream: usize,
  streamEnd: usize,
  bits: u32,
  flips: u32,
  scale: f32,
  zeroPoint: f32,
  first: u32,
  last: u32,
  to: usize,
): void {
  let place = first;
  for (; place < last && (place & 7) != 0; place++) restoreOne(element, stream, bits, flips, scale, zeroPoint, place, to);
  // What leaves float32 becomes infinity by itself; what leaves f16 is not rounded four at a time.
  if (element != F16 || scale < 256) {
    const whole = place + ((last - place) & ~7);
    if (element == BF16) restoreEights(BF16, stream, streamEnd, bits, flips, scale, zeroPoint, place, whole, to);
    else if (element == F16) restoreEights(F16, stream, streamEnd, bits, flips, scale, zeroPoint, place, whole, to);
    else restoreEights(F32, stream, streamEnd, bits, flips, scale, zeroPoint, place, whole, to);
    place = whole;
  }
  for (; place < last; place++) restoreOne(element, stream, bits, flips, scale, zeroPoint, place, to);
}

@inline
function restoreEights(
  element: u32,
  stream: usize,
  streamEnd: usize,
  bits: u32,
  flips: u32,
  scale: f32,
  zeroPoint: f32,
  first: u32,
  last: u32,
  to: usize,
): void {
  const flip = i8x16.splat(<i8>flips);
  const points = f32x4.splat(zeroPoint);
  const scales = f32x4.splat(scale);
  let from = stream + <usize>(first >> 3) * bits;
  for (let place = first; place < last; place += 8, from += bits) {
    // The last of a stream are read with those before them: what follows may be nobody's.
    const beyond = from + 8 > streamEnd ? from + 8 - streamEnd : 0;
    const fields = load<u64>(from - beyond) >> (<u64>beyond << 3);
    const bytes = v128.xor(i64x2.splat(spreadEight(fields, bits)), flip);
    const halves = i16x8.extend_low_i8x16_u(bytes);
    const lower = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(halves)), points), scales);
    const upper = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(halves)), points), scales);
    v128.store(to + (<usize>place << 2), fourRounded(lower, element));
    v128.store(to + (<usize>place << 2), fourRounded(upper, element), 16);
  }
}

@inline
function fourRounded(values: v128, element: u32): v128 {
  if (element == BF16) return roundedFractions(values, 16);
  if (element == F16) return widenedF16s(narrowedF16s(values));
  return values;
}

function restoreOne(
  element: u32,
  stream: usize,
  bits: u32,
  flips: u32,
  scale: f32,
  zeroPoint: f32,
  place: u32,
  to: usize,
): void {
  const bit = place * bits;
  const at = stream + (bit >> 3);
  // The second byte of a code that ends with the stream would be nobody's.
  const ends = (bit & 7) + bits > 8;
  const both = <u32>load<u8>(at) | (ends ? <u32>load<u8>(at, 1) << 8 : 0);
  const field = ((both >> (bit & 7)) & ((1 << bits) - 1)) ^ flips;
  store<f32>(to + (<usize>place << 2), rounded((<f32>field - zeroPoint) * scale, element));
}
