// What the error of schemes costs where nothing is exact: plain float32 throughout, and of all sums only that of squared
// errors. For comparison in the bench; no result of the lab comes from here. Pieces: groups of 128 weights in bf16.

const GROUP: usize = 128;
const PART: usize = 32;

/** Scratch memory of this thread: the weights of a group as float32, then the extremes of its four parts. */
let floats: usize = 0;
let extremes: usize = 0;

export function useScratch(address: usize): void {
  floats = address;
  extremes = address + GROUP * 4;
}

/** INT4, symmetric, groups of 128. `sums` is one float32 a group. */
export function ideal_error_one(uniforms: usize, weights: usize, sums: usize, begin: u32, end: u32): void {
  for (let group = begin; group < end; group++) {
    look(weights + <usize>group * GROUP * 2);
    store<f32>(sums + (<usize>group << 2), lost(0, GROUP, lowOfAll(), highOfAll(), 4, true));
  }
}

/** INT4 and INT8, symmetric and asymmetric, groups of 32 and 128, in this order. `sums` is eight float32 a group. */
export function ideal_error_eight(uniforms: usize, weights: usize, sums: usize, begin: u32, end: u32): void {
  for (let group = begin; group < end; group++) {
    look(weights + <usize>group * GROUP * 2);
    const low = lowOfAll();
    const high = highOfAll();
    const to = sums + <usize>group * 32;
    store<f32>(to, lostByParts(4, true));
    store<f32>(to, lost(0, GROUP, low, high, 4, true), 4);
    store<f32>(to, lostByParts(4, false), 8);
    store<f32>(to, lost(0, GROUP, low, high, 4, false), 12);
    store<f32>(to, lostByParts(8, true), 16);
    store<f32>(to, lost(0, GROUP, low, high, 8, true), 20);
    store<f32>(to, lostByParts(8, false), 24);
    store<f32>(to, lost(0, GROUP, low, high, 8, false), 28);
  }
}

/** Widens the weights of a group, and finds the extremes of its parts. */
function look(from: usize): void {
  for (let part: usize = 0; part < GROUP / PART; part++) {
    let lowest = f32x4.splat(0);
    let highest = f32x4.splat(0);
    for (let index = part * PART; index < (part + 1) * PART; index += 8) {
      const raw = v128.load(from + index * 2);
      const one = i32x4.shl(i32x4.extend_low_i16x8_u(raw), 16);
      const other = i32x4.shl(i32x4.extend_high_i16x8_u(raw), 16);
      v128.store(floats + index * 4, one);
      v128.store(floats + index * 4, other, 16);
      lowest = f32x4.pmin(f32x4.pmin(lowest, one), other);
      highest = f32x4.pmax(f32x4.pmax(highest, one), other);
    }
    store<f32>(extremes + part * 4, leastOf(lowest));
    store<f32>(extremes + part * 4, mostOf(highest), 16);
  }
}

@inline
function lowOfAll(): f32 {
  return leastOf(v128.load(extremes));
}

@inline
function highOfAll(): f32 {
  return mostOf(v128.load(extremes, 16));
}

@inline
function lostByParts(bits: i32, symmetric: bool): f32 {
  let sum: f32 = 0;
  for (let part: usize = 0; part < GROUP / PART; part++) {
    const at = extremes + part * 4;
    sum += lost(part * PART, PART, load<f32>(at), load<f32>(at, 16), bits, symmetric);
  }
  return sum;
}

/** Squared errors of a group of `count` weights between `low` and `high`. */
@inline
function lost(first: usize, count: usize, low: f32, high: f32, bits: i32, symmetric: bool): f32 {
  const least = -<f32>(1 << (bits - 1));
  const most = <f32>((1 << (bits - 1)) - 1);
  const span: f32 = symmetric ? <f32>2 * max<f32>(-low, high) : high - low;
  const scale: f32 = max<f32>(span, 1e-30) / <f32>((1 << bits) - 1);
  const inverse = f32x4.splat(1 / scale);
  const factor = f32x4.splat(scale);
  const zero = f32x4.splat(symmetric ? <f32>0 : nearest<f32>(least - low / scale));
  const from = f32x4.splat(least);
  const to = f32x4.splat(most);
  let sums = f32x4.splat(0);
  let others = f32x4.splat(0);
  const start = floats + first * 4;
  for (let at = start; at < start + count * 4; at += 32) {
    const error = errorOf(v128.load(at), inverse, factor, zero, from, to, symmetric);
    const other = errorOf(v128.load(at, 16), inverse, factor, zero, from, to, symmetric);
    sums = f32x4.add(sums, f32x4.mul(error, error));
    others = f32x4.add(others, f32x4.mul(other, other));
  }
  sums = f32x4.add(sums, others);
  return (
    f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3)
  );
}

@inline
function errorOf(four: v128, inverse: v128, factor: v128, zero: v128, from: v128, to: v128, symmetric: bool): v128 {
  const quotient = f32x4.mul(four, inverse);
  const sum = symmetric ? quotient : f32x4.add(quotient, zero);
  const code = f32x4.pmin(to, f32x4.pmax(from, f32x4.nearest(sum)));
  return f32x4.sub(four, f32x4.mul(symmetric ? code : f32x4.sub(code, zero), factor));
}

@inline
function leastOf(four: v128): f32 {
  return min<f32>(
    min<f32>(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    min<f32>(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
}

@inline
function mostOf(four: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    max<f32>(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
}
