import { LabError, quote } from "../../base/errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { GgufCursor, RanOut } from "./cursor.ts";
import {
  ALIGNMENT_KEY,
  DEFAULT_ALIGNMENT,
  GGUF_DTYPES,
  type GgufDtype,
  type GgufScalar,
  type GgufValue,
  MAGIC,
  MAX_DIMENSIONS,
  MAX_NAME_BYTES,
  VALUE_TYPE,
} from "./values.ts";

/** Where one tensor lies in its file. */
export interface GgufTensor {
  /** Untrusted: quote it before showing it. */
  readonly name: string;
  readonly dtype: GgufDtype;
  /** The fastest dimension first, as ggml counts them; at least one. */
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly start: number;
  /** First byte after it. */
  readonly end: number;
}

/** What the head of a GGUF file says, checked against the size of the file. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of their bytes. */
  readonly tensors: readonly GgufTensor[];
}

/** Heads of models, whose vocabularies are metadata, take tens of megabytes: a count of terabytes is not believed. */
const MAX_HEADER_BYTES = 2 ** 27;

/** Bytes that are read first. Most heads of files without a vocabulary end within. */
const FIRST_BYTES = 2 ** 16;

/** The least that a tensor takes: lengths of an empty name, dimensions, type and offset. */
const LEAST_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;

/** The least that a value takes: lengths of an empty key, type and a byte. */
const LEAST_VALUE_BYTES = 8 + 4 + 1;

/** A count of values becomes as many objects: models have vocabularies of 300,000 words, each of them in three lists. */
const MAX_VALUES = 4_000_000;

/** And one of tensors: the largest models have some ten thousand. */
const MAX_TENSORS = 200_000;

/** Whether a file begins as GGUF files do. */
export async function isGguf(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < MAGIC.length) return false;
  const bytes = await source.read(0, MAGIC.length);
  return MAGIC.every((byte, at) => byte === bytes[at]);
}

/**
 * Reads and checks the head of a GGUF file, version 2 or 3, least byte first, of tensors of plain numbers. It refuses what
 * llama.cpp refuses, and with it tensors that overlap, leave holes or end after the file.
 * Source of the layout: llama.cpp `ggml/src/gguf.cpp :: gguf_init_from_file_impl`.
 * @throws LabError `gguf/…`; errors of the source
 */
export async function readGguf(source: ByteSource): Promise<GgufHeader> {
  if (!(await isGguf(source))) {
    throw new HeadFile(source).error("not-gguf", "another beginning", "a file that begins with GGUF");
  }
  for (let wanted = FIRST_BYTES; ; wanted *= 4) {
    const size = Math.min(wanted, source.sizeBytes, MAX_HEADER_BYTES);
    const file = new HeadFile(source);
    try {
      return readHead(new GgufCursor(await source.read(0, size)), file, source.sizeBytes);
    } catch (thrown) {
      if (!(thrown instanceof RanOut)) throw thrown;
      if (size === source.sizeBytes) {
        throw file.error("truncated", `a head that goes on after ${size} bytes`, "a head that ends within the file");
      }
      if (size === MAX_HEADER_BYTES) {
        throw file.error("header-too-long", `a head of more than ${size} bytes`, `at most ${MAX_HEADER_BYTES}`);
      }
    }
  }
}

function readHead(cursor: GgufCursor, file: HeadFile, fileBytes: number): GgufHeader {
  cursor.advance(MAGIC.length);
  const version = cursor.u32();
  // Of the other byte order: the low half of a small number is 0.
  if ((version & 0xffff) === 0) throw file.error("big-endian", "numbers greatest byte first", "least byte first");
  if (version !== 2 && version !== 3) throw file.error("unknown-version", `version ${version}`, "version 2 or 3");
  const tensorCount = file.count("tensors", cursor.u64(), LEAST_TENSOR_BYTES, fileBytes, MAX_TENSORS);
  const valueCount = file.count("values", cursor.u64(), LEAST_VALUE_BYTES, fileBytes, MAX_VALUES);
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < valueCount; index++) {
    const key = file.text(cursor, "a key");
    if (metadata.has(key)) throw file.error("duplicate-key", `"${quote(key)}" twice`, "each key once");
    metadata.set(key, readValue(cursor, cursor.u32(), key, file));
  }
  const alignment = alignmentOf(metadata, file);
  const infos = Array.from({ length: tensorCount }, () => readInfo(cursor, file));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const names = new Set<string>();
  let next = 0;
  const tensors = infos.map(({ name, dtype, shape, offset, sizeBytes }): GgufTensor => {
    if (names.has(name)) throw file.error("duplicate-name", "a name twice", "each name once", name);
    names.add(name);
    if (offset !== BigInt(next)) {
      const found = `offset ${offset} where ${next} comes next`;
      throw file.error("bad-offset", found, "tensors that follow each other without hole or overlap", name);
    }
    const start = dataStart + next;
    const end = start + sizeBytes;
    if (end > fileBytes) {
      throw file.error("truncated", `an end at byte ${end} of ${fileBytes}`, "tensors within the file", name);
    }
    next += Math.ceil(sizeBytes / alignment) * alignment;
    return { name, dtype, shape, start, end };
  });
  return { metadata, tensors };
}

/** A tensor before its place is known. */
interface TensorInfo {
  readonly name: string;
  readonly dtype: GgufDtype;
  readonly shape: readonly number[];
  readonly offset: bigint;
  readonly sizeBytes: number;
}

function readInfo(cursor: GgufCursor, file: HeadFile): TensorInfo {
  const name = file.text(cursor, "a tensor's name");
  const nameBytes = new TextEncoder().encode(name).length;
  if (nameBytes > MAX_NAME_BYTES) {
    throw file.error("name-too-long", `a name of ${nameBytes} bytes`, `at most ${MAX_NAME_BYTES}`, name);
  }
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw file.error("bad-shape", `${dimensions} dimensions`, `1 to ${MAX_DIMENSIONS}`, name);
  }
  const sizes = Array.from({ length: dimensions }, () => cursor.u64());
  const code = cursor.u32();
  const offset = cursor.u64();
  const dtype = (Object.keys(GGUF_DTYPES) as GgufDtype[]).find((own) => GGUF_DTYPES[own].code === code);
  if (!dtype) {
    const allowed = `a type of plain numbers: ${Object.keys(GGUF_DTYPES).join(", ")}`;
    throw file.error("unknown-dtype", `element type ${code}`, allowed, name);
  }
  const elementBytes = BigInt(GGUF_DTYPES[dtype].sizeBytes);
  let bytes = elementBytes;
  for (const size of sizes) bytes *= size;
  // A 0 hides how large the others are.
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER) || sizes.some((size) => size > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw file.error("size-overflow", `[${sizes.join(", ")}]`, "tensors below 2^53 bytes", name);
  }
  return { name, dtype, shape: sizes.map(Number), offset, sizeBytes: Number(bytes) };
}

function readValue(cursor: GgufCursor, type: number, key: string, file: HeadFile): GgufValue {
  if (type !== VALUE_TYPE.array) return readScalar(cursor, type, key, file);
  const elementType = cursor.u32();
  const length = cursor.u64();
  if (elementType === VALUE_TYPE.array) {
    throw file.error("nested-array", `an array of arrays under "${quote(key)}"`, "arrays of numbers or texts");
  }
  const count = file.listLength(length, key);
  const values: GgufScalar[] = [];
  for (let index = 0; index < count; index++) values.push(readScalar(cursor, elementType, key, file));
  return values;
}

function readScalar(cursor: GgufCursor, type: number, key: string, file: HeadFile): GgufScalar {
  if (type === VALUE_TYPE.string) return file.text(cursor, `the text under "${quote(key)}"`);
  if (type === VALUE_TYPE.bool) {
    const byte = cursor.number(VALUE_TYPE.uint8);
    if (byte === 0 || byte === 1) return byte === 1;
    throw file.error("bad-value", `${byte} under "${quote(key)}"`, "0 or 1 for a yes or no");
  }
  const value = cursor.number(type);
  if (value !== null) return value;
  throw file.error("unknown-value-type", `type ${type} under "${quote(key)}"`, "one of GGUF's 13 types");
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, file: HeadFile): number {
  const alignment = metadata.get(ALIGNMENT_KEY) ?? DEFAULT_ALIGNMENT;
  // A larger power of two than 2^31 is no number of 32 bits.
  if (typeof alignment === "number" && alignment >= 1 && Number.isInteger(Math.log2(alignment))) return alignment;
  throw file.error("bad-alignment", `an alignment of ${quote(String(alignment))}`, "a power of two");
}

/** Words and checks that need the name of the file. */
class HeadFile {
  readonly #name: string;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #values = 0;

  constructor(source: ByteSource) {
    this.#name = quote(source.name);
  }

  /** How many there are: no more than the file has room for, and than the lab keeps. */
  count(what: string, count: bigint, leastBytes: number, fileBytes: number, most: number): number {
    if (count > BigInt(Math.floor(fileBytes / leastBytes))) {
      throw this.error("truncated", `${count} ${what} in ${fileBytes} bytes`, "no more than the file has room for");
    }
    if (count > BigInt(most)) throw this.error(`too-many-${what}`, `${count} ${what}`, `at most ${most}`);
    return Number(count);
  }

  listLength(length: bigint, key: string): number {
    this.#values += Number(length);
    if (this.#values <= MAX_VALUES) return Number(length);
    const found = `a list of ${length} values under "${quote(key)}"`;
    throw this.error("too-many-values", found, `at most ${MAX_VALUES} values in all`);
  }

  text(cursor: GgufCursor, what: string): string {
    const bytes = cursor.text();
    try {
      return this.#decoder.decode(bytes);
    } catch (cause) {
      throw this.error("not-utf8", `${what} that is no UTF-8`, "texts in UTF-8", undefined, cause);
    }
  }

  /** @param tensor the name of the tensor at fault, raw */
  error(kind: string, found: string, allowed: string, tensor?: string, cause?: unknown): LabError {
    const place = tensor === undefined ? "" : `tensor "${quote(tensor)}": `;
    return new LabError({
      code: `gguf/${kind}`,
      doing: `reading the head of ${this.#name}`,
      found: place + found,
      allowed,
      advice: "download the file again and compare its checksum, or write it again with the tool that made it",
      fields: { file: this.#name, ...(tensor === undefined ? {} : { tensor: quote(tensor) }) },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
