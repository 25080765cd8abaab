import { LabError, quote } from "../../base/errors.ts";
import { DEFAULT_ALIGNMENT, MAGIC, MAX_DIMENSIONS, MAX_NAME_BYTES, VALUE_TYPE, VERSION } from "./values.ts";

/** A value to be written: a text, a whole number of 32 bits, or texts. */
export type ValueToWrite = string | number | readonly string[];

/** A tensor of float32 to be written. */
export interface GgufTensorToWrite {
  readonly name: string;
  /** The fastest dimension first. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * A GGUF file, version 3, least byte first, of float32 tensors in the order given, each padded to 32 bytes, the last one too:
 * llama.cpp reads the padding.
 * Source of the layout: llama.cpp `ggml/src/gguf.cpp :: gguf_write_to_file`.
 * @throws LabError `export/bad-tensor` for a name that llama.cpp would refuse, a name twice, or values that are not the shape's
 */
export function encodeGguf(
  metadata: ReadonlyMap<string, ValueToWrite>,
  tensors: readonly GgufTensorToWrite[],
): Uint8Array<ArrayBuffer> {
  const names = new Set<string>();
  const writer = new HeadWriter();
  writer.bytes(MAGIC);
  writer.u32(VERSION);
  writer.u64(tensors.length);
  writer.u64(metadata.size);
  for (const [key, value] of metadata) {
    writer.text(key);
    writeValue(writer, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    checkTensor(tensor, names);
    const { name, shape, values } = tensor;
    writer.text(name);
    writer.u32(shape.length);
    for (const size of shape) writer.u64(size);
    // F32.
    writer.u32(0);
    writer.u64(offset);
    offset = padded(offset + values.byteLength);
  }
  const dataStart = padded(writer.sizeBytes);
  const file = new Uint8Array(dataStart + offset);
  writer.copyTo(file);
  let start = dataStart;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
    start = padded(start + values.byteLength);
  }
  return file;
}

function writeValue(writer: HeadWriter, value: ValueToWrite): void {
  if (typeof value === "string") {
    writer.u32(VALUE_TYPE.string);
    writer.text(value);
  } else if (typeof value === "number") {
    writer.u32(VALUE_TYPE.uint32);
    writer.u32(value);
  } else {
    writer.u32(VALUE_TYPE.array);
    writer.u32(VALUE_TYPE.string);
    writer.u64(value.length);
    for (const text of value) writer.text(text);
  }
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT;
}

/** The bytes of a head, as they come. */
class HeadWriter {
  readonly #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#sizeBytes += bytes.byteLength;
  }

  u32(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.bytes(bytes);
  }

  u64(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.bytes(bytes);
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.byteLength);
    this.bytes(bytes);
  }

  copyTo(file: Uint8Array): void {
    let at = 0;
    for (const part of this.#parts) {
      file.set(part, at);
      at += part.byteLength;
    }
  }
}

function checkTensor({ name, shape, values }: GgufTensorToWrite, names: Set<string>): void {
  const nameBytes = new TextEncoder().encode(name).byteLength;
  if (nameBytes > MAX_NAME_BYTES) throw badTensor(name, `a name of ${nameBytes} bytes`, `at most ${MAX_NAME_BYTES}`);
  if (names.has(name)) throw badTensor(name, "a name that is taken", "each name once");
  names.add(name);
  const elements = shape.reduce((product, size) => product * size, 1);
  if (shape.length < 1 || shape.length > MAX_DIMENSIONS || elements !== values.length) {
    const found = `${values.length} values for the shape [${shape.join(", ")}]`;
    throw badTensor(name, found, `as many as the shape has, of 1 to ${MAX_DIMENSIONS} dimensions`);
  }
}

function badTensor(name: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "export/bad-tensor",
    doing: `planning tensor "${quote(name)}" of a GGUF file`,
    found,
    allowed,
    advice: "this is a defect of the lab: please report it with these words",
    fields: { tensor: quote(name) },
  });
}
