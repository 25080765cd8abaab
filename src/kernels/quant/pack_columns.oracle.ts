import { byteAt } from "../int-params.ts";

/**
 * Each column as one little-endian bit stream of fields of `bits` bits.
 * Source: compressed-tensors 0.19 `compressors/pack_quantized/helpers.py :: pack_to_int32` with `packed_dim=0`.
 */
export function packColumnsOracle(
  { bits }: { readonly bits: number },
  { rows, cols }: { readonly rows: number; readonly cols: number },
  [values = new Uint32Array(), packed = new Uint32Array()]: readonly Uint32Array[],
): void {
  const words = Math.ceil((rows * bits) / 32);
  for (let col = 0; col < cols; col++) {
    let stream = 0n;
    for (let row = 0; row < rows; row++) {
      const field = BigInt(byteAt(values, row * cols + col) + 2 ** (bits - 1));
      stream |= field << BigInt(row * bits);
    }
    for (let word = 0; word < words; word++) {
      packed[word * cols + col] = Number((stream >> BigInt(32 * word)) & 0xffffffffn);
    }
  }
}
