import type { DecoderGraph } from "../architectures/graph.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import type { CallQueue } from "./call-queue.ts";
import type { Parameters } from "./parameters.ts";
import type { WindowBatch } from "./windows.ts";

/** One of the models that run side by side on the same text; the first is the original. */
export interface Variant {
  /** Every result is rounded to this format, as a model of that dtype has it; null: float32 arithmetic. */
  readonly roundsTo: "bf16" | "f16" | null;
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
  /** What it hands to the device goes into `queue`. The buffers stand until the next call. */
  take(tile: LogitsTile, queue: CallQueue): void;
  /** Called after the last variant of a tile. */
  endTile(): Promise<void>;
}

/** Looks at what goes into linear layers. */
export interface InputTap {
  /** @param input of the original, float32 [rows, width] */
  take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void>;
}

export interface ModelRunSetup {
  readonly device: Device;
  readonly graph: DecoderGraph;
  readonly parameters: Parameters;
  readonly variants: readonly Variant[];
  readonly batch: WindowBatch;
  readonly sink: LogitsSink;
  readonly tap?: InputTap;
}
