import type { JsonValue } from "../base/json.ts";
import type { DecoderGraph } from "./graph.ts";

/** What one token keeps in the KV cache of every layer: a key and a value of `headDim` elements for each KV head. */
export interface KvGeometry {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What config.json says of a decoder, as far as the planner uses it. */
export interface Architecture {
  readonly modelType: string;
  readonly kv: KvGeometry;
  /** Longest sequence the model was made for; null where the config does not say. */
  readonly maxPositions: number | null;
}

/**
 * Reads the values of a config, under today's or an older name: the first of `names` that has a value counts. A key that is
 * absent and one that is null are told apart by `has` alone. What is there and of another type, or out of range, is
 * `config/bad-value`.
 */
export interface ConfigReader {
  /** Whether the key is there, null or not. */
  has(name: string): boolean;
  /** A whole number from 1 on. @throws LabError `config/missing-key` */
  integer(...names: readonly string[]): number;
  optionalInteger(...names: readonly string[]): number | null;
  /** A whole number from 0 on. */
  optionalCount(name: string): number | null;
  /** A number above 0. */
  optionalNumber(...names: readonly string[]): number | null;
  /** Null is no; a key that is absent is `absent`, no unless said. */
  flag(name: string, absent?: boolean): boolean;
  optionalText(...names: readonly string[]): string | null;
  optionalList(name: string): readonly JsonValue[] | null;
  /** A reader of a nested object; empty objects count as null, as they do in transformers. */
  optionalObject(name: string): ConfigReader | null;
}

/** A family of architectures, for the planner's KV cache: one table row. */
export interface ArchitectureFamily {
  /** Values of `model_type` that it covers. */
  readonly modelTypes: readonly string[];
  read(modelType: string, config: ConfigReader): Architecture;
}

/** Shape of a stored tensor; null where the checkpoint has none of that name. */
export type ShapeOf = (name: string) => readonly number[] | null;

/** A family of decoders that run: one table row. */
export interface DecoderFamily {
  /** Values of `model_type` that it covers. */
  readonly modelTypes: readonly string[];
  /**
   * @throws LabError `config/missing-key`, `config/bad-value`, `config/unsupported-feature`, `config/tensor-missing`,
   *   `config/tensor-shape`
   */
  read(modelType: string, config: ConfigReader, shapeOf: ShapeOf): DecoderGraph;
}
