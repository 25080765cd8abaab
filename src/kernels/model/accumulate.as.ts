/** total += source · weight of the row. Pieces: `size` rows. */
export function accumulate(
  uniforms: usize,
  isFirst: u32,
  size: u32,
  weights: usize,
  source: usize,
  total: usize,
  begin: u32,
  end: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const experts = load<u32>(uniforms, 8);
  const expert = load<u32>(uniforms, 12);
  const last = min(end * size, load<u32>(uniforms));
  const whole = width & ~3;
  for (let row = begin * size; row < last; row++) {
    const weight = load<f32>(weights + (<usize>(row * experts + expert) << 2));
    const start = <usize>(row * width) << 2;
    const from = source + start;
    const to = total + start;
    if (weight == 0) {
      if (isFirst != 0) memory.fill(to, 0, <usize>width << 2);
      continue;
    }
    const factor = f32x4.splat(weight);
    for (let column: u32 = 0; column < whole; column += 4) {
      const at = <usize>column << 2;
      const product = f32x4.mul(v128.load(from + at), factor);
      v128.store(to + at, isFirst != 0 ? product : f32x4.add(v128.load(to + at), product));
    }
    for (let column = whole; column < width; column++) {
      const at = <usize>column << 2;
      const product = load<f32>(from + at) * weight;
      store<f32>(to + at, isFirst != 0 ? product : load<f32>(to + at) + product);
    }
  }
}
