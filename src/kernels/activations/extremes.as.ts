/** Largest magnitude of each piece on either side of zero, as float32 bits. Pieces of work: `size` rows. */
export function extremes(uniforms: usize, size: u32, values: usize, extremes: usize, begin: u32, end: u32): void {
  const width = load<u32>(uniforms, 4);
  const start = load<u32>(uniforms, 8);
  const stride = load<u32>(uniforms, 12);
  const count = load<u32>(uniforms, 16);
  const bytes = <usize>load<u32>(uniforms, 20) << 2;
  const last = min(end * size, load<u32>(uniforms));
  for (let row = begin * size; row < last; row++) {
    let from = values + (<usize>(row * width + start) << 2);
    let to = extremes + (<usize>(row * count) << 3);
    for (let piece: u32 = 0; piece < count; piece++) {
      // As signed numbers, positive magnitudes are above zero; as unsigned ones, negative ones are above all others.
      let highest = i64x2.splat(0);
      let lowest = i64x2.splat(0);
      for (let at = from, stop = from + bytes; at < stop; at += 16) {
        const four = v128.load(at);
        highest = i32x4.max_s(highest, four);
        lowest = i32x4.max_u(lowest, four);
      }
      const negative = largestLane(lowest);
      store<u32>(to, largestLane(highest));
      store<u32>(to, negative >= 0x80000000 ? negative - 0x80000000 : 0, 4);
      from += <usize>stride << 2;
      to += 8;
    }
  }
}

@inline
function largestLane(lanes: v128): u32 {
  const pairs = i32x4.max_u(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.max_u(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}
