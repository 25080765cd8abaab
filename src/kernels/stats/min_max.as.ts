import { F32, rawAt, sizeShift, widened } from "../assembly/elements.as";

/** Largest magnitude of each group on either side of zero, as float32 bits. Pieces: groups. */
export function min_max(uniforms: usize, element: u32, weights: usize, extremes: usize, begin: u32, end: u32): void {
  const elements = load<u32>(uniforms);
  const groupSize = load<u32>(uniforms, 4);
  const sign: u32 = element == F32 ? 0x80000000 : 0x8000;
  for (let group = begin; group < end; group++) {
    const first = group * groupSize;
    const last = min(first + groupSize, elements);
    const lanes: u32 = element == F32 ? 4 : 8;
    const whole = first + (last - first) / lanes * lanes;
    // As signed numbers, positive magnitudes are above zero; as unsigned ones, negative ones are above all others.
    let highest = i64x2.splat(0);
    let lowest = i64x2.splat(0);
    const shift = sizeShift(element);
    if (element == F32) {
      for (let at = weights + (<usize>first << 2), stop = weights + (<usize>whole << 2); at < stop; at += 16) {
        const four = v128.load(at);
        highest = i32x4.max_s(highest, four);
        lowest = i32x4.max_u(lowest, four);
      }
    } else {
      for (let at = weights + (<usize>first << shift), stop = weights + (<usize>whole << shift); at < stop; at += 16) {
        const eight = v128.load(at);
        highest = i16x8.max_s(highest, eight);
        lowest = i16x8.max_u(lowest, eight);
      }
      highest = i32x4.max_u(i32x4.extend_low_i16x8_u(highest), i32x4.extend_high_i16x8_u(highest));
      lowest = i32x4.max_u(i32x4.extend_low_i16x8_u(lowest), i32x4.extend_high_i16x8_u(lowest));
    }
    let positive = largestLane(highest);
    let negative = largestLane(lowest);
    for (let index = whole; index < last; index++) {
      const raw = rawAt(weights, index, element);
      if (raw < sign) positive = max(positive, raw);
      else negative = max(negative, raw);
    }
    negative = negative >= sign ? negative - sign : 0;
    store<u32>(extremes + (<usize>group << 3), widened(positive, element));
    store<u32>(extremes + (<usize>group << 3), widened(negative, element), 4);
  }
}

@inline
function largestLane(lanes: v128): u32 {
  return max(
    max(i32x4.extract_lane(lanes, 0) as u32, i32x4.extract_lane(lanes, 1) as u32),
    max(i32x4.extract_lane(lanes, 2) as u32, i32x4.extract_lane(lanes, 3) as u32),
  );
}
