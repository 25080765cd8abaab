import { expF32x4 } from "../assembly/exp.as";

/** Weights of experts. Pieces: `size` rows. */
export function route(
  uniforms: usize,
  isNormalized: u32,
  size: u32,
  logits: usize,
  weights: usize,
  begin: u32,
  end: u32,
): void {
  const experts = load<u32>(uniforms, 4);
  const topK = load<u32>(uniforms, 8);
  const last = min(end * size, load<u32>(uniforms));
  for (let row = begin * size; row < last; row++) {
    const start = <usize>(row * experts) << 2;
    routeRow(logits + start, weights + start, experts, topK, isNormalized != 0);
  }
}

function routeRow(logits: usize, weights: usize, experts: u32, topK: u32, isNormalized: bool): void {
  let largest = load<f32>(logits);
  for (let expert: u32 = 1; expert < experts; expert++) largest = max(largest, load<f32>(logits + (<usize>expert << 2)));
  let total: f64 = 0;
  for (let expert: u32 = 0; expert < experts; expert++) {
    const at = <usize>expert << 2;
    const logit = load<f32>(logits + at);
    const power = f32x4.extract_lane(expF32x4(f32x4.splat(logit - largest)), 0);
    const isChosen = placeOf(logits, experts, expert, logit) < topK;
    if (isChosen || !isNormalized) total += power;
    store<f32>(weights + at, isChosen ? power : 0);
  }
  const share = <f32>(1 / total);
  for (let expert: u32 = 0; expert < experts; expert++) {
    const at = weights + (<usize>expert << 2);
    store<f32>(at, load<f32>(at) * share);
  }
}

/** How many come before an expert, when they are sorted by their logits. */
@inline
function placeOf(logits: usize, experts: u32, expert: u32, logit: f32): u32 {
  let place: u32 = 0;
  for (let other: u32 = 0; other < experts; other++) {
    const beside = load<f32>(logits + (<usize>other << 2));
    place += u32(beside > logit || (beside == logit && other < expert));
  }
  return place;
}
