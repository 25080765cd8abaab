import { roundedF32x4 } from "../assembly/elements.as";
import { expF32x4, tanhF32x4 } from "../assembly/exp.as";
import { scratch } from "../assembly/scratch.as";
import { multiplyRows } from "../assembly/tiles.as";
import {
  addOne,
  addTwo,
  firstKey,
  headAt,
  KEY,
  KEYS,
  lowestKey,
  QUERY,
  ROWS,
  SCORES_STRIDE,
  stateOf,
  strideOf,
  VALUE,
  windowEnd,
} from "./attention.as";

/** Causal attention that rounds scores and probabilities to a format. Pieces: 16 rows of a head. */
export function attention_rounded(
  uniforms: usize,
  softCap: f32,
  rounding: u32,
  positions: usize,
  query: usize,
  key: usize,
  value: usize,
  outputs: usize,
  begin: u32,
  end: u32,
): void {
  const firstRow = load<u32>(uniforms);
  const rowCount = load<u32>(uniforms, 4);
  const blocks = (rowCount + ROWS - 1) / ROWS;
  for (let piece = begin; piece < end; piece++) {
    const head = piece / blocks;
    const last = firstRow + min((piece % blocks + 1) * ROWS, rowCount);
    for (let row = firstRow + (piece % blocks) * ROWS; row < last; ) {
      const top = row - load<u32>(positions + (<usize>row << 2));
      const next = windowEnd(positions, row, last);
      attendRows(uniforms, softCap, rounding, query, key, value, outputs, head, row, next - row, top);
      row = next;
    }
  }
}

/** `count` rows of one head and of one window, which begins at row `top`: for sums of weights first, then for values. */
function attendRows(
  uniforms: usize,
  softCap: f32,
  rounding: u32,
  query: usize,
  key: usize,
  value: usize,
  outputs: usize,
  head: u32,
  firstRow: u32,
  count: u32,
  top: u32,
): void {
  const heads = load<u32>(uniforms, 8);
  const keyHead = (head * load<u32>(uniforms, 12)) / heads;
  const dim = load<u32>(uniforms, 16);
  const qStride = strideOf(uniforms + QUERY);
  const kStride = strideOf(uniforms + KEY);
  const vStride = strideOf(uniforms + VALUE);
  const q = headAt(uniforms + QUERY, query, head) + firstRow * qStride;
  const k = headAt(uniforms + KEY, key, keyHead);
  const v = headAt(uniforms + VALUE, value, keyHead);
  const scale = load<f32>(uniforms, 56);
  const window = load<u32>(uniforms, 60);
  const yStride = <usize>(heads * dim) << 2;
  const y = outputs + firstRow * yStride + (<usize>(head * dim) << 2);

  const end = firstRow + count;
  const start = firstKey(firstRow, end, top, window);
  for (let block = start; block < end; block += KEYS) {
    const keys = min(KEYS, end - block);
    scoreRows(q, qStride, k + block * kStride, kStride, count, keys, dim, scale, softCap, rounding);
    for (let each: u32 = 0; each < count; each++) {
      const row = firstRow + each;
      hide(each, lowIn(block, row, top, window), highIn(block, row, keys), keys);
      // Every row sees some of the first block, since first keys lie closer together than it is long.
      addWeights(each, keys, block > start);
    }
  }
  const isWhole = end - start <= KEYS;
  for (let block = start; block < end; block += KEYS) {
    const keys = min(KEYS, end - block);
    const begun = block > start;
    const from = v + block * vStride;
    // Scores of a single block still stand there.
    if (!isWhole) scoreRows(q, qStride, k + block * kStride, kStride, count, keys, dim, scale, softCap, rounding);
    for (let each: u32 = 0; each < count; each += 2) {
      const one = firstRow + each;
      const low = lowIn(block, one, top, window);
      const high = highIn(block, one, keys);
      const weights = scratch + each * SCORES_STRIDE;
      const to = y + each * yStride;
      makeProbabilities(each, keys, rounding);
      if (each + 1 == count) {
        addOne(weights, low, high, from, vStride, to, dim, 1, begun);
        continue;
      }
      // The next row sees a key more at its end, and may see one less at its beginning.
      const otherLow = lowIn(block, one + 1, top, window);
      const otherHigh = highIn(block, one + 1, keys);
      const other = weights + SCORES_STRIDE;
      makeProbabilities(each + 1, keys, rounding);
      if (otherLow >= high) {
        addOne(weights, low, high, from, vStride, to, dim, 1, begun);
        addOne(other, otherLow, otherHigh, from, vStride, to + yStride, dim, 1, begun);
        continue;
      }
      addTwo(weights, otherLow, high, from, vStride, to, yStride, dim, 1, 1, begun);
      addOne(weights, low, otherLow, from, vStride, to, dim, 1, true);
      addOne(other, high, otherHigh, from, vStride, to + yStride, dim, 1, true);
    }
  }
}

/** First key of a block that a row sees. */
@inline
function lowIn(block: u32, row: u32, top: u32, window: u32): u32 {
  return max(lowestKey(row, top, window), block) - block;
}

/** The key of a block before which those end that a row sees. */
@inline
function highIn(block: u32, row: u32, keys: u32): u32 {
  return <u32>max(<i32>(min(row + 1, block + keys) - block), 0);
}

/** Rounded scores of a block, of every row and key. */
function scoreRows(
  q: usize,
  qStride: usize,
  k: usize,
  kStride: usize,
  count: u32,
  keys: u32,
  dim: u32,
  scale: f32,
  softCap: f32,
  rounding: u32,
): void {
  multiplyRows(q, qStride, count, k, kStride, keys, dim, scratch, SCORES_STRIDE, false);
  const scales = f32x4.splat(scale);
  const caps = f32x4.splat(softCap);
  for (let row: u32 = 0; row < count; row++) {
    const first = scratch + row * SCORES_STRIDE;
    for (let at = first; at < endOf(first, keys); at += 16) {
      const products = roundedF32x4(v128.load(at), rounding);
      let scores = roundedF32x4(f32x4.mul(products, scales), rounding);
      if (softCap != 0) {
        const quotients = roundedF32x4(f32x4.div(scores, caps), rounding);
        const tangents = roundedF32x4(tanhF32x4(quotients), rounding);
        scores = roundedF32x4(f32x4.mul(tangents, caps), rounding);
      }
      v128.store(at, scores);
    }
  }
}

/** Where the scores of a row end, in whole fours. */
@inline
function endOf(scores: usize, keys: u32): usize {
  return scores + (<usize>((keys + 3) & ~3) << 2);
}

/** Scores of what a row does not see become those of an exponential of 0. */
function hide(row: u32, low: u32, high: u32, keys: u32): void {
  const scores = scratch + row * SCORES_STRIDE;
  const end = endOf(scores, keys);
  for (let at = scores; at < scores + (<usize>min(low, keys) << 2); at += 4) store<f32>(at, -Infinity);
  for (let at = scores + (<usize>high << 2); at < end; at += 4) store<f32>(at, -Infinity);
}

/** Adds a block to what is known of a row: its largest score, and the sum of weights in units of its exponential. */
function addWeights(row: u32, keys: u32, begun: bool): void {
  const scores = scratch + row * SCORES_STRIDE;
  const end = endOf(scores, keys);
  const state = stateOf(row);
  const before: f32 = begun ? load<f32>(state) : -Infinity;
  let highest = f32x4.splat(before);
  for (let at = scores; at < end; at += 16) highest = f32x4.max(highest, v128.load(at));
  highest = f32x4.max(highest, v128.shuffle<f32>(highest, highest, 2, 3, 0, 1));
  highest = f32x4.max(highest, v128.shuffle<f32>(highest, highest, 1, 0, 3, 2));
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) sum = f32x4.add(sum, expF32x4(f32x4.sub(v128.load(at), highest)));
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  const added = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1);
  const shrinking = f32x4.extract_lane(expF32x4(f32x4.sub(f32x4.splat(before), highest)), 0);
  store<f32>(state, f32x4.extract_lane(highest, 0));
  store<f32>(state, begun ? load<f32>(state, 4) * shrinking + added : added, 4);
}

/** Makes rounded probabilities of a row's scores in a block. */
function makeProbabilities(row: u32, keys: u32, rounding: u32): void {
  const scores = scratch + row * SCORES_STRIDE;
  const highest = v128.load32_splat(stateOf(row));
  const sum = v128.load32_splat(stateOf(row), 4);
  for (let at = scores; at < endOf(scores, keys); at += 16) {
    const weights = expF32x4(f32x4.sub(v128.load(at), highest));
    v128.store(at, roundedF32x4(f32x4.div(weights, sum), rounding));
  }
}
