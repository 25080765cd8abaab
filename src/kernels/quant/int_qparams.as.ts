import { BF16, F16, F32, narrowed, putRaw } from "../assembly/elements.as";
import { roundedFractions } from "../assembly/int-code.as";
import { epsilonOf, plainScale, plainZeroPoint } from "./int-group.as";

const ALL_ZERO = 0;
const SCALE_TOO_SMALL = 1;
const SCALE_SUBNORMAL = 2;
const SCALE_INFINITE = 3;
const SCALE_NAN = 4;
const CORNERS = 5;

/** Scales and zero points from extremes; counts the corners. Pieces: four groups, whose zero points share a word. */
export function int_qparams(
  uniforms: usize,
  element: u32,
  bits: u32,
  symmetric: u32,
  extremes: usize,
  scales: usize,
  zeroPoints: usize,
  corners: usize,
  begin: u32,
  end: u32,
): void {
  const groups = load<u32>(uniforms);
  const first = load<u32>(uniforms, 4);
  const counters = corners + <usize>load<u32>(uniforms, 8) * CORNERS * 4;
  const steps = <f32>((1 << bits) - 1);
  const lowest = <f32>(-(1 << (bits - 1)));
  const highest = <f32>((1 << (bits - 1)) - 1);
  const normal: f32 = element == F16 ? 6.103515625e-5 : 1.1754943508222875e-38;
  for (let quad = begin; quad < end; quad++) {
    const four = extremes + (<usize>quad << 5);
    if (quad * 4 + 4 <= groups && element != F16) {
      const one = v128.load(four);
      const other = v128.load(four, 16);
      const positive = v128.shuffle<i32>(one, other, 0, 2, 4, 6);
      const negative = v128.shuffle<i32>(one, other, 1, 3, 5, 7);
      const at = first + quad * 4;
      if (symmetric) {
        const absmax = f32x4.max(positive, negative);
        const made = roundedTo(element, f32x4.div(absmax, f32x4.splat(steps / 2)));
        if (areUsual(made, normal)) {
          putFour(element, scales, at, made);
          continue;
        }
      } else {
        const range = roundedTo(element, f32x4.add(positive, negative));
        const made = roundedTo(element, f32x4.div(range, f32x4.splat(steps)));
        if (areUsual(made, normal)) {
          putFour(element, scales, at, made);
          const ratios = roundedTo(element, f32x4.div(f32x4.neg(negative), made));
          const shifted = roundedTo(element, f32x4.sub(f32x4.splat(lowest), ratios));
          const points = f32x4.nearest(f32x4.pmin(f32x4.splat(highest), f32x4.pmax(f32x4.splat(lowest), shifted)));
          const bytes = i32x4.trunc_sat_f32x4_s(points);
          v128.store32_lane(zeroPoints + at, v128.shuffle<i8>(bytes, bytes, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
          continue;
        }
      }
    }
    let points: u32 = 0;
    for (let place: u32 = 0; place < 4; place++) {
      const group = quad * 4 + place;
      if (group >= groups) {
        // The last word of 16-bit scales is written whole.
        if (group == groups && group & 1 && element != F32) putRaw(scales, first + group, 0, element);
        continue;
      }
      const positive = load<f32>(extremes + (<usize>group << 3));
      const negative = load<f32>(extremes + (<usize>group << 3), 4);
      let scale = plainScale(positive, negative, element, bits, symmetric);
      if (!symmetric) {
        const point = plainZeroPoint(negative, scale, element, bits);
        points |= (<u32>(<i32>point) & 0xff) << (8 * place);
      }
      const isZero = scale == 0;
      if (isZero) scale = epsilonOf(element);
      putRaw(scales, first + group, narrowed(scale, element), element);
      let corner = -1;
      if (scale != scale) corner = SCALE_NAN;
      else if (scale == Infinity) corner = SCALE_INFINITE;
      else if (positive == 0 && negative == 0) corner = ALL_ZERO;
      else if (isZero) corner = SCALE_TOO_SMALL;
      else if (scale < normal) corner = SCALE_SUBNORMAL;
      if (corner >= 0) atomic.add<u32>(counters + <usize>corner * 4, 1);
    }
    if (!symmetric) store<u32>(zeroPoints + first + (<usize>quad << 2), points);
  }
}

@inline
function roundedTo(element: u32, values: v128): v128 {
  return element == BF16 ? roundedFractions(values, 16) : values;
}

/** Whether no scale is a corner. */
@inline
function areUsual(scales: v128, normal: f32): bool {
  return i32x4.all_true(
    v128.and(f32x4.ge(scales, f32x4.splat(normal)), f32x4.lt(scales, f32x4.splat(Infinity))),
  );
}

@inline
function putFour(element: u32, scales: usize, at: u32, values: v128): void {
  if (element == BF16) {
    const halves = v128.shuffle<i16>(values, values, 1, 3, 5, 7, 1, 3, 5, 7);
    v128.store64_lane(scales + (<usize>at << 1), halves, 0);
  } else {
    v128.store(scales + (<usize>at << 2), values);
  }
}
