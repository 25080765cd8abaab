import { type ErrorCode, LabError, quote } from "../../base/errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { type GgufHeader, type GgufTensor, readGguf } from "../gguf/header.ts";
import { encodeGguf, type ValueToWrite } from "../gguf/writer.ts";

/** What went into one tensor of a GGUF model: a matrix, or the matrices of all experts of a layer. */
export interface ImatrixEntry {
  /** Rows that went into each matrix; 0 where an expert was never chosen. */
  readonly counts: readonly number[];
  /** Σ x² over those rows, by input channel: float32 [matrices, width], matrix after matrix. */
  readonly sums: Float32Array;
}

/** An importance matrix of llama.cpp: what `llama-imatrix` collects and `llama-quantize --imatrix` reads. */
export interface ImatrixFile {
  /** Names of the texts, for people. Untrusted where they come from a file. */
  readonly datasets: readonly string[];
  /** Chunks that went through the model, and tokens of each; null where a file does not say. */
  readonly chunks: { readonly count: number; readonly sizeTokens: number } | null;
  /** By the name of the tensor, `blk.0.attn_q.weight`. Names are untrusted too. */
  readonly entries: ReadonlyMap<string, ImatrixEntry>;
}

/** One to be written: llama-quantize refuses a file that does not say its chunks. */
export type ImatrixToWrite = ImatrixFile & { readonly chunks: NonNullable<ImatrixFile["chunks"]> };

const TYPE_KEY = "general.type";
const TYPE = "imatrix";
const DATASETS_KEY = "imatrix.datasets";
const CHUNK_COUNT_KEY = "imatrix.chunk_count";
const CHUNK_SIZE_KEY = "imatrix.chunk_size";
const SUMS = ".in_sum2";
const COUNTS = ".counts";

/** A file is held in memory whole. Those of models of hundreds of experts take 0.6 GB. */
const MAX_FILE_BYTES = 2 ** 30;

/** Chunks and their sizes are numbers of 32 bits. */
const MAX_U32 = 2 ** 32 - 1;

/**
 * An importance matrix as llama.cpp writes it: tensors by name, of each `NAME.in_sum2`, F32 [width, matrices], and
 * `NAME.counts`, F32 [1, matrices], which have one dimension where the matrix is alone.
 * Source: llama.cpp `tools/imatrix/imatrix.cpp :: save_imatrix`; `ggml_n_dims` leaves trailing dimensions of 1 away.
 * @throws LabError `imatrix/…` for what `decodeImatrix` would refuse, `export/bad-tensor`
 */
export function encodeImatrix({ datasets, chunks, entries }: ImatrixToWrite): Uint8Array<ArrayBuffer> {
  const check = new ImatrixCheck("writing an importance matrix");
  const metadata = new Map<string, ValueToWrite>([
    [TYPE_KEY, TYPE],
    [DATASETS_KEY, datasets],
    [CHUNK_COUNT_KEY, check.u32(CHUNK_COUNT_KEY, chunks.count)],
    [CHUNK_SIZE_KEY, check.u32(CHUNK_SIZE_KEY, chunks.sizeTokens)],
  ]);
  const byName = [...entries].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const tensors = byName.flatMap(([name, { counts, sums }]) => {
    const shapeOf = (width: number) => (counts.length === 1 ? [width] : [width, counts.length]);
    check.entry(name, counts, sums);
    return [
      { name: name + SUMS, shape: shapeOf(sums.length / counts.length), values: sums },
      { name: name + COUNTS, shape: shapeOf(1), values: Float32Array.from(counts) },
    ];
  });
  return encodeGguf(metadata, tensors);
}

/**
 * Reads what llama.cpp, its package gguf or `encodeImatrix` has written. Tensors of other kinds (sums of x, which newer versions
 * write too) are passed over, as llama.cpp does.
 * Source: llama.cpp `common/imatrix-loader.cpp :: common_imatrix_load`.
 * @throws LabError `imatrix/…`, `gguf/…`; errors of the source
 */
export async function decodeImatrix(source: ByteSource): Promise<ImatrixFile> {
  const check = new ImatrixCheck(`reading the importance matrix in ${quote(source.name)}`);
  if (source.sizeBytes > MAX_FILE_BYTES) {
    throw check.error("too-large", `${source.sizeBytes} bytes`, `at most ${MAX_FILE_BYTES}`);
  }
  const header = await readGguf(source);
  const type = header.metadata.get(TYPE_KEY);
  if (type !== TYPE) {
    const found = typeof type === "string" ? `a GGUF file of the type "${quote(type)}"` : "a GGUF file of no type";
    throw check.error("not-imatrix", found, `one whose ${TYPE_KEY} is ${TYPE}`);
  }
  const tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  const entries = new Map<string, ImatrixEntry>();
  for (const { name } of header.tensors) {
    const part = [SUMS, COUNTS].find((suffix) => name.endsWith(suffix));
    if (part === undefined) continue;
    const own = name.slice(0, -part.length);
    const other = tensors.get(own + (part === SUMS ? COUNTS : SUMS));
    if (!other) throw check.error("missing-tensor", "sums without counts, or counts without sums", "both", name);
    if (part === SUMS) entries.set(own, await readEntry(source, own, tensors, check));
  }
  if (entries.size === 0) throw check.error("no-entries", "no sums of squares", `tensors named NAME${SUMS}`);
  return { datasets: datasetsOf(header, check), chunks: chunksOf(header, check), entries };
}

async function readEntry(
  source: ByteSource,
  name: string,
  tensors: ReadonlyMap<string, GgufTensor>,
  check: ImatrixCheck,
): Promise<ImatrixEntry> {
  const [sums, counts] = [SUMS, COUNTS].map((suffix) => tensors.get(name + suffix)) as [GgufTensor, GgufTensor];
  const matrices = (shape: readonly number[]) => shape.slice(1).reduce((product, size) => product * size, 1);
  for (const tensor of [sums, counts]) {
    if (tensor.dtype !== "F32") throw check.error("bad-tensor", tensor.dtype, "F32", tensor.name);
  }
  // The package gguf takes counts of one dimension too.
  const isFlat = counts.shape.length === 1;
  const counted = isFlat ? (counts.shape[0] ?? 0) : matrices(counts.shape);
  if ((!isFlat && counts.shape[0] !== 1) || counted !== matrices(sums.shape)) {
    const found = `counts of the shape [${counts.shape.join(", ")}] for sums of [${sums.shape.join(", ")}]`;
    throw check.error("bad-tensor", found, "one count for each matrix", counts.name);
  }
  const read = async ({ start, end }: GgufTensor) => {
    const bytes = await source.read(start, end);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  };
  // Rounded as llama.cpp rounds them: merged files may hold what float32 made of a large count.
  const entry = { counts: Array.from(await read(counts), Math.round), sums: await read(sums) };
  check.entry(name, entry.counts, entry.sums);
  return entry;
}

function datasetsOf({ metadata }: GgufHeader, check: ImatrixCheck): readonly string[] {
  const found = metadata.get(DATASETS_KEY) ?? [];
  if (Array.isArray(found) && found.every((own) => typeof own === "string")) return found;
  throw check.error("bad-metadata", `${DATASETS_KEY} that are no texts`, "a list of texts");
}

function chunksOf({ metadata }: GgufHeader, check: ImatrixCheck): ImatrixFile["chunks"] {
  const [count, sizeTokens] = [CHUNK_COUNT_KEY, CHUNK_SIZE_KEY].map((key) => metadata.get(key));
  if (count === undefined || sizeTokens === undefined) return null;
  return { count: check.u32(CHUNK_COUNT_KEY, count), sizeTokens: check.u32(CHUNK_SIZE_KEY, sizeTokens) };
}

/** What a file must be like, whether it is read or written. */
class ImatrixCheck {
  readonly #doing: string;

  constructor(doing: string) {
    this.#doing = doing;
  }

  u32(key: string, value: unknown): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_U32) return value;
    throw this.error("bad-metadata", `${quote(String(value))} as ${key}`, "a whole number of 32 bits");
  }

  entry(name: string, counts: readonly number[], sums: Float32Array): void {
    const width = sums.length / counts.length;
    if (counts.length === 0 || width < 1 || !Number.isInteger(width)) {
      const found = `${sums.length} sums of ${counts.length} matrices`;
      throw this.error("bad-tensor", found, "as many for each matrix, at least one", name + SUMS);
    }
    const badCount = counts.findIndex((count) => !Number.isSafeInteger(count) || count < 0);
    if (badCount >= 0) {
      const found = `${counts[badCount]} of matrix ${badCount}`;
      throw this.error("bad-count", found, "a number of rows, 0 or more", name + COUNTS);
    }
    const bad = sums.findIndex(
      (sum, at) => !Number.isFinite(sum) || sum < 0 || (sum > 0 && !counts[Math.floor(at / width)]),
    );
    if (bad >= 0) {
      const found = `${sums[bad]} of channel ${bad % width} of matrix ${Math.floor(bad / width)}`;
      throw this.error("bad-value", found, "finite sums of squares, 0 where nothing was counted", name + SUMS);
    }
  }

  /** @param tensor the name of the tensor at fault, raw */
  error(kind: string, found: string, allowed: string, tensor?: string): LabError {
    const place = tensor === undefined ? "" : `tensor "${quote(tensor)}": `;
    const code: ErrorCode = `imatrix/${kind}`;
    return new LabError({
      code,
      doing: this.#doing,
      found: place + found,
      allowed,
      advice: "collect the importance matrix anew, here or with llama-imatrix",
      fields: tensor === undefined ? {} : { tensor: quote(tensor) },
    });
  }
}
