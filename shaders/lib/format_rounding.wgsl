// Rounding to the nearest value of a format, ties to even. Everything is decided on bits: WGSL leaves open how a sum is
// rounded, and may take subnormals for 0.

override ROUNDING: u32 = 2u;

const BF16: u32 = 0u;
const F16: u32 = 1u;
const F32: u32 = 2u; // numbers stay as they are

const INFINITY: u32 = 0x7f800000u; // as float32 bits
const NAN: u32 = 0x7fc00000u;
const SIGN: u32 = 0x80000000u;

// Magnitudes with `dropped` bits fewer; a carry out of the largest makes infinity.
fn with_fewer_bits(magnitudes: vec4<u32>, dropped: u32) -> vec4<u32> {
  let unit = 1u << dropped;
  let is_odd = (magnitudes & vec4<u32>(unit)) != vec4<u32>(0u);
  let half = select(vec4<u32>((unit >> 1u) - 1u), vec4<u32>(unit >> 1u), is_odd);
  return (magnitudes + half) & vec4<u32>(~(unit - 1u));
}

// Magnitudes below 2^-14 as multiples of 2^-24. A unit of `scaled` is 2^-13 of those: what is lost below it can only tell a
// tie from more than a tie. Both factors are powers of two and all products normal numbers, so that they are exact; what is
// subnormal as a float32 is 0 either way.
fn subnormals_of_f16(magnitudes: vec4<u32>) -> vec4<u32> {
  let scaled = bitcast<vec4<f32>>(min(magnitudes, vec4<u32>(0x38800000u))) * 137438953472.0;
  let whole = vec4<i32>(scaled);
  let is_up = (vec4<f32>(whole) != scaled) | ((whole & vec4<i32>(0x2000)) != vec4<i32>(0));
  let half = select(vec4<i32>(0xfff), vec4<i32>(0x1000), is_up);
  let kept = (whole + half) & vec4<i32>(~0x1fff);
  return bitcast<vec4<u32>>(vec4<f32>(kept) * 7.275957614183426e-12);
}

// Of float32 bits; a NaN has those of NAN.
fn rounded_bits(bits: vec4<u32>) -> vec4<u32> {
  let magnitudes = bits & vec4<u32>(~SIGN);
  var found: vec4<u32>;
  if (ROUNDING == BF16) {
    found = with_fewer_bits(magnitudes, 16u);
  } else {
    let normal = with_fewer_bits(magnitudes, 13u);
    let finite = select(subnormals_of_f16(magnitudes), normal, magnitudes >= vec4<u32>(0x38800000u));
    found = select(finite, vec4<u32>(INFINITY), normal >= vec4<u32>(0x47800000u)); // 2^16
  }
  return select(found | (bits & vec4<u32>(SIGN)), vec4<u32>(NAN), magnitudes > vec4<u32>(INFINITY));
}

fn rounded(values: vec4<f32>) -> vec4<f32> {
  var found = values;
  if (ROUNDING != F32) {
    found = bitcast<vec4<f32>>(rounded_bits(bitcast<vec4<u32>>(values)));
  }
  return found;
}
