/** How far one is from another, as a share of its length. */
export function distance(found: Float32Array, wanted: Float32Array): number {
  let [lost, all] = [0, 0];
  for (const [index, own] of wanted.entries()) {
    lost += (own - (found[index] ?? 0)) ** 2;
    all += own ** 2;
  }
  return Math.sqrt(lost / all);
}
