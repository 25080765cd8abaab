import type { LabErrorData } from "../../base/errors.ts";
import type { DeviceChoice, KeptResults, PlanSettings } from "../../engine/api.ts";
import type { ErrorWindow } from "../../engine/error-window.ts";
import type { Ledger } from "../../engine/ledger.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult, LayerResult, ModelSummary, Progress, SchemeResult } from "../../engine/result.ts";
import { type Roundings, WHOLE_PRESET } from "../../engine/roundings.ts";
import { EVALUATION_TEXTS } from "../../engine/text-api.ts";
import type { DeviceSummary, ModelChoice } from "../../engine/worker-api.ts";
import { DEFAULT_GPU } from "../../planner/gpus.ts";
import { DEFAULT_SCHEMES } from "../../schemes/presets.ts";
import { DEFAULT_IGNORE } from "../../schemes/targets.ts";
import type { ErrorView } from "../charts/error-map.ts";
import type { ExportedArchive } from "../panels/export-model.ts";
import type { Situation } from "../panels/headline-model.ts";
import type { SheetView } from "../panels/matrix-sheet-model.ts";
import type { AskedRules, FrontierBy, Surface, TensorRole, WeightRules } from "../panels/panel-events.ts";
import type { RunState } from "../panels/run-bar-model.ts";
import type { MeasureStep, TextFacts } from "../panels/text-picker-model.ts";
import { type AskedText, isSameText } from "../parts/asked-text.ts";
import { shortName } from "../parts/safe-name.ts";
import { type LayersState, NO_LAYERS } from "./layers-state.ts";
import { asksForCalibration, isCalibrated } from "./run-rules.ts";
import { NO_WORDS, type WordsState } from "./words-state.ts";

/** What stands in the way of everything when it fails: the headline says so. */
export type MainJob = "opening" | "comparing" | "measuring" | "exporting";

/** What only the panel that asked for it waits for, and tells when it fails. */
export type SideJob =
  | "looking"
  | "healing"
  | "generating"
  | "answering"
  | "following"
  | "collecting"
  | "stripping"
  | "sweeping";

/** A job that runs now. */
export interface Job {
  readonly kind: MainJob | SideJob;
  /** The model or scheme it works on. Untrusted. */
  readonly name: string;
  readonly progress: Progress | null;
}

/** What a measurement was asked for. */
export interface MeasureAsk {
  readonly rules: AskedRules;
  readonly text: AskedText;
  readonly against: ModelChoice | null;
}

/** A measurement on screen, finished or not. */
export interface Measurement {
  readonly result: MeasureResult;
  readonly ask: MeasureAsk;
}

/** Everything the page shows. What was asked stands apart from what is shown. */
export interface LabState {
  readonly surface: Surface;
  readonly device: DeviceSummary | null;
  /** Where kernels were asked to run. */
  readonly deviceChoice: DeviceChoice;
  /** The checkpoint that is open, and its headers. */
  readonly choice: ModelChoice | null;
  readonly model: ModelSummary | null;
  readonly ledger: Ledger | null;
  readonly asked: AskedRules;
  readonly plan: PlanSettings;
  /** The comparison on screen, finished or not, with the plan of this page applied. */
  readonly shown: CompareResult | null;
  /** What its methods were calibrated on; null: the text that the lab brings along. */
  readonly calibratedOn: File | null;
  /** What to measure on, and which checkpoint beside the recipes. */
  readonly text: AskedText;
  readonly against: ModelChoice | null;
  /** What was made of the text that was prepared last. */
  readonly prepared: TextFacts | null;
  readonly measured: Measurement | null;
  readonly frontierBy: FrontierBy;
  /** What was measured, token by token, and what is asked about it. */
  readonly words: WordsState;
  /** What was asked about the layers of the model as it runs. */
  readonly layers: LayersState;
  /** What the lab keeps on this machine; null until that is known. */
  readonly kept: KeptResults | null;
  readonly job: Job | null;
  readonly end: "none" | "done" | "cancelled" | "failed";
  /** What ended so. */
  readonly lastJob: Job["kind"] | null;
  readonly failure: { readonly error: LabErrorData; readonly during: MainJob } | null;
  /** The one selection that every picture follows: a recipe, a module, a role of tensors. */
  readonly scheme: string;
  readonly module: string | null;
  readonly role: TensorRole | null;
  /** The recipe to change with, at one press of `x`; null where there is no other. */
  readonly other: string | null;
  /** The chosen recipe is the left one of the two. */
  readonly isLeft: boolean;
  /** Both are looked at side by side. */
  readonly isSplit: boolean;
  /** Close looks at matrices, by `lookKey`. */
  readonly sheets: ReadonlyMap<string, SheetView>;
  readonly errorParts: ReadonlyMap<string, ErrorWindow>;
  readonly errorView: ErrorView;
  readonly exported: ExportedArchive | null;
}

/** The model that the page opens with. */
export const FIRST_MODEL: ModelChoice = { kind: "bundled", name: "quantlab-4m" };

/** A matrix is first seen weight by weight, from its first row and column on. */
export const FIRST_VIEW: ErrorView = { row: 0, column: 0, zoom: 4 };

/** Enough windows for an interval that means something, few enough for some seconds. */
const FIRST_WINDOWS = 16;

/** The page before anything has happened. */
export const INITIAL_STATE: LabState = {
  surface: "measure",
  device: null,
  deviceChoice: "auto",
  choice: null,
  model: null,
  ledger: null,
  asked: {
    schemes: DEFAULT_SCHEMES,
    arithmetic: "eager",
    ignore: DEFAULT_IGNORE,
    roundings: WHOLE_PRESET,
    served: false,
    calibration: null,
  },
  plan: { gpu: DEFAULT_GPU, contextTokens: 4096, sequences: 1 },
  shown: null,
  calibratedOn: null,
  text: { source: { kind: "bundled", names: EVALUATION_TEXTS }, windows: FIRST_WINDOWS, context: null },
  against: null,
  prepared: null,
  measured: null,
  frontierBy: "weights",
  words: NO_WORDS,
  layers: NO_LAYERS,
  kept: null,
  job: null,
  end: "none",
  lastJob: null,
  failure: null,
  scheme: "W4A16",
  module: null,
  role: null,
  other: null,
  isLeft: true,
  isSplit: false,
  sheets: new Map(),
  errorParts: new Map(),
  errorView: FIRST_VIEW,
  exported: null,
};

/** The row of the chosen scheme, or the first. */
export function chosenScheme(state: LabState): SchemeResult | null {
  const schemes = state.shown?.schemes ?? [];
  return schemes.find((row) => row.scheme === state.scheme) ?? schemes[0] ?? null;
}

/** The row of the recipe to change with, or null. */
export function otherScheme(state: LabState): SchemeResult | null {
  const chosen = chosenScheme(state);
  const schemes = (state.shown?.schemes ?? []).filter((row) => row !== chosen);
  return schemes.find((row) => row.scheme === state.other) ?? schemes[0] ?? null;
}

/** What a scheme does to the chosen matrix, or null. */
export function chosenLayer(state: LabState, scheme: SchemeResult | null): LayerResult | null {
  return scheme?.layers.find((candidate) => candidate.module === state.module) ?? null;
}

/** Under which key a close look at a matrix is kept. */
export function lookKey(scheme: string, module: string): string {
  return `${scheme}\n${module}`;
}

/** The close look at the chosen matrix under a scheme. */
export function sheetOf(state: LabState, scheme: SchemeResult | null): SheetView {
  if (scheme === null || state.module === null) return { state: "none" };
  return state.sheets.get(lookKey(scheme.scheme, state.module)) ?? { state: "none" };
}

/** The weights of the chosen matrix that were read for its error map under a scheme. */
export function errorPartOf(state: LabState, scheme: SchemeResult | null): ErrorWindow | null {
  if (scheme === null || state.module === null) return null;
  return state.errorParts.get(lookKey(scheme.scheme, state.module)) ?? null;
}

/** The matrix of the same kind in the layer before or after, over gaps; the next in the list outside of the layers. */
export function neighbour(state: LabState, step: -1 | 1): string | null {
  const layers = chosenScheme(state)?.layers ?? [];
  const here = layers.find((layer) => layer.module === state.module);
  if (here === undefined) return null;
  const inLayers = here.layer !== null;
  const kin = layers
    .filter((layer) => (inLayers ? layer.moduleKind === here.moduleKind && layer.layer !== null : layer.layer === null))
    .sort((a, b) => (a.layer ?? 0) - (b.layer ?? 0));
  return kin[kin.indexOf(here) + step]?.module ?? null;
}

/** Whether the settings changed since the shown comparison was asked for. The order of its rows changes nothing. */
export function isStale(state: LabState): boolean {
  const { shown, asked, calibratedOn } = state;
  if (shown === null) return false;
  if (asked.calibration !== calibratedOn && asked.schemes.some(isCalibrated)) return true;
  return !isSameRules({ ...shown, schemes: shown.schemes.map((row) => row.scheme) }, asked);
}

/** Whether two comparisons of weights are of the same. The order of their rows changes nothing. */
export function isSameRules(one: WeightRules, other: WeightRules): boolean {
  const rows = new Set(one.schemes);
  const sameSchemes = rows.size === other.schemes.length && other.schemes.every((scheme) => rows.has(scheme));
  const sameIgnore =
    one.ignore.length === other.ignore.length && one.ignore.every((entry, at) => entry === other.ignore[at]);
  return one.arithmetic === other.arithmetic && sameIgnore && sameSchemes;
}

/** Whether two runs over text are of the same. */
export function isSameRun(one: AskedRules, other: AskedRules): boolean {
  const isSameText = one.calibration === other.calibration || !asksForCalibration(other);
  return isSameText && isSameRules(one, other) && isSameRounding(one, other);
}

/** Whether two runs over text round alike. */
function isSameRounding(
  one: Pick<AskedRules, "roundings" | "served">,
  other: Pick<AskedRules, "roundings" | "served">,
): boolean {
  const parts = ["weights", "activations", "kvCache"] as const satisfies readonly (keyof Roundings)[];
  return one.served === other.served && parts.every((part) => one.roundings[part] === other.roundings[part]);
}

/** Whether something else would be measured now than was. More windows of the same text would only add to it. */
export function isMeasurementOld({ measured, asked, text, against }: LabState): boolean {
  if (measured === null) return false;
  const { ask } = measured;
  const isSame = isSameRun(ask.rules, asked);
  return !isSame || !isSameText(ask.text, text) || ask.against !== against;
}

/** The measurement on screen where it is of what the table shows: the same rules, whatever the recipes. */
export function measuredAlike({ measured, shown }: LabState): MeasureResult | null {
  if (measured === null || shown === null) return null;
  const { arithmetic, ignore } = measured.result;
  return isSameRules({ ...shown, schemes: [] }, { arithmetic, ignore, schemes: [] }) ? measured.result : null;
}

/** Whether it is of another text than is chosen now. */
export function isTextOld({ measured, text }: LabState): boolean {
  return measured !== null && !isSameText(measured.ask.text, text);
}

/** What pressing Measure would do; null where nothing can be measured now. */
export function measureStep(state: LabState): MeasureStep | null {
  const { measured, job, choice } = state;
  if (job !== null || choice === null) return null;
  if (measured === null) return "first";
  if (isMeasurementOld(state)) return "again";
  if (!measured.result.finished) return "go-on";
  return state.text.windows > measured.ask.text.windows ? "add" : "again";
}

/** What the headline speaks about. */
export function situation(state: LabState): Situation {
  const { job, failure } = state;
  if (job?.kind === "opening") return { kind: "reading", model: job.name };
  if (job?.kind === "comparing") return { kind: "comparing", model: job.name, method: methodAtWork(job) };
  if (job?.kind === "measuring") return { kind: "measuring", model: job.name, isPreparing: job.progress === null };
  if (failure !== null) return { kind: "failed", error: failure.error, during: failure.during };
  if (isStale(state)) return { kind: "stale", asked: state.asked, texts: changedCalibration(state) };
  if (state.shown === null ? state.end === "cancelled" : state.shown.outcome === "cancelled")
    return { kind: "cancelled" };
  const { measured } = state;
  if (measured !== null && isMeasurementOld(state)) {
    return {
      kind: "old-text",
      was: measured.ask,
      now: { rules: state.asked, text: state.text, against: state.against },
    };
  }
  if (measured !== null && !measured.result.finished) {
    return { kind: "halted", isByUser: state.lastJob === "measuring" && state.end === "cancelled" };
  }
  return { kind: "finished" };
}

/** What the shown methods were calibrated on and would be now; null where that is the same or nothing shown is calibrated. */
function changedCalibration({ shown, calibratedOn, asked }: LabState) {
  const isShown = shown?.schemes.some(({ scheme }) => isCalibrated(scheme)) ?? false;
  return isShown && calibratedOn !== asked.calibration ? { was: calibratedOn, now: asked.calibration } : null;
}

/** The method that a job runs before it can compare anything; null where none is at work. */
function methodAtWork({ progress }: Job): string | null {
  // The others run the models, the calibration text.
  const [, method = null] = /^running (?!the )(.*)$/.exec(progress?.phase ?? "") ?? [];
  return method;
}

/** What the run bar speaks about. */
export function runState(state: LabState): RunState {
  const { job } = state;
  if (job === null) {
    const { lastJob } = state;
    const measured = lastJob === "measuring" ? (state.measured?.result ?? null) : null;
    return { kind: "idle", end: state.end, measured, did: isSideJob(lastJob) ? DID[lastJob] : null };
  }
  const what = {
    opening: "Reading headers",
    comparing: "Comparing",
    measuring: "Preparing text",
    exporting: `Exporting ${shortName(job.name)}`,
    looking: "Looking at a token",
    healing: `Putting parts of the original back into ${shortName(job.name)}`,
    generating: "Generating",
    answering: "Answering items",
    following: `Following the error of ${shortName(job.name)}`,
    collecting: "Collecting activations",
    stripping: "Looking at activations",
    sweeping: `Sweeping ${shortName(job.name)}`,
  }[job.kind];
  const isByItem = isSideJob(job.kind) || methodAtWork(job) !== null;
  const counts = isByItem ? "items" : job.kind === "measuring" ? "windows" : "bytes";
  return { kind: "running", what, progress: job.progress, counts };
}

const DID: Readonly<Record<SideJob, string>> = {
  looking: "one token looked at",
  healing: "what heals",
  generating: "greedy generation",
  answering: "multiple choice",
  following: "error along depth",
  collecting: "activations",
  stripping: "activations of one layer",
  sweeping: "a sweep",
};

function isSideJob(kind: Job["kind"] | null): kind is SideJob {
  return kind !== null && kind in DID;
}

/** Why exporting has to wait, or null. */
export function exportBlocked(state: LabState): string | null {
  const chosen = chosenScheme(state);
  if (state.job?.kind === "exporting") return "The export runs.";
  if (state.job?.kind === "measuring") return "Waits until the measurement is done.";
  if (isSideJob(state.job?.kind ?? null)) return "Waits until what runs is done.";
  if (state.job !== null) return "Waits until the comparison is done.";
  if (chosen === null || state.shown === null) return "Open a model first.";
  if (chosen.error !== undefined) return `${shortName(chosen.scheme)} cannot take every matrix.`;
  if (isStale(state)) return "The settings changed: compare again first.";
  if (chosen.modules === 0) return "There is nothing to prune or quantize.";
  return null;
}

/** The module with the smallest signal over error; the one shown first. */
export function worstModule(scheme: SchemeResult | null): string | null {
  let worst: { readonly module: string; readonly sqnrDb: number } | null = null;
  for (const { module, sqnrDb } of scheme?.layers ?? []) {
    if (sqnrDb !== null && (worst === null || sqnrDb < worst.sqnrDb)) worst = { module, sqnrDb };
  }
  return worst?.module ?? scheme?.layers[0]?.module ?? null;
}
