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

/** Values as they lie in a file, each rounded to its nearest element, ties to even. */
export function elementBytes(values: Float32Array<ArrayBuffer>, element: FloatName): Uint8Array<ArrayBuffer> {
  if (element === "f32") return new Uint8Array(values.slice().buffer);
  const halves = new Uint16Array(values.length);
  if (element === "bf16") {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let index = 0; index < words.length; index++) {
      const word = words[index] ?? 0;
      // The upper half, and one more where the lower one is beyond its middle, or there and the upper one odd.
      const isNotANumber = (word & 0x7fffffff) > 0x7f800000;
      halves[index] = isNotANumber ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  } else {
    const { toBits } = FLOAT_FORMATS[element];
    for (let index = 0; index < values.length; index++) halves[index] = toBits(values[index] ?? 0);
  }
  return new Uint8Array(halves.buffer);
}
