import { F32, narrowed, putRaw, rawAt, widened } from "../assembly/elements.as";

/** Weights of a piece: an even number, so that no two write the same word. */
const BLOCK: u32 = 32;

/** Weights clamped to the limit of their group. Pieces: 32 weights. */
export function clip(
  uniforms: usize,
  element: u32,
  weights: usize,
  limits: usize,
  clipped: usize,
  begin: u32,
  end: u32,
): void {
  const elements = load<u32>(uniforms);
  const groupSize = load<u32>(uniforms, 4);
  const last = min(end * BLOCK, elements);
  const sign: u32 = element == F32 ? 0x80000000 : 0x8000;
  let index = begin * BLOCK;
  for (let group = index / groupSize; index < last; group++) {
    const groupEnd = min((group + 1) * groupSize, last);
    const limit = narrowed(load<f32>(limits + (<usize>group << 2)), element);
    for (; index < groupEnd; index++) {
      const raw = rawAt(weights, index, element);
      const magnitude = raw & ~sign;
      // A NaN stays as it is.
      const isNumber = widened(magnitude, element) <= 0x7f800000;
      putRaw(clipped, index, isNumber && magnitude > limit ? (raw & sign) | limit : raw, element);
    }
  }
  // The last word of 16-bit weights is written whole.
  if (index == elements && (elements & 1) && element != F32) putRaw(clipped, elements, 0, element);
}
