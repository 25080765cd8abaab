import { BF16, F16, F32, fourAt, INFINITY_BITS, valueAt, widened } from "../assembly/elements.as";
import { roundedFractions } from "../assembly/int-code.as";
import { laneSum } from "../assembly/lanes.as";
import { scratch } from "../assembly/scratch.as";
import {
  BLOCK,
  clippedCodes,
  forgetClipped,
  forgetLevels,
  LEVEL_BYTES,
  noteLevels,
  plainReconstruction,
  RESTORED,
  restore,
  useScheme,
} from "./int-restoration.as";

const BLOCK_WORDS: u32 = 2;
const SCHEME_WORDS: u32 = 6;
const SCHEMES_AT: usize = 16;
const SCHEME_BYTES: usize = 16;

/** Scratch memory: originals and weights of a block in units of its power of two; then what `int-restoration` takes. */
const ORIGINALS: usize = 0;
const WEIGHTS: usize = 1024;
// Of the block at hand.
let unit: f64 = 1; // the power of two below its largest original
let perUnit: f32 = 1; // 1 / unit, where the block is usual

// Sums of the scheme over the block, in units of the block.
let error: f64 = 0;
let largest: f64 = 0;
let product: f64 = 0;
let energy: f64 = 0; // of the reconstruction
let overflows: u32 = 0;

/** What up to eight schemes lose. Layout: head of `shaders/quant/int_error.wgsl`. Pieces: blocks of 256 weights. */
export function int_error(
  uniforms: usize,
  element: u32,
  precision: u32,
  pruned: u32,
  original: usize,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  levels: usize,
  sums: usize,
  begin: u32,
  end: u32,
): void {
  const elements = load<u32>(uniforms);
  const schemes = load<u32>(uniforms, 4);
  forgetLevels();
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK;
    const count = min(BLOCK, elements - first);
    const magnitudes = largestOf(element, original, first, count);
    const top = <u32>magnitudes;
    const notFinite = <u32>(magnitudes >> 32);
    const exponent: i32 = top == 0 ? 0 : top >> 23 ? <i32>(top >> 23) - 127 : -118 - clz<i32>(top);
    unit = powerOfTwo(exponent);
    // Far from the ends of float32 everything may be scaled by multiplying.
    const isUsualBlock = notFinite == 0 && exponent > -96 && exponent < 96;
    let own: f64;
    if (isUsualBlock) {
      perUnit = <f32>(1 / unit);
      own = toUnits(element, original, first, count, scratch + ORIGINALS);
      if (pruned) toUnits(element, weights, first, count, scratch + WEIGHTS);
    } else {
      own = finiteEnergy(element, original, first, count);
    }
    const place = sums + <usize>(block * (BLOCK_WORDS + SCHEME_WORDS * schemes)) * 4;
    store<f32>(place, <f32>own);
    store<u32>(place, (<u32>(exponent + 512) << 16) | notFinite, 4);
    for (let number: u32 = 0; number < schemes; number++) {
      const scheme = uniforms + SCHEMES_AT + <usize>number * SCHEME_BYTES;
      const bits = load<u32>(scheme);
      let errorExponent = exponent;
      reset();
      if (bits == 0) {
        pruningSums(element, original, weights, first, count);
        // The errors of pruning alone are as large as what was pruned.
        if (largest > 0) errorExponent = exponentOf(largest * unit);
      } else {
        useScheme(scheme, levels + number * LEVEL_BYTES, unit, perUnit);
        const target = scratch + (pruned ? WEIGHTS : ORIGINALS);
        if (isUsualBlock && restore(element, precision, target, weights, scales, zeroPoints, first, count)) {
          usualSums(element, count, own);
        } else {
          reset();
          plainSums(element, precision, original, weights, scales, zeroPoints, first, count);
        }
        noteLevels();
      }
      if (errorExponent != exponent) {
        const toUnit = unit / powerOfTwo(errorExponent);
        error *= toUnit * toUnit;
        largest *= toUnit;
      }
      const at = place + <usize>(BLOCK_WORDS + SCHEME_WORDS * number) * 4;
      store<f32>(at, <f32>error);
      store<f32>(at, <f32>largest, 4);
      store<f32>(at, <f32>product, 8);
      store<f32>(at, <f32>energy, 12);
      store<u32>(at, (overflows << 16) | clippedCodes(), 16);
      store<u32>(at, <u32>(errorExponent + 512), 20);
    }
  }
}

@inline
function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>(<u64>(exponent + 1023) << 52);
}

/** floor(log2) of a positive float64 that is normal. */
@inline
function exponentOf(value: f64): i32 {
  return <i32>(reinterpret<u64>(value) >> 52) - 1023;
}

@inline
function reset(): void {
  error = 0;
  largest = 0;
  product = 0;
  energy = 0;
  forgetClipped();
  overflows = 0;
}

/** The largest finite magnitude of a block as float32 bits, and, 32 bits up, how many are not finite. */
function largestOf(element: u32, base: usize, first: u32, count: u32): u64 {
  const whole = element == F32 ? count & ~3 : count & ~7;
  let top = i64x2.splat(0);
  let finite = i64x2.splat(0);
  if (element == F32) {
    for (let at: u32 = 0; at < whole; at += 4) {
      const magnitudes = v128.and(v128.load(base + (<usize>(first + at) << 2)), i32x4.splat(0x7fffffff));
      const isFinite = i32x4.lt_s(magnitudes, i32x4.splat(INFINITY_BITS));
      finite = i32x4.sub(finite, isFinite);
      top = i32x4.max_s(top, v128.and(magnitudes, isFinite));
    }
  } else {
    const infinity = i16x8.splat(element == BF16 ? 0x7f80 : 0x7c00);
    for (let at: u32 = 0; at < whole; at += 8) {
      const magnitudes = v128.and(v128.load(base + (<usize>(first + at) << 1)), i16x8.splat(0x7fff));
      const isFinite = i16x8.lt_s(magnitudes, infinity);
      finite = i16x8.sub(finite, isFinite);
      top = i16x8.max_s(top, v128.and(magnitudes, isFinite));
    }
    top = i32x4.max_s(i32x4.extend_low_i16x8_u(top), i32x4.extend_high_i16x8_u(top));
    finite = i32x4.extadd_pairwise_i16x8_u(finite);
  }
  let most = widened(
    max(
      max(i32x4.extract_lane(top, 0), i32x4.extract_lane(top, 1)),
      max(i32x4.extract_lane(top, 2), i32x4.extract_lane(top, 3)),
    ),
    element,
  );
  let numbers: u32 = laneSum(finite);
  for (let at = whole; at < count; at++) {
    const magnitude = reinterpret<u32>(valueAt(base, first + at, element)) & 0x7fffffff;
    if (magnitude >= INFINITY_BITS) continue;
    numbers++;
    most = max(most, magnitude);
  }
  return <u64>most | (<u64>(count - numbers) << 32);
}

@inline
function floatSum(lanes: v128): f64 {
  return (
    <f64>f32x4.extract_lane(lanes, 0) +
    <f64>f32x4.extract_lane(lanes, 1) +
    (<f64>f32x4.extract_lane(lanes, 2) + <f64>f32x4.extract_lane(lanes, 3))
  );
}

/** Writes a block's elements in units of 2^exponent. @returns the sum of their squares */
function toUnits(element: u32, base: usize, first: u32, count: u32, to: usize): f64 {
  if (element == BF16) return fillUnits(BF16, base, first, count, to);
  if (element == F16) return fillUnits(F16, base, first, count, to);
  return fillUnits(F32, base, first, count, to);
}

@inline
function fillUnits(element: u32, base: usize, first: u32, count: u32, to: usize): f64 {
  const factor = f32x4.splat(perUnit);
  const whole = count & ~3;
  let squares = f32x4.splat(0);
  for (let at: u32 = 0; at < whole; at += 4) {
    const values = f32x4.mul(fourAt(base, first + at, element), factor);
    v128.store(to + (<usize>at << 2), values);
    squares = f32x4.add(squares, f32x4.mul(values, values));
  }
  let sum = floatSum(squares);
  for (let at = whole; at < count; at++) {
    const value = valueAt(base, first + at, element) * perUnit;
    store<f32>(to + (<usize>at << 2), value);
    sum += <f64>value * <f64>value;
  }
  for (let at = count; at & 3; at++) store<f32>(to + (<usize>at << 2), 0);
  return sum;
}

function finiteEnergy(element: u32, base: usize, first: u32, count: u32): f64 {
  let sum: f64 = 0;
  for (let at: u32 = 0; at < count; at++) {
    const value = <f64>valueAt(base, first + at, element) / unit;
    if (isFinite(value)) sum += value * value;
  }
  return sum;
}

/** Adds one weight, of any kind, in float64. */
@inline
function addAny(value: f64, reconstruction: f64): void {
  if (!isFinite(reconstruction)) {
    overflows++;
    return;
  }
  if (!isFinite(value)) return;
  const x = value / unit;
  const y = reconstruction / unit;
  error += (x - y) * (x - y);
  largest = Math.max(largest, Math.abs(x - y));
  product += x * y;
  energy += y * y;
}

function pruningSums(element: u32, original: usize, weights: usize, first: u32, count: u32): void {
  for (let index = first; index < first + count; index++) {
    addAny(valueAt(original, index, element), valueAt(weights, index, element));
  }
}

/** Sums over the reconstructions that `restore` wrote. */
function usualSums(element: u32, count: u32, own: f64): void {
  if (element == BF16) addRestored(16, count, own);
  else if (element == F16) addRestored(13, count, own);
  else addRestored(0, count, own);
}

@inline
function addRestored(dropped: i32, count: u32, own: f64): void {
  const originals = scratch + ORIGINALS;
  const restored = scratch + RESTORED;
  const mask = i32x4.splat(0x7fffffff);
  let errors = f32x4.splat(0);
  let tops = f32x4.splat(0);
  let squares = f32x4.splat(0);
  // Both are zero beyond the last weight.
  const stop = <usize>count << 2;
  for (let at: usize = 0; at < stop; at += 16) {
    let kept = v128.load(restored + at);
    if (dropped > 0) kept = roundedFractions(kept, dropped);
    const lost = f32x4.sub(v128.load(originals + at), kept);
    errors = f32x4.add(errors, f32x4.mul(lost, lost));
    tops = f32x4.pmax(tops, v128.and(lost, mask));
    squares = f32x4.add(squares, f32x4.mul(kept, kept));
  }
  error = floatSum(errors);
  energy = floatSum(squares);
  // sum (x - y)^2 = sum x^2 - 2 sum xy + sum y^2
  product = (own + energy - error) / 2;
  largest = max<f32>(
    max<f32>(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
    max<f32>(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
  );
}

/** Sums over any weights and scales, in float64. */
function plainSums(
  element: u32,
  precision: u32,
  original: usize,
  weights: usize,
  scales: usize,
  zeroPoints: usize,
  first: u32,
  count: u32,
): void {
  for (let index = first; index < first + count; index++) {
    addAny(
      valueAt(original, index, element),
      plainReconstruction(element, precision, weights, scales, zeroPoints, index),
    );
  }
}

