import { expF32x4 } from "../assembly/exp.as";

/** Words of a row and block. */
const WORDS: usize = 10;

/** Columns of a part: each sum has four lanes of parts. */
const PART: usize = 32;

const NAN_BITS: u32 = 0x7fc00000;

/** What the divergence of two sets of logits is made of. Pieces: a block of a row, blocks of a row one after the other. */
export function divergence(
  uniforms: usize,
  base: usize,
  other: usize,
  targets: usize,
  sums: usize,
  begin: u32,
  end: u32,
): void {
  const columns = load<u32>(uniforms, 4);
  const stride = load<u32>(uniforms, 8);
  const first = load<u32>(uniforms, 12);
  const blockColumns = load<u32>(uniforms, 16);
  const blocks = (columns + blockColumns - 1) / blockColumns;
  for (let piece = begin; piece < end; piece++) {
    const row = piece / blocks;
    const start = (piece % blocks) * blockColumns;
    const count = min(blockColumns, columns - start);
    const at = <usize>(row * stride + start) << 2;
    const to = sums + <usize>piece * (WORDS << 2);
    putLargest(base + at, count, first + start, to);
    putLargest(other + at, count, first + start, to + 12);
    putSums(base + at, other + at, count, first + start, to);
    const wanted = load<u32>(targets + (<usize>row << 2)) - first - start;
    store<u32>(to, wanted < count ? load<u32>(base + at + (<usize>wanted << 2)) : 0, 32);
    store<u32>(to, wanted < count ? load<u32>(other + at + (<usize>wanted << 2)) : 0, 36);
  }
}

/** Writes the largest of some logits, and the id of the first such; what is a NaN is passed over. */
function putLargest(logits: usize, count: u32, firstId: u32, to: usize): void {
  let four = f32x4.splat(-Infinity);
  const whole = logits + (<usize>(count & ~3) << 2);
  const end = logits + (<usize>count << 2);
  // Of a number and a NaN pmax takes its first operand.
  for (let at = logits; at < whole; at += 16) four = f32x4.pmax(four, v128.load(at));
  let largest = largerOf(
    largerOf(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    largerOf(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
  for (let at = whole; at < end; at += 4) largest = largerOf(largest, load<f32>(at));
  let found = logits;
  const wanted = f32x4.splat(largest);
  while (found < whole && !v128.any_true(f32x4.eq(v128.load(found), wanted))) found += 16;
  while (found < end && load<f32>(found) != largest) found += 4;
  store<f32>(to, largest);
  store<u32>(to, firstId + (found < end ? <u32>((found - logits) >> 2) : 0), 8);
}

@inline
function largerOf(one: f32, other: f32): f32 {
  return other > one ? other : one;
}

/** Writes the sums of exponentials, their product with the differences, and the shift. */
function putSums(base: usize, other: usize, count: u32, firstId: u32, to: usize): void {
  const largest = load<f32>(to);
  const otherLargest = load<f32>(to, 12);
  // Where all is -infinity there is nothing to count from.
  const unit = f32x4.splat(largest == -Infinity ? 0 : largest);
  const otherUnit = f32x4.splat(otherLargest == -Infinity ? 0 : otherLargest);
  const top = <usize>(load<u32>(to, 8) - firstId) << 2;
  const shift: f32 = largest == -Infinity ? 0 : load<f32>(base + top) - load<f32>(other + top);
  const shifts = f32x4.splat(shift);
  const zero = f32x4.splat(0);
  let sum = zero;
  let otherSum = zero;
  let cross = zero;
  const end = <usize>count << 2;
  for (let part: usize = 0; part < end; part += PART << 2) {
    let sumPart = zero;
    let otherPart = zero;
    let crossPart = zero;
    for (let at = part; at < min(part + (PART << 2), end); at += 16) {
      let b = v128.load(base + at);
      let o = v128.load(other + at);
      if (end - at < 16) {
        // What follows the last logit counts as -infinity.
        const isLogit = i32x4.lt_u(i32x4(0, 1, 2, 3), i32x4.splat(<i32>((end - at) >> 2)));
        b = v128.bitselect(b, f32x4.splat(-Infinity), isLogit);
        o = v128.bitselect(o, f32x4.splat(-Infinity), isLogit);
      }
      const weights = expF32x4(f32x4.sub(b, unit));
      const products = f32x4.mul(weights, f32x4.sub(f32x4.sub(b, o), shifts));
      sumPart = f32x4.add(sumPart, weights);
      otherPart = f32x4.add(otherPart, expF32x4(f32x4.sub(o, otherUnit)));
      crossPart = f32x4.add(crossPart, v128.andnot(products, f32x4.eq(weights, zero)));
    }
    sum = f32x4.add(sum, sumPart);
    otherSum = f32x4.add(otherSum, otherPart);
    cross = f32x4.add(cross, crossPart);
  }
  const total = laneTotal(sum);
  const otherTotal = laneTotal(otherSum);
  store<f32>(to, total, 4);
  store<f32>(to, otherTotal, 16);
  if (otherTotal == otherTotal) store<f32>(to, laneTotal(cross), 24);
  else store<u32>(to, NAN_BITS, 24);
  store<f32>(to, shift, 28);
}

@inline
function laneTotal(four: v128): f32 {
  return (
    f32x4.extract_lane(four, 0) + f32x4.extract_lane(four, 1) + (f32x4.extract_lane(four, 2) + f32x4.extract_lane(four, 3))
  );
}
