import { fourAt, valueAt } from "../assembly/elements.as";
import { scratch } from "../assembly/scratch.as";

/** Outputs of a piece; the wrapper has the same number. */
const PIECE: u32 = 16;

/** Columns whose sums scratch memory holds. */
const STRIP: u32 = 2048;

/** Sums of squares in float64, where no square of a float32 and no unit leave the range. Pieces: 16 outputs. */
export function energies(uniforms: usize, element: u32, weights: usize, sums: usize, begin: u32, end: u32): void {
  const length = load<u32>(uniforms, 4);
  const outputStride = load<u32>(uniforms, 8);
  const innerStride = load<u32>(uniforms, 12);
  const exponent = load<i32>(uniforms, 16);
  // 2^-exponent: its square may be none.
  const unit = reinterpret<f64>(<u64>(1023 - exponent) << 52);
  const stop = min(end * PIECE, load<u32>(uniforms));
  if (innerStride == 1 || outputStride != 1) {
    for (let output = begin * PIECE; output < stop; output++) {
      const first = output * outputStride;
      const sum =
        innerStride == 1
          ? rowSum(weights, first, length, element)
          : stridedSum(weights, first, length, innerStride, element);
      putSum(sums, output, sum, unit);
    }
    return;
  }
  for (let first = begin * PIECE; first < stop; first += STRIP) {
    const last = min(first + STRIP, stop);
    sumColumns(weights, first, last, length, innerStride, element);
    for (let output = first; output < last; output++) {
      putSum(sums, output, load<f64>(scratch + (<usize>(output - first) << 3)), unit);
    }
  }
}

@inline
function putSum(sums: usize, output: u32, sum: f64, unit: f64): void {
  const found = <f32>(sum * unit * unit);
  store<f32>(sums + (<usize>output << 2), found == found ? found : f32.MAX_VALUE * 2);
}

@inline
function square(value: f32): f64 {
  return <f64>value * <f64>value;
}

/** Squares of the lower two of four. */
@inline
function lowSquares(four: v128): v128 {
  const two = f64x2.promote_low_f32x4(four);
  return f64x2.mul(two, two);
}

@inline
function highSquares(four: v128): v128 {
  return lowSquares(i64x2.shuffle(four, four, 1, 0));
}

function rowSum(weights: usize, first: u32, length: u32, element: u32): f64 {
  const last = first + length;
  const whole = first + (length & ~7);
  let one = f64x2.splat(0);
  let two = f64x2.splat(0);
  let three = f64x2.splat(0);
  let four = f64x2.splat(0);
  for (let index = first; index < whole; index += 8) {
    const left = fourAt(weights, index, element);
    const right = fourAt(weights, index + 4, element);
    one = f64x2.add(one, lowSquares(left));
    two = f64x2.add(two, highSquares(left));
    three = f64x2.add(three, lowSquares(right));
    four = f64x2.add(four, highSquares(right));
  }
  const both = f64x2.add(f64x2.add(one, two), f64x2.add(three, four));
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (let index = whole; index < last; index++) sum += square(valueAt(weights, index, element));
  return sum;
}

function stridedSum(weights: usize, first: u32, length: u32, stride: u32, element: u32): f64 {
  let sum: f64 = 0;
  for (let inner: u32 = 0; inner < length; inner++) sum += square(valueAt(weights, first + inner * stride, element));
  return sum;
}

/** Adds row by row, as the weights lie, to the sums of the columns in scratch memory. */
function sumColumns(weights: usize, first: u32, last: u32, rows: u32, stride: u32, element: u32): void {
  const columns = last - first;
  const whole = columns & ~3;
  memory.fill(scratch, 0, <usize>columns << 3);
  for (let row: u32 = 0; row < rows; row++) {
    const start = first + row * stride;
    let at = scratch;
    for (let column: u32 = 0; column < whole; column += 4) {
      const four = fourAt(weights, start + column, element);
      v128.store(at, f64x2.add(v128.load(at), lowSquares(four)));
      v128.store(at, f64x2.add(v128.load(at, 16), highSquares(four)), 16);
      at += 32;
    }
    for (let column = whole; column < columns; column++, at += 8) {
      store<f64>(at, load<f64>(at) + square(valueAt(weights, start + column, element)));
    }
  }
}
