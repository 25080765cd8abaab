import type { DeviceChoice, PlanSettings } from "../../engine/api.ts";
import type { HealUnit } from "../../engine/diagnosis-api.ts";
import type { WindowRequest } from "../../engine/error-window.ts";
import type { ArithmeticName } from "../../engine/result.ts";
import { type Roundings, WHOLE_PRESET } from "../../engine/roundings.ts";
import type { SweepKind } from "../../engine/sweep-words.ts";
import type { TokenAt } from "../../engine/word-statistics.ts";
import type { ModelChoice } from "../../engine/worker-api.ts";
import type { ErrorView } from "../charts/error-map.ts";
import type { AskedText } from "../parts/asked-text.ts";
import type { PickedFile } from "../parts/picked-files.ts";

export type { TensorRole } from "../../engine/ledger.ts";

import type { TensorRole } from "../../engine/ledger.ts";

/** The tabs. */
export type Surface = "model" | "measure" | "layers" | "words";

/** What panels ask for. Panels know neither each other nor the engine; the app listens. */
export interface PanelEvents {
  "lab-open": ModelChoice;
  /** Files as the browser gave them, not yet a choice. */
  "lab-open-files": readonly PickedFile[];
  "lab-compare": undefined;
  "lab-measure": undefined;
  "lab-set-text": AskedText;
  /** Goes back to the texts that the lab brings along. */
  "lab-use-bundled-text": undefined;
  /** Asks for a file of text. */
  "lab-pick-text": undefined;
  /** Files of a checkpoint to measure beside the recipes, or none. */
  "lab-set-against": readonly PickedFile[] | null;
  /** Asks for what the measurement on screen was asked for. */
  "lab-reset-measurement": undefined;
  "lab-show-by": FrontierBy;
  /** Lets go of the results that are kept on this machine. */
  "lab-forget": undefined;
  "lab-cancel": undefined;
  "lab-export": undefined;
  "lab-pick-scheme": string;
  "lab-pick-module": string;
  "lab-set-plan": PlanSettings;
  /** What changes of the rules. */
  "lab-set-rules": Partial<AskedRules>;
  "lab-use-device": DeviceChoice;
  /** A role of tensors, or null for all of them. */
  "lab-pick-role": TensorRole | null;
  /** Both recipes side by side, or the chosen one alone. */
  "lab-split": boolean;
  /** The recipe to change with. */
  "lab-pick-other": string;
  "lab-swap": undefined;
  "lab-view-errors": ErrorView;
  /** Weights that an error map would show. */
  "lab-need-errors": { readonly recipe: string; readonly part: WindowRequest };
  /** A scored token, to be looked at. */
  "lab-pick-token": TokenAt;
  /** Asks again for the predictions of the chosen token. */
  "lab-look": undefined;
  /** A window of the measured text. */
  "lab-show-window": number;
  "lab-set-healing": Healing;
  "lab-heal": undefined;
  "lab-set-generation": GenerationAsk;
  "lab-generate": undefined;
  /** A file of multiple-choice items, or the bundled ones. */
  "lab-set-task-file": File | null;
  "lab-answer": undefined;
  "lab-follow-depth": undefined;
  "lab-set-sweep": SweepAsk;
  /** Runs the chosen recipe with one thing of it varied. */
  "lab-sweep": SweepKind;
  "lab-collect-activations": undefined;
  /** A file of statistics that were collected before. */
  "lab-open-statistics": File;
  "lab-save-statistics": undefined;
  /** Their sums of squares, as llama.cpp reads them. */
  "lab-save-importance": undefined;
  /** A linear layer whose input is shown token by token. */
  "lab-show-strip": string;
  /** A command of the palette, by its id. */
  "lab-command": string;
  "lab-show-palette": undefined;
  "lab-show-keys": undefined;
  "lab-toggle-theme": undefined;
  "lab-dismiss-failure": undefined;
}

/** What a comparison is asked to do, apart from what the shown one did. */
export interface AskedRules {
  /** Recipes in their canonical spelling, each once, in the order of the rows. */
  readonly schemes: readonly string[];
  readonly arithmetic: ArithmeticName;
  readonly ignore: readonly string[];
  /** What a run over text rounds. A comparison of weights knows none of it. */
  readonly roundings: Roundings;
  /** Recipes with activations per token are also run as vLLM serves them. */
  readonly served: boolean;
  /** The text that methods are calibrated on and static ranges are taken from; null: the one that the lab brings along. */
  readonly calibration: File | null;
}

/** What of it a comparison of weights depends on. */
export type WeightRules = Pick<AskedRules, "schemes" | "arithmetic" | "ignore">;

/** Before anything is asked. */
export const NO_RULES: AskedRules = {
  schemes: [],
  arithmetic: "eager",
  ignore: [],
  roundings: WHOLE_PRESET,
  served: false,
  calibration: null,
};

/** What is put back to see what heals: layers or kinds of modules, for the chosen token or for all of the text. */
export interface Healing {
  readonly unit: HealUnit;
  readonly isWhole: boolean;
}

/** How many prompts go on, and by how many tokens at most. */
export interface GenerationAsk {
  readonly prompts: number;
  readonly tokens: number;
}

/** What sweeps are asked with. */
export interface SweepAsk {
  /** Of the measured text. */
  readonly windows: number;
  /** In steps of 0.1 and not of 0.2. */
  readonly isFine: boolean;
  /** All of the calibration text in the end, not sixteen windows at most. */
  readonly isWhole: boolean;
  /** Of the input channels, which are kept. */
  readonly share: number;
}

/** What the frontier draws upwards. */
export type FrontierBy = "weights" | "divergence";

/** Sends a panel's wish to the app. */
export function emit<Name extends keyof PanelEvents>(from: HTMLElement, name: Name, detail: PanelEvents[Name]): void {
  from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
