import { F32, putRaw, rawAt } from "../assembly/elements.as";

/** Weights of a piece; the wrapper has the same number. */
const PIECE: u32 = 4096;

/** Weights up to a magnitude become +0. Pieces: 4096 weights. */
export function threshold(uniforms: usize, element: u32, weights: usize, pruned: usize, begin: u32, end: u32): void {
  const elements = load<u32>(uniforms);
  const limit = load<u32>(uniforms, 4);
  const first = begin * PIECE;
  const last = min(end * PIECE, elements);
  const magnitude: u32 = element == F32 ? 0x7fffffff : 0x7fff;
  let index = first;
  if (element == F32) {
    const magnitudes = i32x4.splat(magnitude);
    const limits = i32x4.splat(limit);
    for (const whole = first + ((last - first) & ~3); index < whole; index += 4) {
      const four = v128.load(weights + (<usize>index << 2));
      v128.store(pruned + (<usize>index << 2), v128.and(four, i32x4.gt_s(v128.and(four, magnitudes), limits)));
    }
  } else {
    const magnitudes = i16x8.splat(<i16>magnitude);
    const limits = i16x8.splat(<i16>limit);
    for (const whole = first + ((last - first) & ~7); index < whole; index += 8) {
      const eight = v128.load(weights + (<usize>index << 1));
      v128.store(pruned + (<usize>index << 1), v128.and(eight, i16x8.gt_s(v128.and(eight, magnitudes), limits)));
    }
  }
  for (; index < last; index++) {
    const raw = rawAt(weights, index, element);
    putRaw(pruned, index, (raw & magnitude) > limit ? raw : 0, element);
  }
  if (last == elements && element != F32 && (elements & 1) == 1) putRaw(pruned, elements, 0, element);
}
