import type { DecoderGraph, Heads } from "../architectures/graph.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import type { ActivationRounding } from "./activation-rounding.ts";
import type { CallQueue } from "./call-queue.ts";
import type { CachePass } from "./key-value-cache.ts";
import type { Parameters } from "./parameters.ts";
import type { WindowBatch } from "./windows.ts";

/** One of the models that run side by side on the same text; the first is the original. */
export interface Variant {
  /**
   * Rounded to this format is whatever transformers' eager model of that dtype rounds to it: the result of each step, and what
   * lies between its operations. (Two operations differ: GPT-2's `gelu_new`, which transformers writes out and rounds at each
   * step, and OPT's scale, which it gives queries instead of scores.) Null: float32 arithmetic.
   */
  readonly roundsTo: "bf16" | "f16" | null;
  /** What else is rounded on the way; absent: nothing. */
  readonly rounding?: ActivationRounding;
  /** Begins every decoder layer with the original's residual stream, so that what a layer adds shows alone. */
  readonly isRestarted?: boolean;
  /** Looks at what the model computes. */
  readonly tap?: InputTap;
}

/** Logits of some neighbouring ids of the vocabulary, one row for each row that a sink asked for. */
export interface LogitsTile {
  readonly variant: number;
  /** Id of the first column. */
  readonly first: number;
  readonly columns: number;
  /** float32 [rows, columns]. */
  readonly logits: DeviceBuffer;
  /** The same of the first variant. */
  readonly base: DeviceBuffer;
}

/** Takes logits where they are made: all variants of a tile, then the next tile. */
export interface LogitsSink {
  /** Rows of the batch whose logits it wants. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** What it hands to the device goes into `queue`. The buffers stand until the next call, which waits for this one. */
  take(tile: LogitsTile, queue: CallQueue): void | Promise<void>;
  /** Called after the last variant of a tile. */
  endTile(): Promise<void>;
}

/** Looks at what a variant computes. The buffers stand until the promise settles. */
export interface InputTap {
  /**
   * What a linear layer is multiplied with.
   * @param input float32 [rows, width], rounded where the variant rounds it
   */
  take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void>;
  /**
   * Keys and values before they are rounded, as attention is about to read them.
   * @param module of the attention
   */
  takeCache?(module: string, key: HeadsInBuffer, value: HeadsInBuffer, rows: number): Promise<void>;
}

/** Heads of a register on a device, float32. */
export interface HeadsInBuffer {
  readonly heads: Heads;
  readonly buffer: DeviceBuffer;
  /** Columns of the register. */
  readonly width: number;
}

/** Looks at the residual stream of all variants between layers. */
export interface LayerWatch {
  /**
   * After a decoder layer.
   * @param streams `hidden` of each variant, float32 [rows, width]; what is put into `queue` sees them as they are
   */
  layerDone(layer: number, streams: readonly DeviceBuffer[], width: number, queue: CallQueue): Promise<void>;
}

/** A piece of a run: the embedding alone, or some steps of one layer. */
export interface RunPart {
  /** Steps from `first` to before `end` of a layer; null: the embedding. */
  readonly steps: { readonly layer: number; readonly first: number; readonly end: number } | null;
  /** Of each variant, registers that outlive the run, by name: what the steps begin with, and what is wanted of them. */
  readonly lent: readonly ReadonlyMap<string, DeviceBuffer>[];
}

export interface ModelRunSetup {
  readonly device: Device;
  readonly graph: DecoderGraph;
  readonly parameters: Parameters;
  readonly variants: readonly Variant[];
  readonly batch: WindowBatch;
  /** Null: the run ends before the head. */
  readonly sink: LogitsSink | null;
  readonly watch?: LayerWatch;
  /** Only this of the model is run, nothing is handed to the sink or to the watch; absent: all of it. */
  readonly part?: RunPart;
  /** Keys and values that outlive the run, of its only variant, which has to be float32 where they are read; absent: none are kept. */
  readonly cache?: CachePass;
}
