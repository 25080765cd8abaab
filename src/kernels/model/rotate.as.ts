/** Rotates pairs of columns of each head. Pieces: `size` rows. */
export function rotate(
  uniforms: usize,
  size: u32,
  positions: usize,
  angles: usize,
  values: usize,
  begin: u32,
  end: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const start = load<u32>(uniforms, 8);
  const stride = load<u32>(uniforms, 12);
  const heads = load<u32>(uniforms, 16);
  const pairs = load<u32>(uniforms, 20);
  const isNeighbours = load<u32>(uniforms, 24) != 0;
  const last = min(end * size, load<u32>(uniforms));
  for (let row = begin * size; row < last; row++) {
    const turns = angles + (<usize>(load<u32>(positions + (<usize>row << 2)) * pairs) << 3);
    let at = values + (<usize>(row * width + start) << 2);
    for (let head: u32 = 0; head < heads; head++, at += <usize>stride << 2) {
      if (isNeighbours) rotateNeighbours(turns, pairs, at);
      else rotateHalves(turns, pairs, at);
    }
  }
}

@inline
function rotateHalves(turns: usize, pairs: u32, at: usize): void {
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
    v128.store(one, f32x4.sub(f32x4.mul(a, cosines), f32x4.mul(b, sines)));
    v128.store(one + half, f32x4.add(f32x4.mul(b, cosines), f32x4.mul(a, sines)));
  }
  for (let pair = whole; pair < pairs; pair++) rotatePair(turns, pair, at + (<usize>pair << 2), half);
}

@inline
function rotateNeighbours(turns: usize, pairs: u32, at: usize): void {
  const whole = pairs & ~1;
  for (let pair: u32 = 0; pair < whole; pair += 2) {
    const turn = v128.load(turns + (<usize>pair << 3));
    const cosines = i32x4.shuffle(turn, turn, 0, 0, 2, 2);
    const sines = v128.xor(i32x4.shuffle(turn, turn, 1, 1, 3, 3), i32x4(0x80000000, 0, 0x80000000, 0));
    const both = at + (<usize>pair << 3);
    const own = v128.load(both);
    const swapped = i32x4.shuffle(own, own, 1, 0, 3, 2);
    v128.store(both, f32x4.add(f32x4.mul(own, cosines), f32x4.mul(swapped, sines)));
  }
  for (let pair = whole; pair < pairs; pair++) rotatePair(turns, pair, at + (<usize>pair << 3), 4);
}

@inline
function rotatePair(turns: usize, pair: u32, one: usize, distance: usize): void {
  const cosine = load<f32>(turns + (<usize>pair << 3));
  const sine = load<f32>(turns + (<usize>pair << 3), 4);
  const a = load<f32>(one);
  const b = load<f32>(one + distance);
  store<f32>(one, a * cosine - b * sine);
  store<f32>(one + distance, b * cosine + a * sine);
}
