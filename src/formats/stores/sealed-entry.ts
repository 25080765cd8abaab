import { crc32 } from "./crc32.ts";

/** First bytes of an entry in a file: `QLS` and the version of what follows. */
const MAGIC = [0x51, 0x4c, 0x53, 0x01] as const;

/** Bytes before those of the entry: the magic ones and a CRC-32, lowest byte first. */
export const SEAL_BYTES = 8;

/** An entry larger than this is neither written nor read: a file of any size may lie where an entry should. */
export const MAX_ENTRY_BYTES = 2 ** 28;

/** An entry as it lies in a file; `opened` gives it back only whole. Null where it is too large. */
export function sealed(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (bytes.byteLength > MAX_ENTRY_BYTES) return null;
  const file = new Uint8Array(SEAL_BYTES + bytes.byteLength);
  file.set(MAGIC);
  new DataView(file.buffer).setUint32(4, crc32(bytes), true);
  file.set(bytes, SEAL_BYTES);
  return file;
}

/** The entry that a file holds; null where the file is cut, changed or something else. */
export function opened(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  if (file.byteLength < SEAL_BYTES || MAGIC.some((byte, index) => file[index] !== byte)) return null;
  const bytes = file.slice(SEAL_BYTES);
  const sum = new DataView(file.buffer, file.byteOffset).getUint32(4, true);
  return crc32(bytes) === sum ? bytes : null;
}
