import { crc32 } from "node:zlib";
import { LabError } from "../../src/base/errors.ts";
import { DTYPE_NAMES } from "../../src/formats/safetensors/dtypes.ts";
import { readHeader, STRICTER } from "../../src/formats/safetensors/header.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { hostileCases, readHostileFile } from "../support/hostile-cases.ts";
import { containerOf, mutantsOf } from "./mutator.ts";

/** Name, dtype, shape as digits, bytes, and CRC-32 of the bytes: where they lie is told by what they are. */
export type TensorRow = readonly [name: string, dtype: string, shape: readonly string[], bytes: number, crc: number];

/** What a reader made of a file: its tensors ordered by name, or the code and rule it refused with. */
export type Verdict = { readonly tensors: readonly TensorRow[] } | { readonly code: string; readonly rule: string };

/** Larger samples add time and no rules: what makes them large is repetition. */
const MAX_SAMPLE_BYTES = 2500;

/** Files made here: one of every dtype, and one whose header has every part. */
function madeSamples(): readonly Buffer[] {
  const entry = (name: string, dtype: string, shape: string, begin: number, end: number): string =>
    `"${name}":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`;
  const sizes: readonly (readonly [string, number])[] = [
    ["U8", 4],
    ["F16", 8],
    ["F32", 16],
    ["F64", 32],
  ];
  let at = 0;
  const many = sizes.map(([dtype, size]) => {
    at += size;
    return entry(`layer.${dtype}`, dtype, "2,2", at - size, at);
  });
  const rich = `{"__metadata__":{"format":"pt","note":"\\u00e9"},${many.join(", ")} ,${entry("", "I64", "0", 60, 60)}}  `;
  const every = DTYPE_NAMES.map((name) => `{${entry(name, name, "8", 0, bytesOfEight(name))}}`);
  return [
    containerOf(rich, Buffer.alloc(60)),
    ...DTYPE_NAMES.map((name, index) => containerOf(every[index] ?? "", Buffer.alloc(bytesOfEight(name)))),
  ];
}

/** Bytes of 8 elements, counted from the dtype's name alone: its bits. */
function bytesOfEight(dtype: string): number {
  return dtype === "BOOL" ? 8 : Number(/[0-9]+/.exec(dtype)?.[0]);
}

/** The hostile corpus's containers, good ones three times, and some made here; their data is different at every place. */
function samples(): readonly Buffer[] {
  const files = hostileCases("safetensors", "weights").flatMap(({ file, expect }) => {
    const bytes = Buffer.from(readHostileFile(file));
    return expect === "accept" ? [bytes, bytes, bytes] : [bytes];
  });
  return [...files, ...madeSamples()].filter(({ length }) => length <= MAX_SAMPLE_BYTES).map(withTellingData);
}

function withTellingData(bytes: Buffer): Buffer {
  const start = bytes.length < 8 ? bytes.length : 8 + Number(bytes.readBigUInt64LE());
  for (let at = start; at < bytes.length; at++) bytes[at] = Math.imul(at - start + 1, 0x9e3779b1) >>> 24;
  return bytes;
}

/** The lab's reader on one file. Throws what is not a refusal. */
async function verdictOf(bytes: Buffer): Promise<Verdict> {
  try {
    const { tensors } = await readHeader(createBufferSource("mutant.safetensors", bytes));
    const rows = tensors.map(({ name, dtype, shape, start, end }): TensorRow => {
      return [name, dtype, shape.map(String), end - start, crc32(bytes.subarray(start, end))];
    });
    return { tensors: rows.sort(([a], [b]) => (a < b ? -1 : 1)) };
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    return { code: thrown.code, rule: String(thrown.fields.rule) };
  }
}

/** What the lab refuses and the reference does not, by code. */
export const stricter: ReadonlySet<string> = new Set(STRICTER.keys());

/** Mutants in one piece, each after its length as a little-endian u32, and the lab's verdict on each. */
export async function packedMutants(
  seed: number,
  count: number,
): Promise<{ packed: Buffer; files: readonly Buffer[]; verdicts: readonly Verdict[] }> {
  const files = [...mutantsOf(samples(), seed, count)];
  const verdicts: Verdict[] = [];
  for (const file of files) verdicts.push(await verdictOf(file));
  const lengths = files.map(({ length }) => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(length);
    return prefix;
  });
  return { packed: Buffer.concat(files.flatMap((file, index) => [lengths[index] ?? file, file])), files, verdicts };
}
