import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";

/** Values of every pattern of 16 bits, made at the first use of a format. */
const tables = new Map<FloatName, Float32Array>();

function tableOf(element: FloatName): Float32Array {
  const known = tables.get(element);
  if (known) return known;
  const { fromBits } = FLOAT_FORMATS[element];
  const made = Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromBits(bits));
  tables.set(element, made);
  return made;
}

/** Bits of elements as they lie in a file. @param bytes at the start of their buffer; what is returned may share it */
export function elementBits(bytes: Uint8Array<ArrayBuffer>, element: FloatName): Uint16Array | Uint32Array {
  const count = bytes.byteLength / FLOAT_FORMATS[element].sizeBytes;
  return element === "f32"
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, count)
    : new Uint16Array(bytes.buffer, bytes.byteOffset, count);
}

/** Values of elements, exact, in memory of their own. @param bytes as in `elementBits` */
export function elementValues(bytes: Uint8Array<ArrayBuffer>, element: FloatName): Float32Array<ArrayBuffer> {
  if (element === "f32") return new Float32Array(bytes.slice().buffer);
  const table = tableOf(element);
  const bits = elementBits(bytes, element);
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) values[index] = table[bits[index] ?? 0] ?? 0;
  return values;
}
