import { F32, narrowed } from "../assembly/elements.as";

const INT8_TOKEN: u32 = 0;

/** The float32 nearest to 10⁻⁶. */
const LEAST_SCALE: f32 = 1e-6;

/** Scales and multipliers of the largest magnitudes. Pieces of work: `size` pieces of rows. */
export function served_scales(
  uniforms: usize,
  _element: u32,
  rule: u32,
  size: u32,
  extremes: usize,
  scales: usize,
  multipliers: usize,
  begin: u32,
  end: u32,
): void {
  const last = min(end * size, load<u32>(uniforms));
  for (let piece = begin * size; piece < last; piece++) {
    const pair = extremes + (<usize>piece << 3);
    // As bits: a NaN is the larger one.
    const absmax = reinterpret<f32>(max(load<u32>(pair), load<u32>(pair, 4)));
    let scale = absmax / 127;
    let multiplier: f32 = absmax == 0 ? 0 : 127 / absmax;
    if (rule != INT8_TOKEN) {
      scale = max(scale, LEAST_SCALE);
      multiplier = 1 / scale;
    }
    store<u32>(scales + (<usize>piece << 2), narrowed(scale, F32));
    store<u32>(multipliers + (<usize>piece << 2), narrowed(multiplier, F32));
  }
}
