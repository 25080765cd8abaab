const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** A safetensors element type, spelled as in the file. */
export type DtypeName = keyof typeof BITS;

const BITS_OF_NAME: ReadonlyMap<string, number> = new Map(Object.entries(BITS));

/** The 22 names of the safetensors reference 0.8 (`tensor.rs :: Dtype`). */
export const DTYPE_NAMES: readonly DtypeName[] = [...BITS_OF_NAME.keys()].filter(isDtypeName);

/** Whether a text from a file names an element type; case counts. */
export function isDtypeName(text: string): text is DtypeName {
  return BITS_OF_NAME.has(text);
}

/** Bits of one element. A tensor of F4 or F6 elements fills whole bytes, so its element count is bound. */
export function bitsPerElement(dtype: DtypeName): number {
  return BITS[dtype];
}
