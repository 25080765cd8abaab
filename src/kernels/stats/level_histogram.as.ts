import { addCounters, clearCounters, count, COUNTERS, COUNTS } from "../assembly/counters.as";
import { fourAt, valueAt } from "../assembly/elements.as";

/** Weights of a piece; the wrapper has the same number. */
const PIECE: u32 = 4096;

/**
 * Counts of weight / scale + zero point, all in the first copy. Positions are computed in float32, and in float64 against the
 * edges of the bin where they are within 2^-8 of one. Pieces: 4096 weights.
 */
export function level_histogram(
  uniforms: usize,
  element: u32,
  bits: u32,
  symmetric: u32,
  binsPerLevel: u32,
  copies: u32,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  counts: usize,
  begin: u32,
  end: u32,
): void {
  const groupSize = load<u32>(uniforms, 4);
  const stop = min(end * PIECE, load<u32>(uniforms));
  const bins: u32 = ((<u32>1 << bits) + 1) * binsPerLevel;
  const isLocal = bins <= COUNTERS;
  let first = begin * PIECE;
  if (isLocal) clearCounters();
  while (first < stop) {
    const last = isLocal ? min(first + COUNTS, stop) : stop;
    while (first < last) {
      const group = first / groupSize;
      const groupEnd = min((group + 1) * groupSize, last);
      const scale = valueAt(scales, group, element);
      const zeroPoint = symmetric != 0 ? 0 : <i32>load<i8>(zeroPoints + group);
      // As float32, positions of at most 2^13 bins lose less than 2^-9; of more bins, and under other scales, more.
      const isUsual = isLocal && reinterpret<u32>(scale) >> 23 >= 32 && reinterpret<u32>(scale) >> 23 <= 222;
      if (isUsual) first = countFours(weights, first, groupEnd, element, scale, zeroPoint, binsPerLevel, bins);
      for (; first < groupEnd; first++) {
        const bin = binOf(valueAt(weights, first, element), scale, zeroPoint, binsPerLevel, bins);
        if (bin < 0) continue;
        if (isLocal) count(bin);
        else atomic.add<u32>(counts + (<usize>bin << 2), 1);
      }
    }
    if (isLocal) addCounters(counts, (bins + 7) & ~7);
  }
}

/** Counts four weights at a time under a usual scale; returns where it stopped. */
function countFours(
  weights: usize,
  first: u32,
  last: u32,
  element: u32,
  scale: f32,
  zeroPoint: i32,
  binsPerLevel: u32,
  bins: u32,
): u32 {
  const inverse = f32x4.splat(<f32>binsPerLevel / scale);
  const middle = f32x4.splat(<f32>zeroPoint * <f32>binsPerLevel + <f32>bins * 0.5);
  const whole = first + ((last - first) & ~3);
  for (let index = first; index < whole; index += 4) {
    const position = f32x4.add(f32x4.mul(fourAt(weights, index, element), inverse), middle);
    const distance = f32x4.abs(f32x4.sub(position, f32x4.nearest(position)));
    // What is not finite has no distance, and is not clear.
    if (i32x4.all_true(f32x4.ge(distance, f32x4.splat(0.00390625)))) {
      const inside = f32x4.pmin(f32x4.pmax(f32x4.floor(position), f32x4.splat(0)), f32x4.splat(<f32>(bins - 1)));
      // Beside 2^23 a whole number is the fraction's bits.
      const found = f32x4.add(inside, f32x4.splat(8388608));
      count(i32x4.extract_lane(found, 0) & 0xffff);
      count(i32x4.extract_lane(found, 1) & 0xffff);
      count(i32x4.extract_lane(found, 2) & 0xffff);
      count(i32x4.extract_lane(found, 3) & 0xffff);
    } else {
      for (let each = index; each < index + 4; each++) {
        const bin = binOf(valueAt(weights, each, element), scale, zeroPoint, binsPerLevel, bins);
        if (bin >= 0) count(bin);
      }
    }
  }
  return whole;
}

/** The bin of a weight, or −1 where weight or scale are not finite. Edges times scales have at most 24 + 14 bits: exact. */
function binOf(weight: f32, scale: f32, zeroPoint: i32, binsPerLevel: u32, bins: u32): i32 {
  if (!isFinite(weight) || !isFinite(scale)) return -1;
  const perLevel = <f64>binsPerLevel;
  const middle = <f64>bins / perLevel / 2 + <f64>zeroPoint;
  const quotient = <f64>weight / <f64>scale;
  if (quotient != quotient) return -1;
  const guess = max(min(Math.floor((quotient + middle) * perLevel), <f64>(bins - 1)), 0);
  const bin = <i32>guess;
  if (bin > 0 && <f64>weight < (guess / perLevel - middle) * <f64>scale) return bin - 1;
  if (<u32>bin < bins - 1 && <f64>weight >= ((guess + 1) / perLevel - middle) * <f64>scale) return bin + 1;
  return bin;
}
