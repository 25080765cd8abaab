import { expF32x4, tanhF32x4 } from "../assembly/exp.as";
import { scratch } from "../assembly/scratch.as";
import { multiplyRows } from "../assembly/tiles.as";

/** Rows of a piece, and keys whose scores exist at a time: they fill half of the scratch memory. */
export const ROWS: u32 = 16;
export const KEYS: u32 = 128;
export const SCORES_STRIDE: usize = KEYS << 2;

/** Behind the scores: of each row, the largest score so far and the sum of weights in units of its exponential. */
const STATE: usize = ROWS * SCORES_STRIDE;

/** Where the uniforms say how heads lie in a register: its width, the first column, and how far heads are apart. */
export const QUERY: usize = 20;
export const KEY: usize = 32;
export const VALUE: usize = 44;

/** Bytes of a row of a register. */
export function strideOf(place: usize): usize {
  return <usize>load<u32>(place) << 2;
}

/** Where a head lies in the first row of a register. */
export function headAt(place: usize, register: usize, head: u32): usize {
  return register + (<usize>(load<u32>(place, 4) + head * load<u32>(place, 8)) << 2);
}

/** The row before which those end that are of one window, from `row` on; before `last` in any case. */
export function windowEnd(positions: usize, row: u32, last: u32): u32 {
  const top = row - load<u32>(positions + (<usize>row << 2));
  let next = row + 1;
  while (next < last && next - load<u32>(positions + (<usize>next << 2)) == top) next++;
  return next;
}

/** The first key that rows from `row` to before `end` look at: whole fours are quicker, so some more that count for nothing. */
export function firstKey(row: u32, end: u32, top: u32, window: u32): u32 {
  const start = lowestKey(row, top, window);
  const spare = (start - end) & 3;
  return start >= spare ? start - spare : start;
}

/** Causal attention with grouped queries, keys in blocks (FlashAttention). Pieces: 16 rows of a head. */
export function attention(
  uniforms: usize,
  softCap: f32,
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
  const capacity = load<u32>(uniforms, 64);
  const blocks = (rowCount + ROWS - 1) / ROWS;
  for (let piece = begin; piece < end; piece++) {
    const head = piece / blocks;
    const last = firstRow + min((piece % blocks + 1) * ROWS, rowCount);
    for (let row = firstRow + (piece % blocks) * ROWS; row < last; ) {
      if (capacity != 0) {
        const cache = row * capacity;
        const self = cache + load<u32>(positions + (<usize>row << 2));
        attendRows(uniforms, softCap, query, key, value, outputs, head, row, self, 1, cache);
        row++;
        continue;
      }
      const top = row - load<u32>(positions + (<usize>row << 2));
      const next = windowEnd(positions, row, last);
      attendRows(uniforms, softCap, query, key, value, outputs, head, row, row, next - row, top);
      row = next;
    }
  }
}

/**
 * `count` rows of one head and of one window: from `queryRow` on among queries and outputs, from `firstRow` on among keys and
 * values, where the window begins at row `top`.
 */
function attendRows(
  uniforms: usize,
  softCap: f32,
  query: usize,
  key: usize,
  value: usize,
  outputs: usize,
  head: u32,
  queryRow: u32,
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
  const q = headAt(uniforms + QUERY, query, head) + queryRow * qStride;
  const k = headAt(uniforms + KEY, key, keyHead);
  const v = headAt(uniforms + VALUE, value, keyHead);
  const scale = load<f32>(uniforms, 56);
  const window = load<u32>(uniforms, 60);
  const yStride = <usize>(heads * dim) << 2;
  const y = outputs + queryRow * yStride + (<usize>(head * dim) << 2);

  const end = firstRow + count;
  const start = firstKey(firstRow, end, top, window);
  for (let block = start; block < end; block += KEYS) {
    const keys = min(KEYS, end - block);
    // Every row sees some of the first block, since first keys lie closer together than it is long.
    const begun = block > start;
    multiplyRows(q, qStride, count, k + block * kStride, kStride, keys, dim, scratch, SCORES_STRIDE, false);
    for (let each: u32 = 0; each < count; each += 2) {
      const one = firstRow + each;
      const low = max(lowestKey(one, top, window), block) - block;
      const high = <u32>max(<i32>(min(one + 1, block + keys) - block), 0);
      const weights = scratch + each * SCORES_STRIDE;
      const to = y + each * yStride;
      const from = v + block * vStride;
      const shrinking = weigh(each, low, high, keys, begun, scale, softCap);
      if (each + 1 == count) {
        addOne(weights, low, high, from, vStride, to, dim, shrinking, begun);
        continue;
      }
      // The next row sees a key more at its end, and may see one less at its beginning.
      const otherLow = max(lowestKey(one + 1, top, window), block) - block;
      const otherHigh = <u32>max(<i32>(min(one + 2, block + keys) - block), 0);
      const other = weights + SCORES_STRIDE;
      const otherShrinking = weigh(each + 1, otherLow, otherHigh, keys, begun, scale, softCap);
      if (otherLow >= high) {
        addOne(weights, low, high, from, vStride, to, dim, shrinking, begun);
        addOne(other, otherLow, otherHigh, from, vStride, to + yStride, dim, otherShrinking, begun);
        continue;
      }
      addTwo(weights, otherLow, high, from, vStride, to, yStride, dim, shrinking, otherShrinking, begun);
      addOne(weights, low, otherLow, from, vStride, to, dim, 1, true);
      addOne(other, high, otherHigh, from, vStride, to + yStride, dim, 1, true);
    }
  }
  for (let each: u32 = 0; each < count; each++) {
    const share = f32x4.splat(1 / load<f32>(stateOf(each), 4));
    const to = y + each * yStride;
    for (let at = to; at < to + (<usize>dim << 2); at += 16) v128.store(at, f32x4.mul(v128.load(at), share));
  }
}

/** The first row that a row sees. */
@inline
export function lowestKey(row: u32, top: u32, window: u32): u32 {
  return window != 0 && row - top >= window ? row - window + 1 : top;
}

@inline
export function stateOf(row: u32): usize {
  return scratch + STATE + (<usize>row << 3);
}

/**
 * Makes weights of a row's scores in this block, in units of e^maximum; 0 where it sees nothing. Returns what all before is to
 * be multiplied with.
 * @param low first key of the block that the row sees; `high` the one before which they end
 * @param begun whether there were some in earlier blocks
 */
function weigh(row: u32, low: u32, high: u32, keys: u32, begun: bool, scale: f32, softCap: f32): f32 {
  if (low >= high) return 1;
  const scores = scratch + row * SCORES_STRIDE;
  const end = scores + (<usize>((keys + 3) & ~3) << 2);
  const inverse: f32 = softCap == 0 ? 0 : 1 / softCap;
  for (let at = scores; at < end; at += 16) {
    let four = f32x4.mul(v128.load(at), f32x4.splat(scale));
    if (softCap != 0) four = f32x4.mul(tanhF32x4(f32x4.mul(four, f32x4.splat(inverse))), f32x4.splat(softCap));
    v128.store(at, four);
  }
  for (let at = scores; at < scores + (<usize>low << 2); at += 4) store<f32>(at, -Infinity);
  for (let at = scores + (<usize>high << 2); at < end; at += 4) store<f32>(at, -Infinity);
  const state = stateOf(row);
  const before: f32 = begun ? load<f32>(state) : -Infinity;
  let highest = f32x4.splat(before);
  for (let at = scores; at < end; at += 16) highest = f32x4.max(highest, v128.load(at));
  highest = f32x4.max(highest, v128.shuffle<f32>(highest, highest, 2, 3, 0, 1));
  highest = f32x4.max(highest, v128.shuffle<f32>(highest, highest, 1, 0, 3, 2));
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    const weights = expF32x4(f32x4.sub(v128.load(at), highest));
    v128.store(at, weights);
    sum = f32x4.add(sum, weights);
  }
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  const added = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1);
  const shrinking: f32 = begun ? f32x4.extract_lane(expF32x4(f32x4.sub(f32x4.splat(before), highest)), 0) : 0;
  store<f32>(state, f32x4.extract_lane(highest, 0));
  store<f32>(state, begun ? load<f32>(state, 4) * shrinking + added : added, 4);
  return shrinking;
}

/** y += weights · values of keys `low` to `high`, y multiplied with `shrinking` first; or without `y` where it has not begun. */
export function addOne(
  weights: usize,
  low: u32,
  high: u32,
  values: usize,
  vStride: usize,
  y: usize,
  dim: u32,
  shrinking: f32,
  begun: bool,
): void {
  if (low >= high) return;
  const last = weights + (<usize>high << 2);
  for (let at: usize = 0; at < <usize>dim << 2; at += 16) {
    let sum = begun ? f32x4.mul(v128.load(y + at), f32x4.splat(shrinking)) : f32x4.splat(0);
    let v = values + low * vStride + at;
    for (let w = weights + (<usize>low << 2); w < last; w += 4, v += vStride) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), v128.load(v)));
    }
    v128.store(y + at, sum);
  }
}

/** The same for two rows that see the same keys: 16 columns at a time, then 4. */
export function addTwo(
  weights: usize,
  low: u32,
  high: u32,
  values: usize,
  vStride: usize,
  y: usize,
  yStride: usize,
  dim: u32,
  shrinking: f32,
  otherShrinking: f32,
  begun: bool,
): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(shrinking);
  const other = f32x4.splat(otherShrinking);
  const first = weights + (<usize>low << 2);
  const last = weights + (<usize>high << 2);
  const wide = <usize>(dim & ~15) << 2;
  let at: usize = 0;
  for (; at < wide; at += 64) {
    const a = y + at;
    const b = a + yStride;
    let a0 = begun ? f32x4.mul(v128.load(a), one) : zero;
    let a1 = begun ? f32x4.mul(v128.load(a, 16), one) : zero;
    let a2 = begun ? f32x4.mul(v128.load(a, 32), one) : zero;
    let a3 = begun ? f32x4.mul(v128.load(a, 48), one) : zero;
    let b0 = begun ? f32x4.mul(v128.load(b), other) : zero;
    let b1 = begun ? f32x4.mul(v128.load(b, 16), other) : zero;
    let b2 = begun ? f32x4.mul(v128.load(b, 32), other) : zero;
    let b3 = begun ? f32x4.mul(v128.load(b, 48), other) : zero;
    let v = values + low * vStride + at;
    for (let w = first; w < last; w += 4, v += vStride) {
      const left = v128.load32_splat(w);
      const right = v128.load32_splat(w, SCORES_STRIDE);
      let four = v128.load(v);
      a0 = f32x4.add(a0, f32x4.mul(left, four));
      b0 = f32x4.add(b0, f32x4.mul(right, four));
      four = v128.load(v, 16);
      a1 = f32x4.add(a1, f32x4.mul(left, four));
      b1 = f32x4.add(b1, f32x4.mul(right, four));
      four = v128.load(v, 32);
      a2 = f32x4.add(a2, f32x4.mul(left, four));
      b2 = f32x4.add(b2, f32x4.mul(right, four));
      four = v128.load(v, 48);
      a3 = f32x4.add(a3, f32x4.mul(left, four));
      b3 = f32x4.add(b3, f32x4.mul(right, four));
    }
    v128.store(a, a0);
    v128.store(a, a1, 16);
    v128.store(a, a2, 32);
    v128.store(a, a3, 48);
    v128.store(b, b0);
    v128.store(b, b1, 16);
    v128.store(b, b2, 32);
    v128.store(b, b3, 48);
  }
  const rest = dim - <u32>(at >> 2);
  addOne(weights, low, high, values + at, vStride, y + at, rest, shrinking, begun);
  addOne(weights + SCORES_STRIDE, low, high, values + at, vStride, y + at + yStride, rest, otherShrinking, begun);
}
