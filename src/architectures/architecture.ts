/** What one token keeps in the KV cache of every layer: a key and a value of `headDim` elements for each KV head. */
export interface KvGeometry {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What config.json says of a decoder, as far as the lab uses it. */
export interface Architecture {
  readonly modelType: string;
  readonly kv: KvGeometry;
  /** Longest sequence the model was made for; null where the config does not say. */
  readonly maxPositions: number | null;
}

/**
 * Reads unsigned integers and flags of a config, under today's or an older name.
 * `integer` throws `config/missing-key` or `config/bad-value`; the optional forms give null where the key is absent or null.
 */
export interface ConfigReader {
  integer(...names: readonly string[]): number;
  optionalInteger(...names: readonly string[]): number | null;
  flag(name: string): boolean;
}

/** A family of architectures: one table row. */
export interface ArchitectureFamily {
  /** Values of `model_type` that it covers. */
  readonly modelTypes: readonly string[];
  read(modelType: string, config: ConfigReader): Architecture;
}
