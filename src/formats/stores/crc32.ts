/** The polynomial of ISO 3309 (zip, PNG, gzip), lowest bit first. */
const POLYNOMIAL = 0xedb88320;

/** What each byte does to an empty register. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ POLYNOMIAL : register >>> 1;
  return register;
});

/** CRC-32 of bytes, as zip, PNG and gzip have it: against accidents, not against attacks. */
export function crc32(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) register = (register >>> 8) ^ (TABLE[(register ^ byte) & 0xff] as number);
  return (register ^ 0xffffffff) >>> 0;
}
