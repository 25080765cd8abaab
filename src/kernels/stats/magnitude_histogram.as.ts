import { addCounters, clearCounters, count, COUNTERS, COUNTS, takeCounter } from "../assembly/counters.as";
import { BF16, F32, rawAt } from "../assembly/elements.as";

/** Weights of a piece; the wrapper has the same number. */
const PIECE: u32 = 8192;

/** Bins that a block of weights counts in memory of its own; counter 0 is for zeros. */
const WINDOW: u32 = COUNTERS - 1;

/** Counts of magnitudes by their upper 15 bits, or by the lower 16 where those are `prefix`. Pieces: 8192 weights. */
export function magnitude_histogram(
  uniforms: usize,
  element: u32,
  digit: u32,
  weights: usize,
  counts: usize,
  begin: u32,
  end: u32,
): void {
  const stop = min(end * PIECE, load<u32>(uniforms));
  if (digit == 1) {
    countLow(weights, counts, begin * PIECE, stop, load<u32>(uniforms, 4));
    return;
  }
  clearCounters();
  for (let first = begin * PIECE; first < stop; first += COUNTS) {
    countBlock(weights, counts, element, first, min(first + COUNTS, stop));
  }
}

/**
 * Most weights lie within few powers of two below the largest: the bins there are counted in memory of this thread, all
 * others at once in `counts`.
 */
function countBlock(weights: usize, counts: usize, element: u32, first: u32, last: u32): void {
  const infinity: u32 = element == F32 || element == BF16 ? 0x7f80 : 0x7c00;
  const whole = first + ((last - first) & ~7);
  const limit = i16x8.splat(<i16>infinity);
  let largest = i64x2.splat(0);
  for (let index = first; index < whole; index += 8) {
    const bins = eightBins(weights, index, element);
    largest = i16x8.max_s(largest, v128.and(bins, i16x8.lt_s(bins, limit)));
  }
  // Bin 0 is never in the window.
  const base = <u32>max(1, <i32>largestLane(largest) - <i32>WINDOW + 1);
  const bases = i16x8.splat(<i16>base);
  const ends = i16x8.splat(<i16>WINDOW);
  const ones = i16x8.splat(1);
  for (let index = first; index < whole; index += 8) {
    const bins = eightBins(weights, index, element);
    const places = i16x8.sub(bins, bases);
    const isWithin = v128.and(i16x8.ge_s(bins, bases), i16x8.lt_s(places, ends));
    if (i16x8.all_true(v128.or(isWithin, i16x8.eq(bins, i64x2.splat(0))))) {
      const counters = v128.and(i16x8.add(places, ones), isWithin);
      count(i16x8.extract_lane_u(counters, 0));
      count(i16x8.extract_lane_u(counters, 1));
      count(i16x8.extract_lane_u(counters, 2));
      count(i16x8.extract_lane_u(counters, 3));
      count(i16x8.extract_lane_u(counters, 4));
      count(i16x8.extract_lane_u(counters, 5));
      count(i16x8.extract_lane_u(counters, 6));
      count(i16x8.extract_lane_u(counters, 7));
    } else {
      for (let each = index; each < index + 8; each++) countOne(counts, binAt(weights, each, element), base);
    }
  }
  for (let index = whole; index < last; index++) countOne(counts, binAt(weights, index, element), base);
  const zeros = takeCounter(0);
  if (zeros != 0) atomic.add<u32>(counts, zeros);
  addCounters(counts + (<usize>(base - 1) << 2), COUNTERS);
}

@inline
function countOne(counts: usize, bin: u32, base: u32): void {
  if (bin == 0) count(0);
  else if (bin - base < WINDOW) count(bin - base + 1);
  else atomic.add<u32>(counts + (<usize>bin << 2), 1);
}

/** The weights that share their upper bits with the k-th smallest are few: each is counted at once. */
function countLow(weights: usize, counts: usize, first: u32, last: u32, prefix: u32): void {
  const whole = first + ((last - first) & ~3);
  const prefixes = i32x4.splat(prefix);
  for (let index = first; index < whole; index += 4) {
    const high = i32x4.shr_u(i32x4.shl(v128.load(weights + (<usize>index << 2)), 1), 17);
    for (let found = i32x4.bitmask(i32x4.eq(high, prefixes)); found != 0; found &= found - 1) {
      countOneLow(weights, counts, index + ctz(found));
    }
  }
  for (let index = whole; index < last; index++) {
    if (binAt(weights, index, F32) == prefix) countOneLow(weights, counts, index);
  }
}

@inline
function countOneLow(weights: usize, counts: usize, index: u32): void {
  atomic.add<u32>(counts + (<usize>(rawAt(weights, index, F32) & 0xffff) << 2), 1);
}

@inline
function binAt(weights: usize, index: u32, element: u32): u32 {
  const raw = rawAt(weights, index, element);
  return (element == F32 ? raw >> 16 : raw) & 0x7fff;
}

@inline
function eightBins(weights: usize, index: u32, element: u32): v128 {
  if (element != F32) return v128.and(v128.load(weights + (<usize>index << 1)), i16x8.splat(0x7fff));
  const at = weights + (<usize>index << 2);
  // Without its sign an upper half survives the narrowing as it is.
  const low = i32x4.shr_u(i32x4.shl(v128.load(at), 1), 17);
  const high = i32x4.shr_u(i32x4.shl(v128.load(at, 16), 1), 17);
  return i16x8.narrow_i32x4_u(low, high);
}

function largestLane(lanes: v128): u32 {
  let largest = i32x4.max_s(i32x4.extend_low_i16x8_u(lanes), i32x4.extend_high_i16x8_u(lanes));
  largest = i32x4.max_s(largest, i64x2.shuffle(largest, largest, 1, 0));
  return max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1)) as u32;
}
