import { roundedF32x4, valueAt } from "../assembly/elements.as";
import { zeroPointAt } from "../assembly/int-code.as";
import { scratch } from "../assembly/scratch.as";

/** Rows of a piece, one to a lane: every step of the rule is one of four rows. The wrapper has the same number. */
const ROWS: u32 = 4;

/** Columns of `errors`; `block.ts` has the same number. */
const ERROR_STRIDE: usize = 128 << 2;

/** Numbers of `MASK`. */
const N_OF_M: u32 = 1;
const THRESHOLD: u32 = 2;

/** Scratch memory: the weights of the block, four rows to a vector; which are masked; scores of a group. */
const MASKED: usize = 2048;
const SCORES: usize = 4096;

/** Removes and rounds the weights of a block column by column. Pieces: 4 rows. */
export function column_block(
  uniforms: usize,
  element: u32,
  bits: u32,
  symmetric: u32,
  mask: u32,
  n: u32,
  m: u32,
  weights: usize,
  order: usize,
  factor: usize,
  scales: usize,
  zeroPoints: usize,
  errors: usize,
  losses: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const first = load<u32>(uniforms, 8);
  const count = load<u32>(uniforms, 12);
  const groupsPerRow = load<u32>(uniforms, 16);
  const groupSize = load<u32>(uniforms, 20);
  const threshold = load<f32>(uniforms, 24);
  const columns = order + (<usize>first << 2);
  const stride = <usize>cols << 2;
  const corner = factor + first * (stride + 4);
  const low = f32x4.splat(<f32>(-(1 << (bits - 1))));
  const high = f32x4.splat(<f32>((1 << (bits - 1)) - 1));
  for (let piece = begin; piece < end; piece++) {
    const row = piece * ROWS;
    // Rows beyond the last are the last again, and not written.
    const kept = min(ROWS, rows - row);
    const r1 = row + min(1, kept - 1);
    const r2 = row + min(2, kept - 1);
    const r3 = row + kept - 1;
    for (let k: u32 = 0; k < count; k++) {
      const column = weights + (<usize>load<u32>(columns + (<usize>k << 2)) << 2);
      const four = f32x4(
        load<f32>(column + row * stride),
        load<f32>(column + r1 * stride),
        load<f32>(column + r2 * stride),
        load<f32>(column + r3 * stride),
      );
      v128.store(scratch + (<usize>k << 4), four);
      if (mask == THRESHOLD) {
        v128.store(scratch + MASKED + (<usize>k << 4), f32x4.le(scoreOf(corner, stride, k), f32x4.splat(threshold)));
      }
    }
    const loss = losses + (<usize>row << 2);
    let sums = f32x4(
      load<f32>(loss),
      load<f32>(losses + (<usize>r1 << 2)),
      load<f32>(losses + (<usize>r2 << 2)),
      load<f32>(losses + (<usize>r3 << 2)),
    );
    for (let k: u32 = 0; k < count; k++) {
      if (mask == N_OF_M && k % m == 0) maskGroup(corner, stride, k, min(m, count - k), n);
      const at = scratch + (<usize>k << 4);
      const w = v128.load(at);
      let q = w;
      const column = load<u32>(columns + (<usize>k << 2));
      if (bits > 0) {
        const group = groupsPerRow > 0 ? column / groupSize : 0;
        const p0 = row * groupsPerRow + group;
        const p1 = r1 * groupsPerRow + group;
        const p2 = r2 * groupsPerRow + group;
        const p3 = r3 * groupsPerRow + group;
        const s = f32x4(
          valueAt(scales, p0, element),
          valueAt(scales, p1, element),
          valueAt(scales, p2, element),
          valueAt(scales, p3, element),
        );
        const z = f32x4(
          zeroPointAt(zeroPoints, p0, symmetric),
          zeroPointAt(zeroPoints, p1, symmetric),
          zeroPointAt(zeroPoints, p2, symmetric),
          zeroPointAt(zeroPoints, p3, symmetric),
        );
        const clamped = f32x4.min(f32x4.max(f32x4.add(f32x4.div(w, s), z), low), high);
        // Minus zero less zero would stay so; level 0 is +0.
        const level = f32x4.add(f32x4.sub(f32x4.nearest(clamped), z), f32x4.splat(0));
        q = roundedF32x4(f32x4.mul(level, s), element);
      }
      if (mask != 0) q = v128.andnot(q, v128.load(scratch + MASKED + (<usize>k << 4)));
      const u = corner + k * (stride + 4);
      const error = f32x4.div(f32x4.sub(w, q), v128.load32_splat(u));
      sums = f32x4.add(sums, f32x4.mul(f32x4.mul(error, error), f32x4.splat(0.5)));
      putLanes(weights + row * stride + (<usize>column << 2), stride, q, kept);
      putLanes(errors + row * ERROR_STRIDE + (<usize>k << 2), ERROR_STRIDE, error, kept);
      let from = u + 4;
      for (let to = at + 16; to < scratch + (<usize>count << 4); to += 16, from += 4) {
        v128.store(to, f32x4.sub(v128.load(to), f32x4.mul(error, v128.load32_splat(from))));
      }
    }
    putLanes(loss, 4, sums, kept);
  }
}

/** Scores of column `k` of the block as its weights stand. */
@inline
function scoreOf(corner: usize, stride: usize, k: u32): v128 {
  const w = v128.load(scratch + (<usize>k << 4));
  const d = v128.load32_splat(corner + k * (stride + 4));
  return f32x4.div(f32x4.mul(w, w), f32x4.mul(d, d));
}

/** Masks the `n` columns of lowest score of `size` from `first` on: those before which fewer than `n` go. */
function maskGroup(corner: usize, stride: usize, first: u32, size: u32, n: u32): void {
  for (let i: u32 = 0; i < size; i++) v128.store(scratch + SCORES + (<usize>i << 4), scoreOf(corner, stride, first + i));
  for (let i: u32 = 0; i < size; i++) {
    const own = v128.load(scratch + SCORES + (<usize>i << 4));
    let before = i32x4.splat(0);
    for (let j: u32 = 0; j < size; j++) {
      const other = v128.load(scratch + SCORES + (<usize>j << 4));
      before = i32x4.sub(before, j < i ? f32x4.le(other, own) : f32x4.lt(other, own));
    }
    v128.store(scratch + MASKED + (<usize>(first + i) << 4), i32x4.lt_u(before, i32x4.splat(n)));
  }
}

/** Writes as many lanes as there are rows. */
function putLanes(to: usize, stride: usize, four: v128, kept: u32): void {
  v128.store_lane<f32>(to, four, 0);
  if (kept > 1) v128.store_lane<f32>(to + stride, four, 1);
  if (kept > 2) v128.store_lane<f32>(to + 2 * stride, four, 2);
  if (kept > 3) v128.store_lane<f32>(to + 3 * stride, four, 3);
}
