/** A value of a GGUF file's metadata. 64-bit integers are bigints; arrays are of one type, and hold no arrays. */
export type GgufValue = GgufScalar | readonly GgufScalar[];
export type GgufScalar = string | number | bigint | boolean;

/** Numbers of value types, as files have them. Source: llama.cpp `ggml/include/gguf.h :: gguf_type`. */
export const VALUE_TYPE = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

/** Element types of tensors that hold plain numbers, one by one. */
export type GgufDtype = "F32" | "F16" | "BF16" | "F64" | "I8" | "I16" | "I32" | "I64";

/** Their numbers in files, and bytes of an element. Source: llama.cpp `ggml/include/ggml.h :: ggml_type`. */
export const GGUF_DTYPES: Readonly<Record<GgufDtype, { readonly code: number; readonly sizeBytes: number }>> = {
  F32: { code: 0, sizeBytes: 4 },
  F16: { code: 1, sizeBytes: 2 },
  I8: { code: 24, sizeBytes: 1 },
  I16: { code: 25, sizeBytes: 2 },
  I32: { code: 26, sizeBytes: 4 },
  I64: { code: 27, sizeBytes: 8 },
  F64: { code: 28, sizeBytes: 8 },
  BF16: { code: 30, sizeBytes: 2 },
};

/** First bytes of a file: `GGUF`. */
export const MAGIC = Uint8Array.of(0x47, 0x47, 0x55, 0x46);

/** What the lab writes. Version 2 differs in nothing that it reads; version 1 has shorter lengths. */
export const VERSION = 3;

/** Tensors begin at multiples of this where the metadata say nothing else. */
export const DEFAULT_ALIGNMENT = 32;

/** Under this key they may say so. */
export const ALIGNMENT_KEY = "general.alignment";

/** llama.cpp keeps a name in 64 bytes with a zero at its end, and refuses longer ones. */
export const MAX_NAME_BYTES = 63;

/** As many dimensions as a tensor of llama.cpp has. */
export const MAX_DIMENSIONS = 4;
