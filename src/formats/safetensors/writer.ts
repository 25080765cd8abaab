import { LabError, quote } from "../../base/errors.ts";
import { type JsonValue, jsonFromPlain, stringifyJson } from "../../base/json.ts";
import { bitsPerElement, type DtypeName } from "./dtypes.ts";
import { MAX_HEADER_BYTES, type SafetensorsTensor } from "./header.ts";

/** A tensor to be written. */
export interface TensorToWrite {
  /** Any Unicode text but `__metadata__`, without lone surrogates. */
  readonly name: string;
  readonly dtype: DtypeName;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** What shape and dtype come to; given so that a disagreement is found before a byte is written. */
  readonly sizeBytes: number;
}

/** A safetensors file that is yet to be written. */
export interface SafetensorsPlan {
  /** The file's first bytes: header length, header, spaces up to a multiple of 8. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** In the order given, with absolute ranges; the first begins after the header, the last ends the file. */
  readonly tensors: readonly SafetensorsTensor[];
  /** Of the whole file. */
  readonly sizeBytes: number;
}

/** Data begins at a multiple of this, as the reference writes it. */
const HEADER_ALIGNMENT = 8;

/**
 * Lays out a safetensors file: every size and place is known before anything is written. Tensors lie in the order given;
 * nothing is padded between them, as the format allows no holes.
 * @param metadata `__metadata__`, left out when undefined; transformers expects `format: pt`
 * @throws LabError `export/bad-tensor` (a name twice, a size that is not the shape's), `export/header-too-long`
 */
export function planSafetensors(
  tensors: readonly TensorToWrite[],
  metadata?: ReadonlyMap<string, string>,
): SafetensorsPlan {
  const root = new Map<string, JsonValue>();
  if (metadata !== undefined) root.set("__metadata__", new Map(metadata));
  let position = 0;
  const ranges = tensors.map((tensor) => {
    checkTensor(tensor);
    const { name, dtype, shape, sizeBytes } = tensor;
    if (name === "__metadata__" || root.has(name)) {
      throw badTensor(tensor, "a name that is taken", "each name once, and never __metadata__");
    }
    const start = position;
    position += sizeBytes;
    if (!Number.isSafeInteger(position))
      throw badTensor(tensor, `a file past ${start} bytes`, "files below 2^53 bytes");
    root.set(name, jsonFromPlain({ dtype, shape, data_offsets: [start, position] }));
    return { name, dtype, shape, start, end: position };
  });
  const text = new TextEncoder().encode(stringifyJson(root));
  const length = Math.ceil(text.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  if (length > MAX_HEADER_BYTES) {
    throw new LabError({
      code: "export/header-too-long",
      doing: "planning a safetensors file",
      found: `a header of ${length} bytes for ${tensors.length} tensors`,
      allowed: `at most ${MAX_HEADER_BYTES}`,
      advice: "write the checkpoint in more shards",
    });
  }
  const dataStart = HEADER_ALIGNMENT + length;
  const header = new Uint8Array(dataStart).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, HEADER_ALIGNMENT);
  return {
    header,
    tensors: ranges.map((range) => ({ ...range, start: range.start + dataStart, end: range.end + dataStart })),
    sizeBytes: dataStart + position,
  };
}

function checkTensor(tensor: TensorToWrite): void {
  const { name, dtype, shape, sizeBytes } = tensor;
  if (/\p{Cs}/u.test(name)) throw badTensor(tensor, "a lone surrogate in the name", "well-formed Unicode");
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) {
    throw badTensor(tensor, `shape [${shape.join(", ")}]`, "whole dimensions from 0 to 2^53 − 1");
  }
  const bits = shape.reduce((product, dimension) => product * BigInt(dimension), BigInt(bitsPerElement(dtype)));
  if (!Number.isSafeInteger(sizeBytes) || bits !== BigInt(sizeBytes) * 8n) {
    const found = `${sizeBytes} bytes for ${dtype} [${shape.join(", ")}], which is ${bits} bits`;
    throw badTensor(tensor, found, "the exact size of the tensor, in whole bytes");
  }
}

function badTensor(tensor: TensorToWrite, found: string, allowed: string): LabError {
  const name = quote(tensor.name);
  return new LabError({
    code: "export/bad-tensor",
    doing: `planning tensor "${name}" of a safetensors file`,
    found,
    allowed,
    advice: "leave this tensor out of the export, or report this as a defect of the lab",
    fields: { tensor: name },
  });
}
