import { LabError, quote } from "../../base/errors.ts";
import {
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../../base/json.ts";
import type { ByteSource } from "../byte-source.ts";
import { bitsPerElement, type DtypeName, isDtypeName } from "./dtypes.ts";

/** Where one tensor lies in its file. */
export interface SafetensorsTensor {
  /** Any Unicode text, the empty one included. Untrusted: quote it before showing it, never use it as a path or key. */
  readonly name: string;
  readonly dtype: DtypeName;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. Need not be aligned to the element size. */
  readonly start: number;
  /** First byte after it. */
  readonly end: number;
}

/** What the header of a safetensors file says, checked against the size of the file. */
export interface SafetensorsHeader {
  /** In the order of their bytes; together they fill the file from `dataStart` to its end without holes. */
  readonly tensors: readonly SafetensorsTensor[];
  /** `__metadata__`; empty where there is none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** First byte after the header. */
  readonly dataStart: number;
}

/** Bytes of the little-endian header length at the start of a file. */
const LENGTH_BYTES = 8;

/** The reference's cap: a length is believed only below it, so that a wrong one cannot ask for all memory. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Sizes and products are u64 in the reference; past it they would wrap. */
const MAX_U64 = 2n ** 64n - 1n;

/** The lab's own limit: a larger dimension would be shown and multiplied rounded. No real tensor comes near. */
const MAX_DIMENSION = BigInt(Number.MAX_SAFE_INTEGER);

/** First bytes of what is most often saved under a wrong name. */
const IMPOSTORS: readonly (readonly [start: string, what: string])[] = [
  ["version https://git-lfs", "a Git LFS pointer: the file behind it was not downloaded"],
  ["<!DOCTYPE html", "a web page"],
  ["<html", "a web page"],
  ["PK\u0003\u0004", "a zip archive, such as a PyTorch .bin"],
  ["GGUF", "a GGUF file"],
];

/** What the lab refuses and the reference reader (0.8) accepts: the code of each refusal, and why. */
export const STRICTER: ReadonlyMap<string, string> = new Map([
  ["safetensors/duplicate-name", "a tensor name twice: the format forbids it, and readers disagree which one is meant"],
  ["safetensors/duplicate-key", "another key twice: as with names, nobody can say which one is meant"],
  ["safetensors/entry-as-list", "an entry as a list of its three values: a quirk of the reference's parser"],
  ["safetensors/dtype-as-object", 'a dtype as {"I32":null}: a quirk of the reference\'s parser'],
  ["safetensors/null-metadata", "__metadata__ as null: a quirk of the reference's parser"],
  ["safetensors/dimension-too-large", "a dimension above 2^53 − 1 beside a 0: it would be shown rounded"],
  ["safetensors/too-many-values", "more than 2 million JSON values: gigabytes of objects from 100 MB of text"],
]);

/** A header entry before its numbers are known to be safe integers. Offsets count from `dataStart`. */
interface Entry {
  readonly name: string;
  readonly dtype: DtypeName;
  readonly shape: readonly bigint[];
  readonly begin: bigint;
  readonly end: bigint;
}

/**
 * Reads and checks the header of a safetensors file: 8 bytes, then the header, never data. It accepts what the reference
 * reader (0.8) accepts, but for what `STRICTER` lists.
 * @throws LabError `safetensors/…`, its field `rule` naming the rule that is broken (S01 to S19); errors of the source
 */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const file = new HeaderFile(source);
  if (source.sizeBytes < LENGTH_BYTES) {
    throw file.error("S01", "header-too-small", `${source.sizeBytes} bytes in all`, "at least 8 bytes");
  }
  const prefix = await source.read(0, LENGTH_BYTES);
  const length = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const impostor = await findImpostor(source);
    const found = impostor ?? `a header length of ${length} bytes`;
    throw file.error("S02", "header-too-long", found, `a safetensors header of at most ${MAX_HEADER_BYTES} bytes`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > source.sizeBytes) {
    const found = `a header that ends at byte ${dataStart} in a file of ${source.sizeBytes} bytes`;
    throw file.error("S03", "header-past-end", found, "a header that ends within the file");
  }
  const root = file.parse(await source.read(LENGTH_BYTES, dataStart));
  const metadata = readMetadata(root, file);
  const entries: Entry[] = [];
  for (const [name, value] of root) {
    if (name !== "__metadata__") entries.push(readEntry(name, value, file));
  }
  entries.sort((a, b) => compareBigints(a.begin, b.begin) || compareBigints(a.end, b.end));
  checkLayout(entries, BigInt(source.sizeBytes - dataStart), file);
  const tensors = entries.map(({ name, dtype, shape, begin, end }) => {
    if (shape.some((dimension) => dimension > MAX_DIMENSION)) {
      throw file.error("S11", "dimension-too-large", `shape [${showShape(shape)}]`, `dimensions up to 2^53 − 1`, name);
    }
    return { name, dtype, shape: shape.map(Number), start: dataStart + Number(begin), end: dataStart + Number(end) };
  });
  return { tensors, metadata, dataStart };
}

/** The name of the kind of file that `source` is in truth; null for an unknown one. */
async function findImpostor(source: ByteSource): Promise<string | null> {
  const longest = Math.max(...IMPOSTORS.map(([start]) => start.length));
  const bytes = await source.read(0, Math.min(longest, source.sizeBytes));
  const text = String.fromCharCode(...bytes).toLowerCase();
  return IMPOSTORS.find(([start]) => text.startsWith(start.toLowerCase()))?.[1] ?? null;
}

function readMetadata(root: JsonObject, file: HeaderFile): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  const value = root.get("__metadata__");
  if (value === undefined) return metadata;
  const allowed = "__metadata__ as an object of strings, or none at all";
  if (!isJsonObject(value)) {
    const kind = value === null ? "null-metadata" : "bad-metadata";
    throw file.error("S08", kind, `__metadata__ as ${kindOf(value)}`, allowed);
  }
  for (const [key, text] of value) {
    if (typeof text !== "string") {
      throw file.error("S08", "bad-metadata", `${kindOf(text)} under "${quote(key)}" of __metadata__`, allowed);
    }
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, value: JsonValue, file: HeaderFile): Entry {
  if (!isJsonObject(value)) {
    const kind = isJsonArray(value) ? "entry-as-list" : "bad-entry";
    throw file.error("S09", kind, kindOf(value), "an object with dtype, shape and data_offsets", name);
  }
  const dtype = field(value, "dtype", name, file);
  const shape = field(value, "shape", name, file);
  const offsets = field(value, "data_offsets", name, file);
  if (typeof dtype !== "string" || !isDtypeName(dtype)) {
    const found = typeof dtype === "string" ? `dtype "${quote(dtype)}"` : `${kindOf(dtype)} as dtype`;
    const kind = isJsonObject(dtype) ? "dtype-as-object" : "unknown-dtype";
    throw file.error("S10", kind, found, "one of the 22 safetensors dtypes, such as BF16", name);
  }
  const dimensions = readIntegers(shape);
  if (dimensions === null) {
    throw file.error("S11", "bad-shape", showValue(shape), "a list of whole numbers, 0 to 2^64 − 1", name);
  }
  const range = readIntegers(offsets);
  const [begin, end] = range ?? [];
  if (range?.length !== 2 || begin === undefined || end === undefined) {
    throw file.error("S12", "bad-data-offsets", showValue(offsets), "two whole numbers, 0 to 2^64 − 1", name);
  }
  return { name, dtype, shape: dimensions, begin, end };
}

function field(entry: JsonObject, key: string, name: string, file: HeaderFile): JsonValue {
  const value = entry.get(key);
  if (value === undefined) {
    throw file.error("S09", "bad-entry", `no ${key}`, "dtype, shape and data_offsets, each once", name);
  }
  return value;
}

/** A list of u64 written as digits alone; null for anything else. */
function readIntegers(value: JsonValue): readonly bigint[] | null {
  if (!isJsonArray(value)) return null;
  const integers: bigint[] = [];
  for (const item of value) {
    const integer = isJsonNumber(item) ? item.asUnsignedInteger() : undefined;
    if (integer === undefined || integer > MAX_U64) return null;
    integers.push(integer);
  }
  return integers;
}

/**
 * Rules S14 to S19 in the reference's order (`tensor.rs :: Metadata::validate`).
 * @param entries sorted by range
 * @param dataBytes bytes of the file after its header
 */
function checkLayout(entries: readonly Entry[], dataBytes: bigint, file: HeaderFile): void {
  let position = 0n;
  for (const { name, dtype, shape, begin, end } of entries) {
    if (begin !== position || end < begin) {
      const found = `data_offsets [${begin}, ${end}] where ${position} comes next`;
      throw file.error("S14", "invalid-offset", found, "ranges that follow each other without hole or overlap", name);
    }
    position = end;
    const shown = `${dtype} [${showShape(shape)}]`;
    let elements = 1n;
    for (const dimension of shape) {
      elements *= dimension;
      if (elements > MAX_U64) {
        throw file.error("S15", "shape-overflow", `${shown}: too many elements`, "up to 2^64 − 1 elements", name);
      }
    }
    const bits = elements * BigInt(bitsPerElement(dtype));
    if (bits > MAX_U64) {
      throw file.error("S16", "size-overflow", `${shown}: too many bits`, "up to 2^64 − 1 bits", name);
    }
    if (bits % 8n !== 0n) {
      throw file.error("S17", "misaligned-size", `${shown}: ${bits} bits`, "a whole number of bytes", name);
    }
    if (end - begin !== bits / 8n) {
      const found = `${shown}, which is ${bits / 8n} bytes, in a range of ${end - begin} bytes`;
      throw file.error("S18", "size-mismatch", found, "a range of exactly the tensor's size", name);
    }
  }
  if (position < dataBytes) {
    const found = `${dataBytes - position} bytes after the last tensor`;
    throw file.error("S19", "trailing-bytes", found, "a file that ends with its last tensor");
  }
  if (position > dataBytes) {
    const found = `a file truncated by ${position - dataBytes} bytes: ${dataBytes} bytes of data out of ${position}`;
    throw file.error("S19", "truncated", found, "a file that holds all its tensors");
  }
}

/** Rule and code of each refusal of the JSON scanner. */
const JSON_RULES: ReadonlyMap<string, readonly [rule: string, kind: string]> = new Map([
  ["json/not-utf8", ["S04", "header-not-utf8"]],
  ["json/too-deep", ["S06", "header-too-deep"]],
  ["json/duplicate-key", ["S13", "duplicate-name"]],
  ["json/too-many-values", ["S21", "too-many-values"]],
]);

/** Words and checks that need the name of the file. */
class HeaderFile {
  readonly #name: string;

  constructor(source: ByteSource) {
    this.#name = quote(source.name);
  }

  parse(bytes: Uint8Array): JsonObject {
    let root: JsonValue;
    try {
      root = parseJson(bytes, `the header of ${this.#name}`, { maxBytes: MAX_HEADER_BYTES });
    } catch (cause) {
      if (!(cause instanceof LabError)) throw cause;
      throw this.#jsonError(cause);
    }
    if (!isJsonObject(root)) throw this.error("S07", "header-not-object", kindOf(root), "a JSON object of tensors");
    return root;
  }

  #jsonError(cause: LabError): LabError {
    let [rule, kind] = JSON_RULES.get(cause.code) ?? ["S05", "header-not-json"];
    const { path, key } = cause.fields;
    if (cause.code === "json/duplicate-key" && Array.isArray(path)) {
      if (path.length === 0 && key === "__metadata__") [rule, kind] = ["S08", "bad-metadata"];
      else if (path.length > 0) [rule, kind] = [path[0] === "__metadata__" ? "S08" : "S09", "duplicate-key"];
    }
    const { found, allowed } = cause;
    const fields = { ...cause.fields, rule, file: this.#name };
    return new LabError({ ...this.#words(), code: `safetensors/${kind}`, found, allowed, fields, cause });
  }

  /** @param tensor the name of the tensor at fault, raw */
  error(rule: string, kind: string, found: string, allowed: string, tensor?: string): LabError {
    const place = tensor === undefined ? "" : `tensor "${quote(tensor)}": `;
    const fields = { rule, file: this.#name, ...(tensor === undefined ? {} : { tensor: quote(tensor) }) };
    return new LabError({ ...this.#words(), code: `safetensors/${kind}`, found: place + found, allowed, fields });
  }

  #words(): { doing: string; advice: string } {
    return {
      doing: `reading the header of ${this.#name}`,
      advice: "download the file again and compare its checksum, or write it again with the tool that made it",
    };
  }
}

function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function showShape(shape: readonly (bigint | number)[]): string {
  return quote(shape.join(", "));
}

function showValue(value: JsonValue): string {
  if (!isJsonArray(value)) return kindOf(value);
  // Eight items tell the mistake; a list from a file may have millions.
  const items = value.slice(0, 8).map((item) => (isJsonNumber(item) ? quote(item.text) : kindOf(item)));
  return `[${items.join(", ")}${value.length > items.length ? ", …" : ""}]`;
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (isJsonArray(value)) return "a list";
  if (isJsonObject(value)) return "an object";
  if (isJsonNumber(value)) return `the number ${quote(value.text)}`;
  return typeof value === "string" ? `the text "${quote(value)}"` : `the word ${value}`;
}
