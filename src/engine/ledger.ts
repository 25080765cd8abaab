import { type TensorRole, tensorRole } from "../architectures/roles.ts";
import { computed, type Quantity } from "../base/quantity.ts";
import type { Checkpoint, CheckpointTensor } from "../formats/huggingface/checkpoint.ts";
import { quantizableModule } from "../schemes/targets.ts";
import { modulePlace } from "./checkpoint-plan.ts";

export type { TensorRole } from "../architectures/roles.ts";

/** One tensor as the header of its file describes it. */
export interface LedgerTensor {
  /** Untrusted: quote it before showing it. */
  readonly name: string;
  /** safetensors name of the element type. */
  readonly dtype: string;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Elements, the product of the shape. */
  readonly weights: number;
  readonly sizeBytes: number;
  /** Place of its file in `Ledger.shards`. */
  readonly shard: number;
  readonly role: TensorRole;
  /** Number of the decoder layer in the name, or null. Equal to `LayerResult.layer` where a comparison has the matrix. */
  readonly layer: number | null;
  /** LLM Compressor would take it unless it is ignored: a 2-D `*.weight` of a module that does not end in "norm". */
  readonly isQuantizable: boolean;
}

/** The tensors of one role together. */
export interface RoleTotal {
  readonly role: TensorRole;
  readonly tensors: number;
  readonly weights: number;
  readonly bytes: Quantity;
  /** Of the bytes of all tensors; not a number where those are none. */
  readonly share: Quantity;
}

/** What a checkpoint is made of, from its headers alone. */
export interface Ledger {
  /** Safetensors files. `headerBytes` are those before the first tensor, of `sizeBytes`. */
  readonly shards: readonly {
    readonly name: string;
    readonly sizeBytes: number;
    readonly headerBytes: number;
    readonly tensors: number;
  }[];
  /** In file order. */
  readonly tensors: readonly LedgerTensor[];
  /** The sum of their sizes. */
  readonly tensorBytes: number;
  /** Most bytes first; only roles that occur. */
  readonly roles: readonly RoleTotal[];
  /** Files beside the weights, config.json and indexes aside. Their names are untrusted. */
  readonly sideFiles: readonly { readonly name: string; readonly sizeBytes: number }[];
}

/** The ledger of a checkpoint. Reads nothing. */
export function ledgerOf(checkpoint: Checkpoint): Ledger {
  const tensors = checkpoint.tensors.map(ledgerTensor);
  const tensorBytes = tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    shards: checkpoint.shards.map(({ name, source, header }) => ({
      name,
      sizeBytes: source.sizeBytes,
      headerBytes: header.dataStart,
      tensors: header.tensors.length,
    })),
    tensors,
    tensorBytes,
    roles: roleTotals(tensors, tensorBytes),
    sideFiles: checkpoint.sideFiles.map(({ path, source }) => ({ name: path, sizeBytes: source.sizeBytes })),
  };
}

/**
 * The share that `bytes` of a ledger's tensors have in all of them, 0 to 1: of one tensor, or of those whose names begin alike.
 * Not a number where the tensors have no bytes.
 */
export function shareOfBytes(bytes: number, { tensorBytes }: Pick<Ledger, "tensorBytes">): number {
  return tensorBytes > 0 ? bytes / tensorBytes : Number.NaN;
}

function ledgerTensor({ name, dtype, shape, start, end, shard }: CheckpointTensor): LedgerTensor {
  const module = quantizableModule(name);
  return {
    name,
    dtype,
    shape,
    weights: shape.reduce((product, size) => product * size, 1),
    sizeBytes: end - start,
    shard,
    role: tensorRole(name),
    layer: modulePlace(module ?? name).layer,
    isQuantizable: module !== null && shape.length === 2,
  };
}

function roleTotals(tensors: readonly LedgerTensor[], tensorBytes: number): readonly RoleTotal[] {
  const totals = new Map<TensorRole, { tensors: number; weights: number; bytes: number }>();
  for (const { role, weights, sizeBytes } of tensors) {
    const total = totals.get(role) ?? { tensors: 0, weights: 0, bytes: 0 };
    total.tensors++;
    total.weights += weights;
    total.bytes += sizeBytes;
    totals.set(role, total);
  }
  return [...totals]
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([role, total]) => ({
      role,
      tensors: total.tensors,
      weights: total.weights,
      bytes: computed(total.bytes, "bytes", "sizes of the tensors whose names have this role, from the headers"),
      share: computed(shareOfBytes(total.bytes, { tensorBytes }), "ratio", "these bytes / bytes of all tensors"),
    }));
}
