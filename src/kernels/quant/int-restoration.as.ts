import { BF16, F16, F32, fourAt, rounded, valueAt } from "../assembly/elements.as";
import {
  clamped,
  divisorOf,
  isUsual,
  plainCode,
  quotientElement,
  quotientSums,
  usualScales,
  zeroPointAt,
} from "../assembly/int-code.as";
import { laneSum } from "../assembly/lanes.as";
import { scratch } from "../assembly/scratch.as";

// What the weights of a block become under a scheme, which levels occur, and how many codes the end of the range cut off.

/** Weights of a block. */
export const BLOCK: u32 = 256;

/** Bytes of a scheme's set of levels. */
export const LEVEL_BYTES: u32 = 32;

/** Scratch memory: reconstructions in units of the block, and a byte for each level. */
export const RESTORED: usize = 2048;
const SEEN: usize = 3072;
/** And what a group of the block needs, for up to 16 groups. */
const DIVISORS: usize = 3328;
const FACTORS: usize = 3392;
const POINTS: usize = 3456;

// Of the block at hand.
let unit: f64 = 1;
let perUnit: f32 = 1;

// Of the scheme at hand.
let groupSize: u32 = 1;
let firstGroup: u32 = 0;
let isSymmetric: u32 = 1;
let lowest: f32 = 0;
let highest: f32 = 0;
let levels: usize = 0; // where its set of levels lies
let notes = false; // whether levels are missing in it
let hasSeen = false; // whether there is something to note
let clipped: u32 = 0;

/**
 * Takes a scheme for a block.
 * @param scheme address of its words: bits, whether it is symmetric, group size, place of its first group
 * @param set address of its set of levels
 * @param unitOfBlock the power of two below the block's largest original
 * @param inverse of that, where the block is usual
 */
export function useScheme(scheme: usize, set: usize, unitOfBlock: f64, inverse: f32): void {
  const bits = load<u32>(scheme);
  isSymmetric = load<u32>(scheme, 4);
  groupSize = load<u32>(scheme, 8);
  firstGroup = load<u32>(scheme, 12);
  lowest = <f32>(-(1 << (bits - 1)));
  highest = <f32>((1 << (bits - 1)) - 1);
  unit = unitOfBlock;
  perUnit = inverse;
  levels = set;
  // Once all levels have been met, nobody needs to look which ones occur.
  notes = levelsIn(set) < <u32>(1 << bits);
  hasSeen = notes;
}

export function forgetClipped(): void {
  clipped = 0;
}

/** Codes that were cut off since. */
export function clippedCodes(): u32 {
  return clipped;
}

/** What another kernel left in the scratch memory are no levels. */
export function forgetLevels(): void {
  memory.fill(scratch + SEEN, 0, 256);
}

/**
 * Writes the reconstructions of a usual block, in its units, and counts the codes that were cut off.
 * @param target weights in units of the block
 * @returns whether all are finite
 */
export function restore(
  element: u32,
  precision: u32,
  target: usize,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  first: u32,
  count: u32,
): bool {
  if (precision == 8) {
    if (!notes && count == BLOCK && (groupSize == 16 || groupSize == 32 || groupSize == 64)) {
      if (prepareGroups(scales, zeroPoints, first)) {
        if (isSymmetric) restoreGroups(true, target);
        else restoreGroups(false, target);
        return true;
      }
    }
    if (notes) return restoreRuns(BF16, 8, false, true, target, weights, scales, zeroPoints, first, count);
    if (isSymmetric) return restoreRuns(BF16, 8, true, false, target, weights, scales, zeroPoints, first, count);
    return restoreRuns(BF16, 8, false, false, target, weights, scales, zeroPoints, first, count);
  }
  if (precision == 11) return restoreRuns(F16, 11, false, notes, target, weights, scales, zeroPoints, first, count);
  if (element == BF16) return restoreRuns(BF16, 24, false, notes, target, weights, scales, zeroPoints, first, count);
  if (element == F16) return restoreRuns(F16, 24, false, notes, target, weights, scales, zeroPoints, first, count);
  return restoreRuns(F32, 24, false, notes, target, weights, scales, zeroPoints, first, count);
}

/**
 * Group by group: fours of weights by the usual path where it holds, the rest one by one. Products of the usual path are not
 * rounded to the element yet: the fewer steps a loop has, the more weights the processor works on at once.
 */
@inline
function restoreRuns(
  element: u32,
  precision: u32,
  symmetric: bool,
  notes: bool,
  target: usize,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  first: u32,
  count: u32,
): bool {
  const low = f32x4.splat(lowest);
  const high = f32x4.splat(highest);
  const seen = scratch + SEEN;
  const restored = scratch + RESTORED;
  let clips = i32x4.splat(0);
  const last = first + count;
  let group = first / groupSize;
  for (let index = first; index < last; group++) {
    const groupEnd = min((group + 1) * groupSize, last);
    const place = firstGroup + group;
    const scale = valueAt(scales, place, element);
    const zeroPoint = zeroPointAt(zeroPoints, place, isSymmetric);
    const inUnits = scale * perUnit;
    const isFast = isUsual(scale) && isUsual(inUnits) && (element != F16 || scale < 256);
    const usualEnd = isFast ? index + ((groupEnd - index) & ~3) : index;
    if (index < usualEnd) {
      const divisor = f32x4.splat(divisorOf(inUnits, precision));
      const points = f32x4.splat(zeroPoint);
      const factor = f32x4.splat(inUnits);
      const stop = <usize>(usualEnd - first) << 2;
      for (let at = <usize>(index - first) << 2; at < stop; at += 16) {
        const sums = quotientSums(v128.load(target + at), divisor, points, precision, symmetric);
        const whole = f32x4.nearest(sums);
        const code = f32x4.pmin(high, f32x4.pmax(low, whole));
        clips = i32x4.sub(clips, f32x4.ne(code, whole));
        v128.store(restored + at, f32x4.mul(symmetric ? code : f32x4.sub(code, points), factor));
        if (notes) {
          const levels = i32x4.trunc_sat_f32x4_s(f32x4.sub(code, low));
          store<u8>(seen + i32x4.extract_lane(levels, 0), 1);
          store<u8>(seen + i32x4.extract_lane(levels, 1), 1);
          store<u8>(seen + i32x4.extract_lane(levels, 2), 1);
          store<u8>(seen + i32x4.extract_lane(levels, 3), 1);
        }
      }
    }
    for (index = usualEnd; index < groupEnd; index++) {
      const value = plainReconstruction(element, precision, weights, scales, zeroPoints, index);
      if (!isFinite(value)) return false;
      // Where it is not zero it is near its weight, and so near the unit.
      store<f32>(restored + (<usize>(index - first) << 2), <f32>(<f64>value / unit));
    }
  }
  for (let at = count; at & 3; at++) store<f32>(restored + (<usize>at << 2), 0);
  clipped += laneSum(clips);
  return true;
}

/** Works out what the groups of a whole block of bf16 need, four at a time. @returns whether the usual path holds for all */
function prepareGroups(scales: usize, zeroPoints: usize, first: u32): bool {
  const place = firstGroup + first / groupSize;
  const groups = BLOCK / groupSize;
  let areUsual = i32x4.splat(-1);
  for (let group: u32 = 0; group < groups; group += 4) {
    const own = fourAt(scales, place + group, BF16);
    const inUnits = f32x4.mul(own, f32x4.splat(perUnit));
    areUsual = v128.and(areUsual, v128.and(usualScales(own), usualScales(inUnits)));
    const at = scratch + (<usize>group << 2);
    v128.store(at + FACTORS, inUnits);
    v128.store(at + DIVISORS, f32x4.div(f32x4.splat(1), inUnits));
    const bytes = i16x8.extend_low_i8x16_s(v128.load32_zero(zeroPoints + place + group));
    const points = isSymmetric ? i32x4.splat(0) : i32x4.extend_low_i16x8_s(bytes);
    v128.store(at + POINTS, f32x4.convert_i32x4_s(points));
  }
  return i32x4.all_true(areUsual);
}

/** The usual path over the groups that were prepared. */
@inline
function restoreGroups(symmetric: bool, target: usize): void {
  const low = f32x4.splat(lowest);
  const high = f32x4.splat(highest);
  const size = <usize>groupSize << 2;
  const restored = scratch + RESTORED;
  let clips = i32x4.splat(0);
  let group = scratch;
  for (let begin: usize = 0; begin < <usize>BLOCK << 2; begin += size, group += 4) {
    const divisor = v128.load32_splat(group + DIVISORS);
    const points = v128.load32_splat(group + POINTS);
    const factor = v128.load32_splat(group + FACTORS);
    for (let at = begin; at < begin + size; at += 16) {
      const whole = f32x4.nearest(quotientSums(v128.load(target + at), divisor, points, 8, symmetric));
      const code = f32x4.pmin(high, f32x4.pmax(low, whole));
      clips = i32x4.sub(clips, f32x4.ne(code, whole));
      v128.store(restored + at, f32x4.mul(symmetric ? code : f32x4.sub(code, points), factor));
    }
  }
  clipped += laneSum(clips);
}

/** What any weight becomes; notes its level and whether it was cut off. */
export function plainReconstruction(
  element: u32,
  precision: u32,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  index: u32,
): f32 {
  const place = firstGroup + index / groupSize;
  const scale = valueAt(scales, place, element);
  const zeroPoint = zeroPointAt(zeroPoints, place, isSymmetric);
  const quotient = quotientElement(element, precision);
  const code = plainCode(valueAt(weights, index, element), scale, zeroPoint, lowest, highest, quotient);
  const kept = clamped(code, lowest, highest);
  if (kept != code) clipped++;
  store<u8>(scratch + SEEN + <usize><i32>(kept - lowest), 1);
  hasSeen = true;
  return rounded((kept - zeroPoint) * scale, element);
}

function levelsIn(set: usize): u32 {
  let count: u64 = 0;
  for (let at: usize = 0; at < LEVEL_BYTES; at += 8) count += popcnt<u64>(load<u64>(set + at));
  return <u32>count;
}

/** Adds the levels that were seen to the set, and forgets them. */
export function noteLevels(): void {
  if (!hasSeen) return;
  const seen = scratch + SEEN;
  const none = i8x16.splat(0);
  for (let word: usize = 0; word < LEVEL_BYTES / 4; word++) {
    const at = seen + word * 32;
    const low = i8x16.bitmask(i8x16.ne(v128.load(at), none));
    const high = i8x16.bitmask(i8x16.ne(v128.load(at, 16), none));
    const bits = <u32>low | (<u32>high << 16);
    if ((load<u32>(levels + word * 4) & bits) != bits) atomic.or<u32>(levels + word * 4, bits);
    v128.store(at, none);
    v128.store(at, none, 16);
  }
}
