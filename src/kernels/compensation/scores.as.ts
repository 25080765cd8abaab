/** Rows of a piece; the wrapper has the same number. */
const ROWS: u32 = 16;

/** w² / d² of the weights of a block. Pieces: 16 rows. */
export function scores(
  uniforms: usize,
  weights: usize,
  order: usize,
  factor: usize,
  scores: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const first = load<u32>(uniforms, 8);
  const count = load<u32>(uniforms, 12);
  const last = min(end * ROWS, rows);
  for (let row = begin * ROWS; row < last; row++) {
    const from = weights + ((<usize>row * cols) << 2);
    let to = scores + ((<usize>row * count) << 2);
    for (let place = first; place < first + count; place++, to += 4) {
      const weight = load<f32>(from + (<usize>load<u32>(order + (<usize>place << 2)) << 2));
      const diagonal = load<f32>(factor + ((<usize>place * (cols + 1)) << 2));
      store<f32>(to, (weight * weight) / (diagonal * diagonal));
    }
  }
}
