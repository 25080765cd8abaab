/** Numbers whose sum is taken in float32; sums of blocks are added in float64. */
const BLOCK: u32 = 64;

/** Energy of each row's difference, and of the original's row. Pieces: `size` rows. */
export function residual_error(
  uniforms: usize,
  size: u32,
  original: usize,
  changed: usize,
  sums: usize,
  begin: u32,
  end: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const last = min(end * size, load<u32>(uniforms));
  const whole = width & ~3;
  for (let row = begin * size; row < last; row++) {
    const start = <usize>(row * width) << 2;
    const a = original + start;
    const b = changed + start;
    let errors = f64x2.splat(0);
    let energies = f64x2.splat(0);
    for (let first: u32 = 0; first < whole; first += BLOCK) {
      let blockErrors = f32x4.splat(0);
      let blockEnergies = f32x4.splat(0);
      for (let i = first; i < min(first + BLOCK, whole); i += 4) {
        const at = <usize>i << 2;
        const four = v128.load(a + at);
        const apart = f32x4.sub(four, v128.load(b + at));
        blockErrors = f32x4.add(blockErrors, f32x4.mul(apart, apart));
        blockEnergies = f32x4.add(blockEnergies, f32x4.mul(four, four));
      }
      errors = addedUp(errors, blockErrors);
      energies = addedUp(energies, blockEnergies);
    }
    let error = f64x2.extract_lane(errors, 0) + f64x2.extract_lane(errors, 1);
    let energy = f64x2.extract_lane(energies, 0) + f64x2.extract_lane(energies, 1);
    for (let i = whole; i < width; i++) {
      const at = <usize>i << 2;
      const one = load<f32>(a + at);
      const apart = one - load<f32>(b + at);
      error += <f64>apart * <f64>apart;
      energy += <f64>one * <f64>one;
    }
    const to = sums + (<usize>row << 3);
    store<f32>(to, <f32>error);
    store<f32>(to, <f32>energy, 4);
  }
}

/** Sums of two lanes more. */
@inline
function addedUp(sums: v128, block: v128): v128 {
  const low = f64x2.promote_low_f32x4(block);
  return f64x2.add(sums, f64x2.add(low, f64x2.promote_low_f32x4(i64x2.shuffle(block, block, 1, 0))));
}
