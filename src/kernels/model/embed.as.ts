/** Rows of a table by the tokens of `hidden`'s rows. Pieces: `size` rows. */
export function embed(
  uniforms: usize,
  adds: u32,
  size: u32,
  tokens: usize,
  table: usize,
  hidden: usize,
  begin: u32,
  end: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const first = load<u32>(uniforms, 8);
  const count = load<u32>(uniforms, 12);
  const scale = load<f32>(uniforms, 16);
  const scales = f32x4.splat(scale);
  const last = min(end * size, load<u32>(uniforms));
  const whole = width & ~3;
  for (let row = begin * size; row < last; row++) {
    // A token before the part is far beyond it, without a sign.
    const place = load<u32>(tokens + (<usize>row << 2)) - first;
    if (place >= count) continue;
    const from = table + (<usize>(place * width) << 2);
    const to = hidden + (<usize>(row * width) << 2);
    for (let column: u32 = 0; column < whole; column += 4) {
      const at = <usize>column << 2;
      const own = f32x4.mul(v128.load(from + at), scales);
      v128.store(to + at, adds != 0 ? f32x4.add(v128.load(to + at), own) : own);
    }
    for (let column = whole; column < width; column++) {
      const at = <usize>column << 2;
      const own = load<f32>(from + at) * scale;
      store<f32>(to + at, adds != 0 ? load<f32>(to + at) + own : own);
    }
  }
}
