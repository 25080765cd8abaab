import { F32, putRaw, rawAt, sizeShift } from "../assembly/elements.as";
import { scratch } from "../assembly/scratch.as";

/** Groups of a piece, an even number; the wrapper has the same. */
const GROUPS: u32 = 256;

/** Of each `m` neighbours the `n` of smallest magnitude become +0. Pieces: 256 groups. */
export function n_of_m(
  uniforms: usize,
  element: u32,
  n: u32,
  m: u32,
  weights: usize,
  pruned: usize,
  begin: u32,
  end: u32,
): void {
  const elements = load<u32>(uniforms);
  const first = begin * GROUPS * m;
  const last = min(end * GROUPS * m, elements);
  const lanes: u32 = 16 >> sizeShift(element);
  let done = first;
  // A vector holds whole groups.
  if (m > 1 && lanes % m == 0) {
    done = first + (last - first) / lanes * lanes;
    writeTurns(m, lanes, sizeShift(element));
    if (element == F32) pruneFours(weights, pruned, first, done, n, m);
    else pruneEights(weights, pruned, first, done, n, m);
  }
  for (; done < last; done += m) pruneGroup(weights, pruned, done, n, m, element);
  if (last == elements && element != F32 && (elements & 1) == 1) putRaw(pruned, elements, 0, element);
}

/**
 * For each turn of the groups, two vectors in scratch memory: the bytes that bring every lane the neighbour that many places
 * on, and 1 where that is a later one. Of equals the later goes first, so it has only to be as small.
 */
function writeTurns(m: u32, lanes: u32, shift: u32): void {
  for (let turn: u32 = 1; turn < m; turn++) {
    const at = scratch + (<usize>turn << 5);
    for (let lane: u32 = 0; lane < lanes; lane++) {
      const place = lane & (m - 1);
      const other = (place + turn) & (m - 1);
      const from = lane - place + other;
      for (let byte: u32 = 0; byte < 1 << shift; byte++) store<u8>(at + (lane << shift) + byte, <u8>((from << shift) + byte));
      const isLater: u32 = other > place ? 1 : 0;
      if (shift == 2) store<u32>(at + (lane << 2), isLater, 16);
      else store<u16>(at + (lane << 1), <u16>isLater, 16);
    }
  }
}

function pruneEights(weights: usize, pruned: usize, first: u32, last: u32, n: u32, m: u32): void {
  const bound = i16x8.splat(-(<i16>n));
  const turns = scratch + (<usize>m << 5);
  for (let at = <usize>first << 1; at < <usize>last << 1; at += 16) {
    const eight = v128.load(weights + at);
    const magnitudes = v128.and(eight, i16x8.splat(0x7fff));
    // Less one for each neighbour that goes earlier.
    let earlier = i64x2.splat(0);
    for (let turn = scratch + 32; turn < turns; turn += 32) {
      const others = i8x16.swizzle(magnitudes, v128.load(turn));
      earlier = i16x8.add(earlier, i16x8.gt_s(magnitudes, i16x8.sub(others, v128.load(turn, 16))));
    }
    v128.store(pruned + at, v128.andnot(eight, i16x8.gt_s(earlier, bound)));
  }
}

function pruneFours(weights: usize, pruned: usize, first: u32, last: u32, n: u32, m: u32): void {
  const bound = i32x4.splat(-(<i32>n));
  const turns = scratch + (<usize>m << 5);
  for (let at = <usize>first << 2; at < <usize>last << 2; at += 16) {
    const four = v128.load(weights + at);
    const magnitudes = v128.and(four, i32x4.splat(0x7fffffff));
    let earlier = i64x2.splat(0);
    for (let turn = scratch + 32; turn < turns; turn += 32) {
      const others = i8x16.swizzle(magnitudes, v128.load(turn));
      earlier = i32x4.add(earlier, i32x4.gt_s(magnitudes, i32x4.sub(others, v128.load(turn, 16))));
    }
    v128.store(pruned + at, v128.andnot(four, i32x4.gt_s(earlier, bound)));
  }
}

/** Any group: the smallest left is taken `n` times. */
function pruneGroup(weights: usize, pruned: usize, first: u32, n: u32, m: u32, element: u32): void {
  const magnitude: u32 = element == F32 ? 0x7fffffff : 0x7fff;
  let taken: u32 = 0;
  for (let round: u32 = 0; round < n; round++) {
    let smallest: u32 = 0xffffffff;
    let place: u32 = 0;
    for (let i: u32 = 0; i < m; i++) {
      const found = rawAt(weights, first + i, element) & magnitude;
      if (((taken >> i) & 1) == 0 && found <= smallest) {
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
