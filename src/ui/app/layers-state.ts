import type { ActivationReport, ActivationStrip, DepthResult } from "../../engine/diagnosis-api.ts";
import type { SweepKind, SweepResult } from "../../engine/sweep-words.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import type { SweepAsk } from "../panels/panel-events.ts";
import type { Fetched } from "../parts/fetched.ts";
import { type AskedOnce, NOT_ASKED } from "./asked-once.ts";

/** What the surface of layers shows of the model as it runs. */
export interface LayersState {
  /** Error along depth, by recipe. */
  readonly depths: ReadonlyMap<string, AskedOnce<DepthResult>>;
  readonly activations: AskedOnce<ActivationReport>;
  /** The text that activations are looked at on; null: they come from a file. */
  readonly text: PreparedText | null;
  /** Token by token, by module. */
  readonly strips: ReadonlyMap<string, Fetched<ActivationStrip>>;
  readonly sweepAsk: SweepAsk;
  /** What sweeps came to, by `sweepKey`. */
  readonly sweeps: ReadonlyMap<string, AskedOnce<SweepResult>>;
}

/** Under which key a sweep of a recipe is kept. */
export function sweepKey(kind: SweepKind, scheme: string): string {
  return `${kind}\n${scheme}`;
}

export const NO_LAYERS: LayersState = {
  depths: new Map(),
  activations: NOT_ASKED,
  text: null,
  strips: new Map(),
  sweepAsk: { windows: 4, isFine: false, isWhole: false, share: 0.01 },
  sweeps: new Map(),
};
