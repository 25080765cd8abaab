import { F32, putRaw, rawAt, sizeShift } from "../assembly/elements.as";

/** Weights of a piece; the wrapper has the same number. */
const PIECE: u32 = 4096;

/** So many bytes and more are worth a call of `memory.copy`. */
const LONG: u32 = 64;

/** Weights of whole rows or columns become +0. Pieces: 4096 weights. */
export function structured(
  uniforms: usize,
  element: u32,
  columns: u32,
  weights: usize,
  doomed: usize,
  pruned: usize,
  begin: u32,
  end: u32,
): void {
  const elements = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const stop = min(end * PIECE, elements);
  let row = begin * PIECE / cols;
  let column = begin * PIECE % cols;
  for (let first = begin * PIECE; first < stop; ) {
    const last = min(first + cols - column, stop);
    if (columns != 0) copyColumns(weights, doomed, pruned, first, last, column, element);
    else copyRow(weights, pruned, first, last, isDoomed(doomed, row), element);
    first = last;
    row++;
    column = 0;
  }
  if (stop == elements && element != F32 && (elements & 1) == 1) putRaw(pruned, elements, 0, element);
}

@inline
function isDoomed(doomed: usize, line: u32): bool {
  return ((<u32>load<u8>(doomed + (line >> 3)) >> (line & 7)) & 1) == 1;
}

@inline
function copyRow(weights: usize, pruned: usize, first: u32, last: u32, isGone: bool, element: u32): void {
  const shift = sizeShift(element);
  const at = <usize>first << shift;
  const bytes = <usize>(last - first) << shift;
  if (bytes < LONG) {
    for (let index = first; index < last; index++) {
      putRaw(pruned, index, isGone ? 0 : rawAt(weights, index, element), element);
    }
  } else if (isGone) {
    memory.fill(pruned + at, 0, bytes);
  } else {
    memory.copy(pruned + at, weights + at, bytes);
  }
}

/** A part of a row from `column` on. Eight columns have a byte of `doomed`. */
@inline
function copyColumns(weights: usize, doomed: usize, pruned: usize, first: u32, last: u32, column: u32, element: u32): void {
  let index = first;
  for (; index < last && (column & 7) != 0; index++, column++) copyOne(weights, doomed, pruned, index, column, element);
  const whole = index + ((last - index) & ~7);
  if (element == F32) {
    const low = i32x4(1, 2, 4, 8);
    const high = i32x4(16, 32, 64, 128);
    for (; index < whole; index += 8, column += 8) {
      const bits = i32x4.splat(load<u8>(doomed + (column >> 3)));
      const at = <usize>index << 2;
      const left = i32x4.eq(v128.and(bits, low), i64x2.splat(0));
      const right = i32x4.eq(v128.and(bits, high), i64x2.splat(0));
      v128.store(pruned + at, v128.and(v128.load(weights + at), left));
      v128.store(pruned + at, v128.and(v128.load(weights + at, 16), right), 16);
    }
  } else {
    const each = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
    for (; index < whole; index += 8, column += 8) {
      const bits = i16x8.splat(load<u8>(doomed + (column >> 3)));
      const at = <usize>index << 1;
      const kept = i16x8.eq(v128.and(bits, each), i64x2.splat(0));
      v128.store(pruned + at, v128.and(v128.load(weights + at), kept));
    }
  }
  for (; index < last; index++, column++) copyOne(weights, doomed, pruned, index, column, element);
}

@inline
function copyOne(weights: usize, doomed: usize, pruned: usize, index: u32, column: u32, element: u32): void {
  putRaw(pruned, index, isDoomed(doomed, column) ? 0 : rawAt(weights, index, element), element);
}
