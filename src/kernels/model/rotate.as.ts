import { F32, roundedF32x4 } from "../assembly/elements.as";

/** Rotates pairs of columns of each head. Pieces: `size` rows. */
export function rotate(
  uniforms: usize,
  rounding: u32,
  size: u32,
  positions: usize,
  angles: usize,
  values: usize,
  begin: u32,
  end: u32,
): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  if (rounding == F32) rotateRows(uniforms, F32, positions, angles, values, first, last);
  else rotateRows(uniforms, rounding, positions, angles, values, first, last);
}

@inline
function rotateRows(
  uniforms: usize,
  rounding: u32,
  positions: usize,
  angles: usize,
  values: usize,
  first: u32,
  last: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const start = load<u32>(uniforms, 8);
  const stride = load<u32>(uniforms, 12);
  const heads = load<u32>(uniforms, 16);
  const pairs = load<u32>(uniforms, 20);
  const isNeighbours = load<u32>(uniforms, 24) != 0;
  for (let row = first; row < last; row++) {
    const turns = angles + (<usize>(load<u32>(positions + (<usize>row << 2)) * pairs) << 3);
    let at = values + (<usize>(row * width + start) << 2);
    for (let head: u32 = 0; head < heads; head++, at += <usize>stride << 2) {
      if (isNeighbours) rotateNeighbours(turns, pairs, at, rounding);
      else rotateHalves(turns, pairs, at, rounding);
    }
  }
}

@inline
function rotateHalves(turns: usize, pairs: u32, at: usize, rounding: u32): void {
  const half = <usize>pairs << 2;
  const whole = pairs & ~3;
  for (let pair: u32 = 0; pair < whole; pair += 4) {
    const low = v128.load(turns + (<usize>pair << 3));
    const high = v128.load(turns + (<usize>pair << 3), 16);
    const cosines = i32x4.shuffle(low, high, 0, 2, 4, 6);
    const sines = i32x4.shuffle(low, high, 1, 3, 5, 7);
    const one = at + (<usize>pair << 2);
    const a = v128.load(one);
    const b = v128.load(one + half);
    v128.store(one, f32x4.sub(product(a, cosines, rounding), product(b, sines, rounding)));
    v128.store(one + half, f32x4.add(product(b, cosines, rounding), product(a, sines, rounding)));
  }
  for (let pair = whole; pair < pairs; pair++) rotatePair(turns, pair, at + (<usize>pair << 2), half, rounding);
}

@inline
function rotateNeighbours(turns: usize, pairs: u32, at: usize, rounding: u32): void {
  const whole = pairs & ~1;
  for (let pair: u32 = 0; pair < whole; pair += 2) {
    const turn = v128.load(turns + (<usize>pair << 3));
    const cosines = i32x4.shuffle(turn, turn, 0, 0, 2, 2);
    const sines = v128.xor(i32x4.shuffle(turn, turn, 1, 1, 3, 3), i32x4(0x80000000, 0, 0x80000000, 0));
    const both = at + (<usize>pair << 3);
    const own = v128.load(both);
    const swapped = i32x4.shuffle(own, own, 1, 0, 3, 2);
    v128.store(both, f32x4.add(product(own, cosines, rounding), product(swapped, sines, rounding)));
  }
  for (let pair = whole; pair < pairs; pair++) rotatePair(turns, pair, at + (<usize>pair << 3), 4, rounding);
}

@inline
function rotatePair(turns: usize, pair: u32, one: usize, distance: usize, rounding: u32): void {
  const cosine = v128.load32_splat(turns + (<usize>pair << 3));
  const sine = v128.load32_splat(turns + (<usize>pair << 3), 4);
  const a = v128.load32_splat(one);
  const b = v128.load32_splat(one + distance);
  const first = f32x4.sub(product(a, cosine, rounding), product(b, sine, rounding));
  v128.store32_lane(one, first, 0);
  v128.store32_lane(one + distance, f32x4.add(product(b, cosine, rounding), product(a, sine, rounding)), 0);
}

@inline
function product(a: v128, b: v128, rounding: u32): v128 {
  return roundedF32x4(f32x4.mul(a, b), rounding);
}
