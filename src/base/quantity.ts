/** Where a number comes from: measured here, computed by a formula, looked up in a table, or assumed by its user. */
export type NumberKind = "measured" | "computed" | "looked-up" | "assumed";

/** The units the lab prints. Bytes are bytes: GB and GiB are ways of showing them. */
export type Unit =
  | "bytes"
  | "bits per weight"
  | "ratio"
  | "dB"
  | "bits"
  | "weights"
  | "weight units"
  | "bytes/s"
  | "elements/s"
  | "tokens"
  | "sequences"
  | "ms";

/** One number with what is needed to believe it. Plain data. */
export interface Quantity {
  readonly value: number;
  readonly unit: Unit;
  readonly kind: NumberKind;
  /** For `measured`: how many observations stand behind the value. Weights for an error, timed rounds for a speed. */
  readonly samples?: number;
  /** For `measured` with more than one round: the smallest and largest observation. */
  readonly spread?: { readonly min: number; readonly max: number };
  /** For `computed`: the formula in words. For `looked-up`: the source and its date. For `assumed`: whose assumption. */
  readonly from?: string;
}

/** A computed number. `from` says the formula in words. */
export function computed(value: number, unit: Unit, from: string): Quantity {
  return { value, unit, kind: "computed", from };
}

/** A measured number. `samples` is how many observations it stands on. */
export function measured(value: number, unit: Unit, samples: number, spread?: { min: number; max: number }): Quantity {
  return spread === undefined
    ? { value, unit, kind: "measured", samples }
    : { value, unit, kind: "measured", samples, spread };
}

/** A number from a table. `from` names the source and its date. */
export function lookedUp(value: number, unit: Unit, from: string): Quantity {
  return { value, unit, kind: "looked-up", from };
}

/** A number that the user may change. */
export function assumed(value: number, unit: Unit, from: string): Quantity {
  return { value, unit, kind: "assumed", from };
}
