/** total += row, row by row. Pieces: `size` rows. */
export function add_row(uniforms: usize, size: u32, row: usize, total: usize, begin: u32, end: u32): void {
  const width = load<u32>(uniforms, 4);
  const last = min(end * size, load<u32>(uniforms));
  const whole = width & ~3;
  for (let each = begin * size; each < last; each++) {
    const to = total + (<usize>(each * width) << 2);
    for (let column: u32 = 0; column < whole; column += 4) {
      const at = <usize>column << 2;
      v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(row + at)));
    }
    for (let column = whole; column < width; column++) {
      const at = <usize>column << 2;
      store<f32>(to + at, load<f32>(to + at) + load<f32>(row + at));
    }
  }
}
