// Fields of `bits` bits, packed densely, the first lowest. Eight fields are exactly `bits` bytes.

/** Where `bits` bits lie at the bottom of each lane of 16 and of 32 bits. */
@inline
function everyHalf(bits: u32): u64 {
  return ((<u64>1 << bits) - 1) * 0x0001000100010001;
}

@inline
function everyWord(bits: u32): u64 {
  return ((<u64>1 << bits) - 1) * 0x0000000100000001;
}

/** The low `bits` of eight bytes side by side. */
@inline
export function packedEight(bytes: u64, bits: u32): u64 {
  if (bits == 8) return bytes;
  const lowOfPairs = everyHalf(bits);
  const pairs = (bytes & lowOfPairs) | ((bytes >> (8 - bits)) & (lowOfPairs << bits));
  const lowOfFours = everyWord(2 * bits);
  const fours = (pairs & lowOfFours) | ((pairs >> (16 - 2 * bits)) & (lowOfFours << (2 * bits)));
  const low = (<u64>1 << (4 * bits)) - 1;
  return (fours & low) | ((fours >> (32 - 4 * bits)) & (low << (4 * bits)));
}

/** Eight fields as eight bytes. */
@inline
export function spreadEight(fields: u64, bits: u32): u64 {
  if (bits == 8) return fields;
  const word = (<u64>1 << (4 * bits)) - 1;
  const fours = (fields & word) | ((fields >> (4 * bits)) & word) << 32;
  const pairs = (fours & everyWord(2 * bits)) | ((fours >> (2 * bits)) & everyWord(2 * bits)) << 16;
  return (pairs & everyHalf(bits)) | ((pairs >> bits) & everyHalf(bits)) << 8;
}

/** Writes `count` bytes as fields, and zeros up to the end of the last word. At most 128; bytes beyond them are overwritten. */
export function packFields(bytes: usize, count: u32, bits: u32, to: usize): void {
  // Fields beyond the last are zero, so that words are written whole.
  for (let at = count; at < ((count + 31) & ~31); at += 8) store<u64>(bytes + at, 0);
  if (bits == 8) {
    memory.copy(to, bytes, ((count + 3) >> 2) << 2);
    return;
  }
  if (bits == 4) {
    // The commonest width, sixteen at a time; a word that is half full is written whole.
    for (let at: u32 = 0; at < count; at += 16) {
      const fields = v128.and(v128.load(bytes + at), i8x16.splat(0x0f));
      const pairs = v128.and(v128.or(fields, i16x8.shr_u(fields, 4)), i16x8.splat(0xff));
      const packed = i8x16.narrow_i16x8_u(pairs, pairs);
      if (count - at > 8) v128.store64_lane(to + (at >> 1), packed, 0);
      else v128.store32_lane(to + (at >> 1), packed, 0);
    }
    return;
  }
  const wholeBytes = ((count * bits + 31) >> 5) << 2;
  // Each store reaches beyond its fields, into what the next one writes; the last ones go byte by byte.
  let written: u32 = 0;
  let at: u32 = 0;
  for (; written + 8 <= wholeBytes && at < count; at += 8, written += bits) {
    store<u64>(to + written, packedEight(load<u64>(bytes + at), bits));
  }
  for (; written < wholeBytes; at += 8, written += bits) {
    let rest = at < count ? packedEight(load<u64>(bytes + at), bits) : 0;
    for (let byte = written; byte < min(written + bits, wholeBytes); byte++, rest >>= 8) store<u8>(to + byte, <u8>rest);
  }
}
