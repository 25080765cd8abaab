import type { PreparedText } from "./text-api.ts";

/** Which of its roundings a variant has. What is off stays as the original computes it. */
export interface Roundings {
  /** Weights become what the recipe makes of them. */
  readonly weights: boolean;
  /** What goes into quantized layers is rounded where the recipe's schemes say so. */
  readonly activations: boolean;
  /** How keys and values are rounded before attention reads them, as `parseKvCache` reads it; null: not at all. */
  readonly kvCache: string | null;
}

/** The whole preset: weights and activations, keys and values as they are. */
export const WHOLE_PRESET: Roundings = { weights: true, activations: true, kvCache: null };

/** What every run of quantized models is asked with. */
export interface RunRules {
  readonly arithmetic: "eager" | "triton";
  /** Modules left alone: exact names, or `re:` and a pattern matched at the start of the name. */
  readonly ignore: readonly string[];
  readonly roundings: Roundings;
  /** The text that methods are calibrated on and static ranges taken from; null where nothing asks for it. Run in the checkpoint's own dtype. */
  readonly calibration: PreparedText | null;
}
