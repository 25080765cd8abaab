import type { ByteSource } from "../../formats/byte-source.ts";
import type { Checkpoint, CheckpointTensor } from "../../formats/huggingface/checkpoint.ts";
import type { WorkFile, Workspace } from "../../formats/workspaces/workspace.ts";

/** Bytes of a file that stand elsewhere. */
interface Patch {
  readonly start: number;
  readonly end: number;
  readonly file: WorkFile;
}

/** A file of which some tensors are others. */
class PatchedSource implements ByteSource {
  readonly #base: ByteSource;
  /** In order, none over another. */
  readonly #patches: Patch[] = [];

  constructor(base: ByteSource) {
    this.#base = base;
  }

  get name(): string {
    return this.#base.name;
  }

  get sizeBytes(): number {
    return this.#base.sizeBytes;
  }

  add(patch: Patch): void {
    const at = this.#patches.findIndex(({ start }) => start > patch.start);
    this.#patches.splice(at < 0 ? this.#patches.length : at, 0, patch);
  }

  async read(start: number, end: number, into?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const touched = this.#patches.filter((patch) => patch.start < end && patch.end > start);
    const [only] = touched;
    if (!only) return this.#base.read(start, end, into);
    if (only.start <= start && end <= only.end) return only.file.read(start - only.start, end - only.start, into);
    const whole = new Uint8Array(end - start);
    whole.set(await this.#base.read(start, end));
    for (const patch of touched) {
      const [first, last] = [Math.max(start, patch.start), Math.min(end, patch.end)];
      whole.set(await patch.file.read(first - patch.start, last - patch.start), first - start);
    }
    return whole;
  }
}

/**
 * A checkpoint of which some tensors are replaced by others of the same type and shape, one after the other, while it is in
 * use. The replaced ones lie in a workspace; `checkpoint` reads as if they had always been there.
 */
export class PatchedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly #sources: readonly PatchedSource[];
  readonly #workspace: Workspace;
  /** By name, the tensors that are others. */
  readonly #files = new Map<string, WorkFile>();

  constructor(base: Checkpoint, workspace: Workspace) {
    this.#sources = base.shards.map(({ source }) => new PatchedSource(source));
    this.#workspace = workspace;
    this.checkpoint = {
      ...base,
      shards: base.shards.map((shard, index) => ({ ...shard, source: this.#sources[index] as PatchedSource })),
    };
  }

  /** Whether any tensor is another. */
  get isChanged(): boolean {
    return this.#files.size > 0;
  }

  tensor(name: string): CheckpointTensor {
    const tensor = this.checkpoint.tensors.find((candidate) => candidate.name === name);
    if (!tensor) throw new Error(`no tensor ${name}`);
    return tensor;
  }

  /** The bytes of a tensor from `offset` on, as they are now. */
  read(name: string, offset: number, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const { shard, start } = this.tensor(name);
    return this.#sourceOf(shard).read(start + offset, start + offset + sizeBytes);
  }

  /** Replaces some bytes of a tensor from `offset` on; the others stay. */
  async write(name: string, offset: number, bytes: Uint8Array): Promise<void> {
    const { shard, start, end } = this.tensor(name);
    let file = this.#files.get(name);
    if (!file) {
      file = await this.#workspace.create(end - start);
      const isWhole = offset === 0 && bytes.byteLength === end - start;
      if (!isWhole) await copy(this.#sourceOf(shard), start, end, file);
      this.#files.set(name, file);
      this.#sourceOf(shard).add({ start, end, file });
    }
    await file.write(offset, bytes);
  }

  #sourceOf(shard: number): PatchedSource {
    return this.#sources[shard] as PatchedSource;
  }
}

/** Bytes that are copied at a time. */
const COPY_BYTES = 4 * 2 ** 20;

async function copy(source: ByteSource, start: number, end: number, file: WorkFile): Promise<void> {
  for (let at = start; at < end; at += COPY_BYTES) {
    const last = Math.min(at + COPY_BYTES, end);
    await file.write(at - start, await source.read(at, last));
  }
}
