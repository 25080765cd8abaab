import { F32, fourAt, NAN_BITS, putRaw, rawAt, sizeShift, valueAt } from "../assembly/elements.as";
import { scratch } from "../assembly/scratch.as";

/** Groups of a piece, an even number; the wrapper has the same. */
const GROUPS: u32 = 256;

/** Bits of the scores that are counted at once: 8 KiB of counts. */
const DIGIT: u32 = 11;

/** Of each `m` neighbours the `n`, or under `m` = 0 of each row some, of smallest scores become +0. Pieces: 256 groups, or rows. */
export function wanda(
  uniforms: usize,
  element: u32,
  n: u32,
  m: u32,
  weights: usize,
  importance: usize,
  pruned: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const elements = rows * cols;
  let last: u32;
  if (m == 0) {
    const atOnce: u32 = element != F32 && (cols & 1) == 1 ? 2 : 1;
    const lastRow = min(end * atOnce, rows);
    const gone = load<u32>(uniforms, 8);
    for (let row = begin * atOnce; row < lastRow; row++) pruneRow(weights, importance, pruned, row * cols, cols, gone, element);
    last = lastRow * cols;
  } else {
    last = min(end * GROUPS * m, elements);
    const first = begin * GROUPS * m;
    let column = first % cols;
    for (let index = first; index < last; index += m) {
      if (m == 4) pruneFour(weights, importance + (<usize>column << 2), pruned, index, n, element);
      else pruneGroup(weights, importance + (<usize>column << 2), pruned, index, n, m, element);
      column += m;
      if (column == cols) column = 0;
    }
  }
  if (last == elements && element != F32 && (elements & 1) == 1) putRaw(pruned, elements, 0, element);
}

/** Scores as bits without a sign, which order like the numbers; every NaN the same, and above infinity. */
@inline
function scoresOf(four: v128, factors: v128): v128 {
  const scores = f32x4.mul(four, factors);
  const magnitudes = v128.and(scores, i32x4.splat(0x7fffffff));
  return v128.bitselect(magnitudes, i32x4.splat(NAN_BITS), f32x4.eq(scores, scores));
}

@inline
function scoreOf(weight: f32, factor: f32): u32 {
  const score = weight * factor;
  return score == score ? reinterpret<u32>(score) & 0x7fffffff : NAN_BITS;
}

/** Four neighbours: how many go earlier than each tells whether it goes. Of equals the earlier does. */
@inline
function pruneFour(weights: usize, factors: usize, pruned: usize, first: u32, n: u32, element: u32): void {
  const scores = scoresOf(fourAt(weights, first, element), v128.load(factors));
  // Each lane's neighbour one, two and three places on; where that is an earlier one, it has only to be as small.
  const next = v128.shuffle<u32>(scores, scores, 1, 2, 3, 0);
  const second = v128.shuffle<u32>(scores, scores, 2, 3, 0, 1);
  const third = v128.shuffle<u32>(scores, scores, 3, 0, 1, 2);
  let earlier = i32x4.gt_s(scores, i32x4.sub(next, i32x4(0, 0, 0, 1)));
  earlier = i32x4.add(earlier, i32x4.gt_s(scores, i32x4.sub(second, i32x4(0, 0, 1, 1))));
  earlier = i32x4.add(earlier, i32x4.gt_s(scores, i32x4.sub(third, i32x4(0, 1, 1, 1))));
  const gone = i32x4.gt_s(earlier, i32x4.splat(-(<i32>n)));
  if (element == F32) {
    const at = <usize>first << 2;
    v128.store(pruned + at, v128.andnot(v128.load(weights + at), gone));
  } else {
    const at = <usize>first << 1;
    const halves = i16x8.narrow_i32x4_s(gone, gone);
    v128.store64_lane(pruned + at, v128.andnot(v128.load64_zero(weights + at), halves), 0);
  }
}

/** Any group: the smallest left is taken `n` times. */
function pruneGroup(weights: usize, factors: usize, pruned: usize, first: u32, n: u32, m: u32, element: u32): void {
  for (let i: u32 = 0; i < m; i++) {
    const score = scoreOf(valueAt(weights, first + i, element), load<f32>(factors + (<usize>i << 2)));
    store<u32>(scratch + (<usize>i << 2), score);
  }
  let taken: u32 = 0;
  for (let round: u32 = 0; round < n; round++) {
    let smallest: u32 = 0xffffffff;
    let place: u32 = 0;
    for (let i: u32 = 0; i < m; i++) {
      const found = load<u32>(scratch + (<usize>i << 2));
      if (((taken >> i) & 1) == 0 && found < smallest) {
        smallest = found;
        place = i;
      }
    }
    taken |= 1 << place;
  }
  for (let i: u32 = 0; i < m; i++) {
    putRaw(pruned, first + i, ((taken >> i) & 1) == 1 ? 0 : rawAt(weights, first + i, element), element);
  }
}

/** A row: the largest score that goes is found digit by digit, from the highest on. */
function pruneRow(weights: usize, factors: usize, pruned: usize, first: u32, cols: u32, gone: u32, element: u32): void {
  const shift = sizeShift(element);
  if (gone == 0) {
    memory.copy(pruned + (<usize>first << shift), weights + (<usize>first << shift), <usize>cols << shift);
    return;
  }
  if (gone >= cols) {
    memory.fill(pruned + (<usize>first << shift), 0, <usize>cols << shift);
    return;
  }
  // What is left to take among the scores that begin with `prefix`, of which no bit is known at first.
  let left = gone;
  let prefix: u32 = 0;
  let low: u32 = 32;
  while (low > 0) {
    const width = min(DIGIT, low);
    const known = low;
    low -= width;
    memory.fill(scratch, 0, <usize>4 << width);
    countDigits(weights, factors, first, cols, prefix, known, low, (1 << width) - 1, element);
    let digit: u32 = 0;
    for (let count = load<u32>(scratch); count < left; count = load<u32>(scratch + (<usize>digit << 2))) {
      left -= count;
      digit++;
    }
    prefix = (prefix << width) | digit;
  }
  writeRow(weights, factors, pruned, first, cols, prefix, left, element);
}

/** Counts in scratch memory the digits above bit `low` of scores whose bits from `known` on are `prefix`. */
function countDigits(
  weights: usize,
  factors: usize,
  first: u32,
  cols: u32,
  prefix: u32,
  known: u32,
  low: u32,
  mask: u32,
  element: u32,
): void {
  const whole = cols & ~3;
  for (let column: u32 = 0; column < whole; column += 4) {
    const scores = scoresOf(fourAt(weights, first + column, element), v128.load(factors + (<usize>column << 2)));
    if (known < 32) {
      const fits = i32x4.eq(i32x4.shr_u(scores, known), i32x4.splat(prefix));
      if (!v128.any_true(fits)) continue;
    }
    count(i32x4.extract_lane(scores, 0), prefix, known, low, mask);
    count(i32x4.extract_lane(scores, 1), prefix, known, low, mask);
    count(i32x4.extract_lane(scores, 2), prefix, known, low, mask);
    count(i32x4.extract_lane(scores, 3), prefix, known, low, mask);
  }
  for (let column = whole; column < cols; column++) {
    const score = scoreOf(valueAt(weights, first + column, element), load<f32>(factors + (<usize>column << 2)));
    count(score, prefix, known, low, mask);
  }
}

@inline
function count(score: u32, prefix: u32, known: u32, low: u32, mask: u32): void {
  if (known < 32 && score >> known != prefix) return;
  const at = scratch + (<usize>((score >> low) & mask) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Scores below the largest that goes become +0, and of those equal to it the first `equals`. */
function writeRow(
  weights: usize,
  factors: usize,
  pruned: usize,
  first: u32,
  cols: u32,
  largest: u32,
  equals: u32,
  element: u32,
): void {
  let left = equals;
  for (let column: u32 = 0; column < cols; column++) {
    const index = first + column;
    const score = scoreOf(valueAt(weights, index, element), load<f32>(factors + (<usize>column << 2)));
    let isGone = score < largest;
    if (score == largest && left > 0) {
      isGone = true;
      left--;
    }
    putRaw(pruned, index, isGone ? 0 : rawAt(weights, index, element), element);
  }
}
