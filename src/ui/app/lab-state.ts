import type { LabErrorData } from "../../base/errors.ts";
import type { PlanSettings } from "../../engine/api.ts";
import type { CompareResult, ModelSummary, Progress, SchemeResult } from "../../engine/result.ts";
import type { DeviceSummary, ModelChoice } from "../../engine/worker-api.ts";
import { DEFAULT_GPU } from "../../planner/gpus.ts";
import { DEFAULT_SCHEMES } from "../../schemes/presets.ts";
import { DEFAULT_IGNORE } from "../../schemes/targets.ts";
import type { ExportedArchive } from "../panels/export-model.ts";
import type { Situation } from "../panels/headline-model.ts";
import type { HistogramView } from "../panels/matrix-sheet-model.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import type { RunState } from "../panels/run-bar-model.ts";
import { shortName } from "../parts/safe-name.ts";

/** A job that runs now. */
export interface Job {
  readonly kind: "opening" | "comparing" | "exporting";
  /** The model or scheme it works on. Untrusted. */
  readonly name: string;
  readonly progress: Progress | null;
}

/** Everything the page shows. What was asked stands apart from what is shown. */
export interface LabState {
  readonly device: DeviceSummary | null;
  /** The checkpoint that is open, and its headers. */
  readonly choice: ModelChoice | null;
  readonly model: ModelSummary | null;
  readonly asked: AskedRules;
  readonly plan: PlanSettings;
  /** The comparison on screen, finished or not, with the plan of this page applied. */
  readonly shown: CompareResult | null;
  readonly job: Job | null;
  readonly end: "none" | "done" | "cancelled" | "failed";
  readonly failure: { readonly error: LabErrorData; readonly during: Job["kind"] } | null;
  /** The one selection that every picture follows. */
  readonly scheme: string;
  readonly module: string | null;
  readonly histogram: HistogramView;
  readonly exported: ExportedArchive | null;
}

/** The model that the page opens with. */
export const FIRST_MODEL: ModelChoice = { kind: "bundled", name: "quantlab-4m" };

/** The page before anything has happened. */
export const INITIAL_STATE: LabState = {
  device: null,
  choice: null,
  model: null,
  asked: { schemes: DEFAULT_SCHEMES, arithmetic: "eager", ignore: DEFAULT_IGNORE },
  plan: { gpu: DEFAULT_GPU, contextTokens: 4096, sequences: 1 },
  shown: null,
  job: null,
  end: "none",
  failure: null,
  scheme: "W4A16",
  module: null,
  histogram: { state: "none" },
  exported: null,
};

/** The row of the chosen scheme, or the first. */
export function chosenScheme(state: LabState): SchemeResult | null {
  const schemes = state.shown?.schemes ?? [];
  return schemes.find((row) => row.scheme === state.scheme) ?? schemes[0] ?? null;
}

/** Whether the settings changed since the shown comparison was asked for. The order of its rows changes nothing. */
export function isStale(state: LabState): boolean {
  const { shown, asked } = state;
  if (shown === null) return false;
  const rows = new Set(shown.schemes.map((row) => row.scheme));
  const sameSchemes = rows.size === asked.schemes.length && asked.schemes.every((scheme) => rows.has(scheme));
  const sameIgnore =
    shown.ignore.length === asked.ignore.length && shown.ignore.every((entry, at) => entry === asked.ignore[at]);
  return shown.arithmetic !== asked.arithmetic || !sameIgnore || !sameSchemes;
}

/** What the headline speaks about. */
export function situation(state: LabState): Situation {
  const { job, failure } = state;
  if (job?.kind === "opening") return { kind: "reading", model: job.name };
  if (job?.kind === "comparing") return { kind: "comparing", model: job.name };
  if (failure !== null) return { kind: "failed", error: failure.error, during: failure.during };
  if (isStale(state)) return { kind: "stale", asked: state.asked };
  if (state.shown === null ? state.end === "cancelled" : state.shown.outcome === "cancelled")
    return { kind: "cancelled" };
  return { kind: "finished" };
}

/** What the run bar speaks about. */
export function runState(state: LabState): RunState {
  const { job } = state;
  if (job === null) return { kind: "idle", end: state.end };
  const what = { opening: "Reading headers", comparing: "Comparing", exporting: `Exporting ${shortName(job.name)}` }[
    job.kind
  ];
  return { kind: "running", what, progress: job.progress };
}

/** Why exporting has to wait, or null. */
export function exportBlocked(state: LabState): string | null {
  const chosen = chosenScheme(state);
  if (state.job?.kind === "exporting") return "The export runs.";
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
