import { BF16, F16, F32, fourAt, rounded, roundedF32x4, valueAt } from "../assembly/elements.as";
import { roundedFractions } from "../assembly/int-code.as";
import { powerF32x4 } from "../assembly/power.as";
import { NOT_FINITE, restoredFour, USUAL, useGroup } from "./int-group.as";

/** Weights whose errors are added up in float32 before they join the others in float64. */
const PART: u32 = 64;

/** One step of the search for the range of each group that loses least. Pieces: groups. */
export function range_search(
  uniforms: usize,
  element: u32,
  bits: u32,
  symmetric: u32,
  own: u32,
  precision: u32,
  weights: usize,
  extremes: usize,
  importance: usize,
  improved: usize,
  best: usize,
  begin: u32,
  end: u32,
): void {
  const elements = load<u32>(uniforms);
  const streamLength = load<u32>(uniforms, 4);
  const groupSize = load<u32>(uniforms, 8);
  const groups = load<u32>(uniforms, 12);
  const shrink = load<f32>(uniforms, 16);
  const norm = load<f32>(uniforms, 20);
  const isFirst = load<u32>(uniforms, 24);
  const slot = improved + (<usize>load<u32>(uniforms, 28) << 2);
  const errors = best + (<usize>groups << 3);
  const kept: u32 = own ? element : F32;
  const worst = reinterpret<f32>(kept == BF16 ? 0x7f7f0000 : kept == F16 ? 0x477fe000 : 0x7f7fffff);
  const rest: f32 = rounded(norm, kept) - 2;
  for (let group = begin; group < end; group++) {
    const pair = <usize>group << 3;
    const positive = load<f32>(extremes + pair);
    const negative = load<f32>(extremes + pair, 4);
    if (isFirst) {
      store<u64>(best + pair, load<u64>(extremes + pair));
      store<f32>(errors + (<usize>group << 2), worst);
    }
    const high = rounded(positive * shrink, element);
    const low = rounded(negative * shrink, element);
    const path = positive < Infinity && negative < Infinity ? useGroup(high, low, element, bits, symmetric) : NOT_FINITE;
    if (path == NOT_FINITE) continue;
    const first = group * groupSize;
    const last = min(first + groupSize, elements);
    const factors: usize = own ? 0 : importance;
    const usual = path == USUAL && max<f32>(positive, negative) < 1099511627776; // 2^40
    let sum: f64;
    // The usual forms with all that is known before the run: the loops are made once for each.
    if (usual && own && element == BF16) sum = groupError(BF16, BF16, true, weights, 0, first, last, 1, rest);
    else if (usual && own && element == F16) sum = groupError(F16, F16, true, weights, 0, first, last, 1, rest);
    else if (usual && own && element == F32) sum = groupError(F32, F32, true, weights, 0, first, last, 1, rest);
    else if (usual && !own && element == BF16)
      sum = groupError(BF16, F32, true, weights, factors, first, last, streamLength, rest);
    else sum = plainError(element, kept, usual, weights, factors, first, last, streamLength, rest);
    const error = rounded(<f32>sum, kept);
    if (!(error < load<f32>(errors + (<usize>group << 2)))) continue;
    store<f32>(best + pair, high);
    store<f32>(best + pair, low, 4);
    store<f32>(errors + (<usize>group << 2), error);
    atomic.store<u32>(slot, 1);
  }
}

/** The same for any format. */
function plainError(
  element: u32,
  kept: u32,
  usual: bool,
  weights: usize,
  factors: usize,
  first: u32,
  last: u32,
  streamLength: u32,
  rest: f32,
): f64 {
  return groupError(element, kept, usual, weights, factors, first, last, streamLength, rest);
}

/** Sum over the weights from `first` to before `last`. `factors`: of the columns; 0: none. */
@inline
function groupError(
  element: u32,
  kept: u32,
  usual: bool,
  weights: usize,
  factors: usize,
  first: u32,
  last: u32,
  streamLength: u32,
  rest: f32,
): f64 {
  let sum: f64 = 0;
  let column = first % streamLength;
  for (let part = first; part < last; part += PART) {
    const partEnd = min(part + PART, last);
    const whole = part + ((partEnd - part) & ~3);
    let four = f32x4.splat(0);
    let index = part;
    for (; index < whole; index += 4) {
      let powers = powersOf(fourAt(weights, index, element), element, kept, usual, rest);
      if (factors) {
        if (column + 4 <= streamLength) powers = f32x4.mul(powers, v128.load(factors + (<usize>column << 2)));
        else powers = weighed(powers, factors, column, streamLength);
        column = (column + 4) % streamLength;
      }
      four = f32x4.add(four, powers);
    }
    const pair = f64x2.add(f64x2.promote_low_f32x4(four), f64x2.promote_low_f32x4(i64x2.shuffle(four, four, 1, 0)));
    sum += f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
    for (; index < partEnd; index++) {
      const weight = f32x4.splat(valueAt(weights, index, element));
      let power = f32x4.extract_lane(powersOf(weight, element, kept, usual, rest), 0);
      if (factors) power *= load<f32>(factors + (<usize>(index % streamLength) << 2));
      sum += power;
    }
    if (factors && whole < partEnd) column = partEnd % streamLength;
  }
  return sum;
}

/** Powers times the factors of columns that go on in the next row. */
function weighed(powers: v128, factors: usize, column: u32, streamLength: u32): v128 {
  let own = f32x4.splat(load<f32>(factors + (<usize>column << 2)));
  own = f32x4.replace_lane(own, 1, load<f32>(factors + (<usize>((column + 1) % streamLength) << 2)));
  own = f32x4.replace_lane(own, 2, load<f32>(factors + (<usize>((column + 2) % streamLength) << 2)));
  own = f32x4.replace_lane(own, 3, load<f32>(factors + (<usize>((column + 3) % streamLength) << 2)));
  return f32x4.mul(powers, own);
}

/** |restored − weight|^(2 + rest), each step rounded to `kept`. */
@inline
function powersOf(weights: v128, element: u32, kept: u32, usual: bool, rest: f32): v128 {
  const differences = f32x4.sub(restoredFour(weights, element, usual), weights);
  const magnitudes = keptOf(f32x4.abs(differences), kept, usual);
  let squares = f32x4.mul(magnitudes, magnitudes);
  if (kept == BF16 && (rest == 0 || rest == 1)) squares = keptOf(squares, kept, usual);
  if (rest == 0) return keptOf(squares, kept, usual);
  const factors = rest == 1 ? magnitudes : powerF32x4(magnitudes, f32x4.splat(rest));
  return keptOf(f32x4.mul(squares, factors), kept, usual);
}

/** Rounded to the format. */
@inline
function keptOf(values: v128, kept: u32, usual: bool): v128 {
  if (kept == F32) return values;
  if (kept == BF16 && usual) return roundedFractions(values, 16);
  return roundedF32x4(values, kept);
}
