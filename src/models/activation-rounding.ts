/** How what goes into a linear layer is rounded: to integers and back, in float32. */
export interface InputRounding {
  /**
   * `simulated`: as compressed-tensors rounds while it runs a model. `served`: as vLLM's int8 kernel does, symmetric int8 of
   * whole rows alone.
   */
  readonly rule: "simulated" | "served";
  readonly bits: 4 | 8;
  readonly symmetric: boolean;
  /** Neighbouring columns that share a scale; null: all of a row. */
  readonly groupSize: number | null;
  /** Whether all rows of a window share one scale, or each has its own. */
  readonly isWholeWindow: boolean;
  /** A scale from calibration; null: each is taken from the values at hand. */
  readonly fixed: FixedScale | null;
}

export interface FixedScale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * How keys and values are rounded before attention reads them. `fixed`: symmetric int8 with scales from calibration, one for
 * all heads or one a head, as compressed-tensors does. `served`: vLLM's int8 of each token and head.
 */
export type CacheRounding =
  | {
      readonly rule: "fixed";
      readonly keyScales: Float32Array<ArrayBuffer>;
      readonly valueScales: Float32Array<ArrayBuffer>;
    }
  | { readonly rule: "served" };

/** What a variant rounds besides its weights. */
export interface ActivationRounding {
  /** Of a linear layer by its module; null: its input stays. The same object stands for the same rounding. */
  input(module: string): InputRounding | null;
  /** Of an attention by its module; null: keys and values stay. */
  cache(module: string): CacheRounding | null;
}
