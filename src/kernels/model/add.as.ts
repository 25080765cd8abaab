/** total += source. Pieces: `size` numbers. */
export function add(uniforms: usize, size: u32, source: usize, total: usize, begin: u32, end: u32): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  const whole = last & ~3;
  for (let index = first; index < whole; index += 4) {
    const at = <usize>index << 2;
    v128.store(total + at, f32x4.add(v128.load(total + at), v128.load(source + at)));
  }
  for (let index = max(first, whole); index < last; index++) {
    const at = <usize>index << 2;
    store<f32>(total + at, load<f32>(total + at) + load<f32>(source + at));
  }
}
