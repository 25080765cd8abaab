/** Rows to where a list says. Pieces: `size` rows. */
export function scatter_rows(
  uniforms: usize,
  size: u32,
  targets: usize,
  source: usize,
  destination: usize,
  begin: u32,
  end: u32,
): void {
  const stride = <usize>load<u32>(uniforms, 4) << 2;
  const last = min(end * size, load<u32>(uniforms));
  for (let row = begin * size; row < last; row++) {
    const target = load<u32>(targets + (<usize>row << 2));
    memory.copy(destination + target * stride, source + row * stride, stride);
  }
}
