/** Rows of a block, and columns of a piece: 64 KiB, which stay in the cache while its columns go by. */
const ROWS: u32 = 64;
const COLUMNS: u32 = 256;

/** Numbers of a column of a block; the oracle has the same number. */
const STATISTICS: u32 = 8;

/** Extremes and sums of columns over blocks of rows. Pieces: 256 columns of a block, those of a block one after the other. */
export function channel_statistics(uniforms: usize, inputs: usize, sums: usize, begin: u32, end: u32): void {
  const rows = load<u32>(uniforms);
  const width = load<u32>(uniforms, 4);
  const stride = <usize>width << 2;
  const pieces = (width + COLUMNS - 1) / COLUMNS;
  for (let piece = begin; piece < end; piece++) {
    const block = piece / pieces;
    const first = (piece % pieces) * COLUMNS;
    const last = min(first + COLUMNS, width);
    const count = min(ROWS, rows - block * ROWS);
    const from = inputs + <usize>(block * ROWS) * stride;
    const to = sums + <usize>(block * STATISTICS) * stride;
    let column = first;
    for (; column + 4 <= last; column += 4) {
      const at = <usize>column << 2;
      let x = from + at;
      let smallest = v128.load(x);
      let largest = smallest;
      let magnitudes = f32x4.splat(0);
      let squares = f32x4.splat(0);
      let total = f32x4.splat(0);
      let cubes = f32x4.splat(0);
      let fourths = f32x4.splat(0);
      for (const stop = x + count * stride; x < stop; x += stride) {
        const values = v128.load(x);
        smallest = f32x4.min(smallest, values);
        largest = f32x4.max(largest, values);
        magnitudes = f32x4.add(magnitudes, f32x4.abs(values));
        const square = f32x4.mul(values, values);
        squares = f32x4.add(squares, square);
        total = f32x4.add(total, values);
        cubes = f32x4.add(cubes, f32x4.mul(square, values));
        fourths = f32x4.add(fourths, f32x4.mul(square, square));
      }
      v128.store(to + at, f32x4.max(f32x4.abs(smallest), f32x4.abs(largest)));
      v128.store(to + at + stride, smallest);
      v128.store(to + at + 2 * stride, largest);
      v128.store(to + at + 3 * stride, magnitudes);
      v128.store(to + at + 4 * stride, squares);
      v128.store(to + at + 5 * stride, total);
      v128.store(to + at + 6 * stride, cubes);
      v128.store(to + at + 7 * stride, fourths);
    }
    for (; column < last; column++) {
      const at = <usize>column << 2;
      let x = from + at;
      let smallest = load<f32>(x);
      let largest = smallest;
      let magnitudes: f32 = 0;
      let squares: f32 = 0;
      let total: f32 = 0;
      let cubes: f32 = 0;
      let fourths: f32 = 0;
      for (const stop = x + count * stride; x < stop; x += stride) {
        const value = load<f32>(x);
        smallest = min(smallest, value);
        largest = max(largest, value);
        magnitudes += abs(value);
        const square = value * value;
        squares += square;
        total += value;
        cubes += square * value;
        fourths += square * square;
      }
      store<f32>(to + at, max(abs(smallest), abs(largest)));
      store<f32>(to + at + stride, smallest);
      store<f32>(to + at + 2 * stride, largest);
      store<f32>(to + at + 3 * stride, magnitudes);
      store<f32>(to + at + 4 * stride, squares);
      store<f32>(to + at + 5 * stride, total);
      store<f32>(to + at + 6 * stride, cubes);
      store<f32>(to + at + 7 * stride, fourths);
    }
  }
}
