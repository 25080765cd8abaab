import { BF16, F16, F32, fourAt, rounded, valueAt } from "../assembly/elements.as";
import { scratch } from "../assembly/scratch.as";
import { NOT_FINITE, restoredFour, USUAL, useGroup } from "./int-group.as";

/** Limits that are tried, and how many share a look at the inputs: as many sums as fit into the processor's registers. */
const STEPS: u32 = 10;
const TEAM: u32 = 5;

/** Columns whose differences are kept at a time, and tokens whose sums are. */
const CHUNK: u32 = 256;
const TOKENS: u32 = 64;

/** Scratch memory: differences [STEPS, CHUNK], sums [STEPS, TOKENS], both float32, and an error for each step, float64. */
const ROW: usize = 1024; // bytes of the differences of a step
const SUMS: usize = 10240;
const ERRORS: usize = 12800;

/** The best limit of each group. Pieces: groups, all rows of one group of columns before the next: they read the same inputs. */
export function clip_search(
  uniforms: usize,
  element: u32,
  bits: u32,
  symmetric: u32,
  precision: u32,
  weights: usize,
  inputs: usize,
  limits: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const groupSize = load<u32>(uniforms, 8);
  const tokens = load<u32>(uniforms, 12);
  for (let piece = begin; piece < end; piece++) {
    const column = piece / rows * groupSize;
    const first = (piece % rows) * cols + column;
    const to = limits + (<usize>(first / groupSize) << 2);
    let positive: f32 = 0;
    let negative: f32 = 0;
    let finite = true;
    for (let index = first; index < first + groupSize; index++) {
      const weight = valueAt(weights, index, element);
      finite = finite && abs<f32>(weight) < Infinity;
      positive = max<f32>(positive, weight);
      negative = max<f32>(negative, -weight);
    }
    if (!finite) {
      store<f32>(to, Infinity);
      continue;
    }
    const largest = max<f32>(positive, negative);
    memory.fill(scratch + ERRORS, 0, <usize>STEPS << 3);
    for (let token: u32 = 0; token < tokens; token += TOKENS) {
      const count = min(TOKENS, tokens - token);
      memory.fill(scratch + SUMS, 0, <usize>(STEPS * TOKENS) << 2);
      for (let at: u32 = 0; at < groupSize; at += CHUNK) {
        const width = min(CHUNK, groupSize - at);
        // Differences that fit as a whole are there since the first tokens.
        if (token == 0 || groupSize > CHUNK) {
          for (let step: u32 = 0; step < STEPS; step++) {
            const limit = limitOf(largest, step, element);
            const path = useGroup(min<f32>(positive, limit), min<f32>(negative, limit), element, bits, symmetric);
            putDifferences(weights, first + at, width, element, limit, path, scratch + <usize>step * ROW);
          }
        }
        const x = inputs + (<usize>(token * cols + column + at) << 2);
        for (let team: u32 = 0; team < STEPS; team += TEAM) addProducts(x, cols, count, width, team);
      }
      addEnergies(count);
    }
    let best = largest;
    let least: f32 = 1e9;
    for (let step: u32 = 0; step < STEPS; step++) {
      const error = <f32>(load<f64>(scratch + ERRORS + (<usize>step << 3)) / <f64>tokens);
      if (error < least) {
        least = error;
        best = limitOf(largest, step, element);
      }
    }
    store<f32>(to, best);
  }
}

@inline
function limitOf(largest: f32, step: u32, element: u32): f32 {
  return rounded(largest * <f32>(1.0 - <f64>step / 20.0), element);
}

/** What becomes of `width` weights of the group at hand, less themselves. */
function putDifferences(
  weights: usize,
  first: u32,
  width: u32,
  element: u32,
  limit: f32,
  path: u32,
  to: usize,
): void {
  if (path == NOT_FINITE) {
    for (let at: u32 = 0; at < width; at++) store<f32>(to + (<usize>at << 2), NaN);
  } else if (path != USUAL) putRun(element, false, weights, first, width, limit, to);
  else if (element == BF16) putRun(BF16, true, weights, first, width, limit, to);
  else if (element == F16) putRun(F16, true, weights, first, width, limit, to);
  else putRun(F32, true, weights, first, width, limit, to);
}

@inline
function putRun(element: u32, usual: bool, weights: usize, first: u32, width: u32, limit: f32, to: usize): void {
  const whole = width & ~3;
  for (let at: u32 = 0; at < whole; at += 4) {
    const own = fourAt(weights, first + at, element);
    v128.store(to + (<usize>at << 2), differences(own, element, usual, limit));
  }
  for (let at = whole; at < width; at++) {
    const own = f32x4.splat(valueAt(weights, first + at, element));
    store<f32>(to + (<usize>at << 2), f32x4.extract_lane(differences(own, element, usual, limit), 0));
  }
}

@inline
function differences(own: v128, element: u32, usual: bool, limit: f32): v128 {
  const clamped = f32x4.max(f32x4.splat(-limit), f32x4.min(f32x4.splat(limit), own));
  return f32x4.sub(restoredFour(clamped, element, usual), own);
}

/** Adds the products of `width` columns to the sums of `count` tokens, for TEAM steps from `team` on. */
function addProducts(x: usize, cols: u32, count: u32, width: u32, team: u32): void {
  const rows = scratch + <usize>team * ROW;
  const whole = <usize>(width & ~3) << 2;
  const all = <usize>width << 2;
  for (let token: u32 = 0; token < count; token++) {
    const own = x + (<usize>(token * cols) << 2);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let e = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const four = v128.load(own + at);
      a = f32x4.add(a, f32x4.mul(four, v128.load(rows + at)));
      b = f32x4.add(b, f32x4.mul(four, v128.load(rows + at, 1024)));
      c = f32x4.add(c, f32x4.mul(four, v128.load(rows + at, 2048)));
      d = f32x4.add(d, f32x4.mul(four, v128.load(rows + at, 3072)));
      e = f32x4.add(e, f32x4.mul(four, v128.load(rows + at, 4096)));
    }
    for (let at = whole; at < all; at += 4) {
      // In the first lane alone.
      const one = v128.load32_zero(own + at);
      a = f32x4.add(a, f32x4.mul(one, v128.load32_zero(rows + at)));
      b = f32x4.add(b, f32x4.mul(one, v128.load32_zero(rows + at, 1024)));
      c = f32x4.add(c, f32x4.mul(one, v128.load32_zero(rows + at, 2048)));
      d = f32x4.add(d, f32x4.mul(one, v128.load32_zero(rows + at, 3072)));
      e = f32x4.add(e, f32x4.mul(one, v128.load32_zero(rows + at, 4096)));
    }
    const to = scratch + SUMS + (<usize>(team * TOKENS + token) << 2);
    addLanes(to, a);
    addLanes(to + 256, b);
    addLanes(to + 512, c);
    addLanes(to + 768, d);
    addLanes(to + 1024, e);
  }
}

@inline
function addLanes(to: usize, lanes: v128): void {
  const pairs = f32x4.add(lanes, i64x2.shuffle(lanes, lanes, 1, 0));
  store<f32>(to, load<f32>(to) + (f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)));
}

/** Adds the squares of the sums of `count` tokens to the error of each step. */
function addEnergies(count: u32): void {
  for (let step: u32 = 0; step < STEPS; step++) {
    const at = scratch + SUMS + (<usize>(step * TOKENS) << 2);
    let energy: f64 = 0;
    for (let token: u32 = 0; token < count; token++) {
      const sum = <f64>load<f32>(at + (<usize>token << 2));
      energy += sum * sum;
    }
    const to = scratch + ERRORS + (<usize>step << 3);
    store<f64>(to, load<f64>(to) + energy);
  }
}
