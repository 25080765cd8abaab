import { fourAt, rounded, roundedF32x4, valueAt } from "../assembly/elements.as";

/** Rows of a block; the oracle has the same number. */
const ROWS: u32 = 64;

/** Sums of each column's shares in the largest magnitude of its group. Pieces: groups of a block of rows. */
export function relative_magnitudes(uniforms: usize, element: u32, weights: usize, sums: usize, begin: u32, end: u32): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const groupSize = load<u32>(uniforms, 8);
  const groups = cols / groupSize;
  for (let piece = begin; piece < end; piece++) {
    const block = piece / groups;
    const column = (piece % groups) * groupSize;
    const to = sums + (<usize>(block * cols + column) << 2);
    memory.fill(to, 0, <usize>groupSize << 2);
    const last = min((block + 1) * ROWS, rows);
    for (let row = block * ROWS; row < last; row++) addGroup(weights, row * cols + column, groupSize, to, element);
  }
}

/** Adds what the group from `first` on comes to, to `sums`. */
@inline
function addGroup(weights: usize, first: u32, size: u32, sums: usize, element: u32): void {
  const whole = first + (size & ~3);
  const last = first + size;
  let largest = f32x4.splat(0);
  for (let index = first; index < whole; index += 4) largest = f32x4.max(largest, f32x4.abs(fourAt(weights, index, element)));
  let most = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  for (let index = whole; index < last; index++) most = max(most, abs(valueAt(weights, index, element)));
  const divisor = rounded(most + rounded(1e-6, element), element);
  const four = f32x4.splat(divisor);
  let to = sums;
  for (let index = first; index < whole; index += 4, to += 16) {
    const share = roundedF32x4(f32x4.div(f32x4.abs(fourAt(weights, index, element)), four), element);
    v128.store(to, f32x4.add(v128.load(to), share));
  }
  for (let index = whole; index < last; index++, to += 4) {
    store<f32>(to, load<f32>(to) + rounded(abs(valueAt(weights, index, element)) / divisor, element));
  }
}
