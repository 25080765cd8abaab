/** Access to 16-bit elements stored two to a 32-bit word, the first in the lower half. */

/** Element `index` of `words`. */
export function halfAt(words: Uint32Array, index: number): number {
  const word = words[index >>> 1] ?? 0;
  return index % 2 === 0 ? word & 0xffff : word >>> 16;
}

/** Writes element `index` of `words`. */
export function setHalf(words: Uint32Array, index: number, half: number): void {
  const at = index >>> 1;
  const word = words[at] ?? 0;
  words[at] = index % 2 === 0 ? (word & 0xffff0000) | half : (word & 0xffff) | (half << 16);
}
