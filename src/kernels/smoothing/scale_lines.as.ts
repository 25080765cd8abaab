import { BF16, F32, fourAt, INFINITY_BITS, NAN_BITS, narrowed, narrowedF16s, putRaw, roundedF32x4, valueAt } from "../assembly/elements.as";

/** Weights of a piece; the wrapper has the same number. */
const PIECE: u32 = 4096;

/** float32 bits of 65520, the smallest magnitude that f16 takes for infinite. */
const BEYOND_F16: u32 = 0x477ff000;

/** Columns or rows times their factors, or over them. Pieces: 4096 weights. */
export function scale_lines(
  uniforms: usize,
  element: u32,
  columns: u32,
  over: u32,
  weights: usize,
  factors: usize,
  rescaled: usize,
  begin: u32,
  end: u32,
): void {
  const cols = load<u32>(uniforms, 4);
  const elements = load<u32>(uniforms) * cols;
  const stop = min(end * PIECE, elements);
  let row = begin * PIECE / cols;
  let column = begin * PIECE % cols;
  for (let first = begin * PIECE; first < stop; ) {
    const last = min(first + cols - column, stop);
    if (columns != 0) scaleRun(element, true, over, weights, factors + (<usize>column << 2), rescaled, first, last);
    else scaleRun(element, false, over, weights, factors + (<usize>row << 2), rescaled, first, last);
    first = last;
    row++;
    column = 0;
  }
  if (stop == elements && element != F32 && (elements & 1) == 1) putRaw(rescaled, elements, 0, element);
}

/** Neighbours of a row, with a factor each from `factors` on, or all with the first. */
@inline
function scaleRun(element: u32, each: bool, over: u32, weights: usize, factors: usize, rescaled: usize, first: u32, last: u32): void {
  const whole = first + ((last - first) & ~3);
  const shared = v128.load32_splat(factors);
  let index = first;
  let factor = factors;
  for (; index < whole; index += 4, factor += 16) {
    const own = each ? v128.load(factor) : shared;
    const four = fourAt(weights, index, element);
    putFour(rescaled, index, over != 0 ? f32x4.div(four, own) : f32x4.mul(four, own), element);
  }
  for (; index < last; index++, factor += 4) {
    const own = load<f32>(each ? factor : factors);
    const weight = valueAt(weights, index, element);
    putRaw(rescaled, index, narrowed(over != 0 ? weight / own : weight * own, element), element);
  }
}

/** Writes the elements nearest to four float32, ties to even; every NaN becomes the format's own. */
@inline
function putFour(base: usize, index: u32, four: v128, element: u32): void {
  if (element == F32) {
    v128.store(base + (<usize>index << 2), v128.bitselect(four, i32x4.splat(NAN_BITS), f32x4.eq(four, four)));
    return;
  }
  let raw: v128;
  if (element == BF16) raw = i32x4.shr_u(roundedF32x4(four, BF16), 16);
  else {
    const magnitude = v128.and(four, i32x4.splat(0x7fffffff));
    const infinite = v128.or(v128.and(i32x4.shr_u(four, 16), i32x4.splat(0x8000)), i32x4.splat(0x7c00));
    raw = v128.bitselect(infinite, narrowedF16s(four), i32x4.ge_u(magnitude, i32x4.splat(BEYOND_F16)));
    raw = v128.bitselect(i32x4.splat(0x7e00), raw, i32x4.gt_u(magnitude, i32x4.splat(INFINITY_BITS)));
  }
  v128.store64_lane(base + (<usize>index << 1), i16x8.narrow_i32x4_u(raw, raw), 0);
}
