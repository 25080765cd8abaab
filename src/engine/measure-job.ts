import { LabError } from "../base/errors.ts";
import { computed } from "../base/quantity.ts";
import type { AnyKernel } from "../device/kernel.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { BlockBootstrap, BOOTSTRAP_FIGURES, windowSums } from "../metrics/block-bootstrap.ts";
import { klStatistics } from "../metrics/kl-statistics.ts";
import { sliceDivergences } from "../metrics/slices.ts";
import { joinScores, scoredRange, type TokenScores } from "../metrics/token-scores.ts";
import { judgeVariants } from "../metrics/verdict.ts";
import { plainTwin, roundsActivations } from "../schemes/recipe.ts";
import type { EngineHost, MeasureRequest } from "./api.ts";
import { appliedOf, type Candidate, isServedOtherwise, roundedWords, SERVED_EVIDENCE } from "./candidate.ts";
import { type CheckpointPlan, refusalOf } from "./checkpoint-plan.ts";
import { decoderOf, requireSameTensors } from "./decoder-of.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import { type DivergenceFound, type MeasureJob, measureDivergence, type WindowScores } from "./measure-divergence.ts";
import type {
  Divergence,
  MeasuredText,
  MeasuredTokens,
  MeasureResult,
  MeasureRow,
  MethodGain,
  ServedDivergence,
} from "./measure-result.ts";
import { modelKernels } from "./model-kernels.ts";
import type { WorkHooks } from "./pace.ts";
import { recipeNotices } from "./recipe-notices.ts";
import { SCHEMA_VERSION } from "./result.ts";
import { ScoreCache } from "./score-cache.ts";

/**
 * Runs the original, every recipe and every other checkpoint over a text and says how far each is from the original. What
 * was measured before of this text is not measured again.
 * @throws LabError `text/…` for a text that cannot be scored, `config/…` for a model that the lab cannot run,
 *   `run/cancelled`, `device/…`, `source/…`
 */
export async function measureModels(
  job: MeasureJob,
  devices: DeviceSet,
  host: Pick<EngineHost, "store" | "wasm" | "now">,
  hooks: WorkHooks,
): Promise<MeasureResult> {
  const started = host.now();
  const { checkpoint, plans, others, request } = job;
  const graph = decoderOf(checkpoint);
  for (const other of others) requireSameTensors(graph, checkpoint, other);
  const { windows } = request.text;
  checkWindows(windows, graph.vocabularySize);
  const applied = appliedOf(request.roundings);
  const recipes = plans.map((plan): Candidate => ({ kind: "recipe", plan, applied }));
  const served = recipes.map((candidate): Candidate | null =>
    request.served && candidate.kind === "recipe" && isServedOtherwise(candidate)
      ? { ...candidate, applied: { ...applied, rule: "served" } }
      : null,
  );
  const candidates: readonly Candidate[] = [
    { kind: "rounded" },
    ...recipes,
    ...others.map((other): Candidate => ({ kind: "checkpoint", checkpoint: other })),
    ...served.filter((candidate) => candidate !== null),
  ];
  const text = textOf(request);
  const kernels = modelKernels(graph, candidates);
  const result = (
    { scores, used, knownWindows }: DivergenceFound,
    outcome: MeasureResult["outcome"],
  ): MeasureResult => {
    const doneWindows = doneWindowsOf(scores);
    const found = new Map<Candidate | null, Measured>(
      candidates.map((candidate, index) => {
        const own = scores[index]?.slice(0, doneWindows) ?? [];
        const bootstrap = new BlockBootstrap(own.map((part) => windowSums(part)));
        return [candidate, { bootstrap, divergence: divergenceOf(request, candidate, own, bootstrap) }];
      }),
    );
    const [floor, ...variants] = candidates.slice(0, 1 + plans.length + others.length).map((own) => found.get(own));
    const divergenceAt = (index: number) => variants[index]?.divergence ?? null;
    return {
      schemaVersion: SCHEMA_VERSION,
      kind: "measure",
      outcome,
      finished: outcome === "done",
      model: job.summary,
      arithmetic: request.arithmetic,
      ignore: request.ignore,
      roundings: request.roundings,
      calibration: calibrationOf(request),
      text: { ...text, doneWindows, knownWindows },
      rows: [
        ...plans.map((plan, index) => ({
          ...recipeRow(job, plan, divergenceAt(index)),
          gain: gainOf(plan, plans, variants),
          served: served[index] ? servedOf(found.get(served[index]), variants[index]) : null,
        })),
        ...others.map((other, index) => checkpointRow(job, other, divergenceAt(plans.length + index))),
      ],
      noiseFloor: { dtype: "bf16", divergence: floor?.divergence ?? null },
      verdict:
        doneWindows > 0
          ? judgeVariants(
              variants.flatMap((own) => own?.bootstrap ?? []),
              floor?.bootstrap ?? null,
            )
          : null,
      kernels: used.flatMap((pick) => kernels.map((kernel) => kernelReport(pick, kernel))),
      elapsedMs: host.now() - started,
    };
  };
  const report = (found: DivergenceFound, outcome: MeasureResult["outcome"]): MeasureResult => {
    const measured = result(found, outcome);
    hooks.onTokens?.(tokensOf(measured, found.scores.slice(1), windows));
    return measured;
  };
  const found = await measureDivergence(
    {
      checkpoint,
      candidates,
      arithmetic: request.arithmetic,
      windows,
      ...(request.calibration && { calibration: request.calibration.windows }),
    },
    devices,
    hooks,
    new ScoreCache(
      host.store,
      job,
      candidates,
      // Of each its own: what another candidate takes besides does not make its scores others.
      candidates.map((candidate) => programsOf(host, modelKernels(graph, [candidate]))),
      hooks.signal,
    ),
    (soFar) => hooks.onMeasured?.(report(soFar, "partial")),
  );
  return report(found, "done");
}

/** One model's scores, added up. */
interface Measured {
  readonly bootstrap: BlockBootstrap;
  readonly divergence: Divergence | null;
}

/** Windows that every candidate is through with. */
function doneWindowsOf(scores: readonly WindowScores[]): number {
  return Math.min(...scores.map((own) => own.length));
}

/** Every scored position, row by row. */
function tokensOf(
  { rows, text: { doneWindows } }: MeasureResult,
  scores: readonly WindowScores[],
  windows: readonly (readonly number[])[],
): MeasuredTokens {
  const places = windows.slice(0, doneWindows).flatMap(({ length }, window) => {
    const { start, end } = scoredRange(length);
    return Array.from({ length: end - start }, (_, at) => ({ window, place: start + at }));
  });
  return {
    doneWindows,
    windows: Uint32Array.from(places, ({ window }) => window),
    places: Uint32Array.from(places, ({ place }) => place),
    rows: rows.map(({ scheme }, index) => ({ scheme, scores: joinScores(scores[index]?.slice(0, doneWindows) ?? []) })),
  };
}

function servedOf(served: Measured | undefined, simulated: Measured | undefined): ServedDivergence {
  const difference =
    served?.divergence && simulated?.divergence ? served.bootstrap.difference(simulated.bootstrap, "kld") : null;
  return { divergence: served?.divergence ?? null, difference, evidence: SERVED_EVIDENCE };
}

/** What the method of a plan buys over its plain twin among the others. */
function gainOf(
  { recipe }: CheckpointPlan,
  plans: readonly CheckpointPlan[],
  found: readonly (Measured | undefined)[],
): MethodGain | null {
  const against = plainTwin(recipe.name);
  const own = found[plans.findIndex((plan) => plan.recipe.name === recipe.name)];
  const plain = found[plans.findIndex((plan) => plan.recipe.name === against)];
  if (against === null || !own?.divergence || !plain?.divergence) return null;
  const { value, interval } = plain.bootstrap.difference(own.bootstrap, "kld");
  const mean = plain.divergence.kld.value;
  const isClear = interval !== null && interval.low * interval.high > 0;
  return {
    against,
    difference: value,
    interval,
    recovered: mean > 0 ? value / mean : null,
    verdict: !isClear ? "open" : value > 0 ? "wins" : "loses",
  };
}

function calibrationOf({ calibration }: MeasureRequest): MeasureResult["calibration"] {
  return calibration && { name: calibration.source, hash: calibration.hash, windows: calibration.windows.length };
}

/** Everything that computes a measurement, as bytes: shaders and the WebAssembly module. */
function programsOf({ wasm }: Pick<EngineHost, "wasm">, kernels: readonly AnyKernel[]): Uint8Array<ArrayBuffer> {
  const shaders = kernels.flatMap(({ wgsl, variants = [] }) => [
    wgsl ?? "",
    ...variants.map((variant) => variant.wgsl),
  ]);
  const text = new TextEncoder().encode(shaders.join("\n"));
  const module = wasm?.kernels.single ?? new Uint8Array();
  const programs = new Uint8Array(text.length + module.length);
  programs.set(text);
  programs.set(module, text.length);
  return programs;
}

function divergenceOf(
  { text }: MeasureRequest,
  candidate: Candidate,
  scores: readonly TokenScores[],
  bootstrap: BlockBootstrap,
): Divergence | null {
  const joined = joinScores(scores);
  const statistics = klStatistics(joined);
  if (!statistics) return null;
  const intervals = Object.fromEntries(BOOTSTRAP_FIGURES.map((figure) => [figure, bootstrap.interval(figure)]));
  const names = new Map(text.slices.flatMap(({ name, places }) => places.map((place) => [place, name] as const)));
  const scored = scores.map((own, index) => {
    const slice = names.get(index) ?? "";
    return { slice, tokens: text.windows[index] ?? [], scores: own };
  });
  return {
    dtype: candidate.kind === "rounded" ? "bfloat16" : "float32",
    activationQuantization: roundedWords(candidate),
    ...statistics,
    intervals: intervals as Divergence["intervals"],
    notFinite: joined.notFinite,
    slices: sliceDivergences(scored),
  };
}

function recipeRow(
  { summary, request }: MeasureJob,
  plan: CheckpointPlan,
  divergence: Divergence | null,
): Omit<MeasureRow, "served" | "gain"> {
  const refusal = refusalOf(plan);
  return {
    scheme: plan.recipe.name,
    method: plan.recipe.method.name,
    methodRun: plan.method,
    arithmetic: request.arithmetic,
    bytes: computed(plan.fileBytes, "bytes", "sizes of the safetensors files that export writes"),
    bitsPerWeight: computed(
      (8 * plan.fileBytes) / summary.parameters.value,
      "bits per weight",
      "bits of the files / weights of the model",
    ),
    roundsActivations: roundsActivations(plan.recipe),
    divergence,
    notices: recipeNotices(plan),
    ...(refusal && { error: refusal.toData() }),
  };
}

function checkpointRow({ summary, request }: MeasureJob, other: Checkpoint, divergence: Divergence | null): MeasureRow {
  const bytes = other.shards.reduce((sum, { source }) => sum + source.sizeBytes, 0);
  return {
    scheme: other.name,
    method: "given",
    methodRun: null,
    gain: null,
    arithmetic: request.arithmetic,
    bytes: computed(bytes, "bytes", "sizes of its safetensors files"),
    bitsPerWeight: computed((8 * bytes) / summary.parameters.value, "bits per weight", "bits of its files / weights"),
    roundsActivations: false,
    divergence,
    served: null,
    notices: [],
  };
}

function textOf({ text }: MeasureRequest): MeasuredText {
  const lengths = text.windows.map(({ length }) => length);
  return {
    name: text.source,
    hash: text.hash,
    tokenizer: text.tokenizer,
    findings: text.findings,
    windows: lengths.length,
    doneWindows: 0,
    knownWindows: 0,
    context: Math.max(...lengths),
    positions: lengths.map(scoredRange).reduce((sum, { start, end }) => sum + end - start, 0),
  };
}

/** Refuses a text of which nothing can be scored, and ids that the model does not have. */
function checkWindows(windows: readonly (readonly number[])[], vocabularySize: number): void {
  const doing = "preparing the text to measure on";
  if (!windows.some(({ length }) => scoredRange(length).end > scoredRange(length).start)) {
    throw new LabError({
      code: "text/too-short",
      doing,
      found: windows.length === 0 ? "no window" : `${windows.length} windows of at most two tokens`,
      allowed: "a window of three tokens or more: the second half of each is scored",
      advice: "give a longer text, or a smaller --context",
    });
  }
  for (const [index, window] of windows.entries()) {
    const strange = window.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
    if (strange === undefined) continue;
    throw new LabError({
      code: "text/unknown-token",
      doing,
      found: `the id ${strange} in window ${index}`,
      allowed: `whole numbers from 0 to ${vocabularySize - 1}, the vocabulary of this model`,
      advice: "take tokens of this model's tokenizer",
      fields: { window: index, id: strange },
    });
  }
}
