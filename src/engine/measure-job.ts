import type { DecoderGraph } from "../architectures/graph.ts";
import { LabError } from "../base/errors.ts";
import { computed } from "../base/quantity.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { BlockBootstrap, BOOTSTRAP_FIGURES, windowSums } from "../metrics/block-bootstrap.ts";
import { klStatistics } from "../metrics/kl-statistics.ts";
import { sliceDivergences } from "../metrics/slices.ts";
import { joinScores, scoredRange, type TokenScores } from "../metrics/token-scores.ts";
import { judgeVariants } from "../metrics/verdict.ts";
import { roundsActivations } from "../schemes/recipe.ts";
import type { EngineHost, MeasureRequest } from "./api.ts";
import { type CheckpointPlan, refusalOf } from "./checkpoint-plan.ts";
import { decoderOf, requireSameTensors } from "./decoder-of.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import { type Candidate, type DivergenceFound, type MeasureJob, measureDivergence } from "./measure-divergence.ts";
import type { Divergence, MeasuredText, MeasureResult, MeasureRow } from "./measure-result.ts";
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
  const candidates: readonly Candidate[] = [
    { kind: "rounded" },
    ...plans.map((plan): Candidate => ({ kind: "recipe", plan })),
    ...others.map((other): Candidate => ({ kind: "checkpoint", checkpoint: other })),
  ];
  const text = textOf(request);
  const result = (
    { scores, used, knownWindows }: DivergenceFound,
    outcome: MeasureResult["outcome"],
  ): MeasureResult => {
    const doneWindows = Math.min(...scores.map((own) => own.length));
    const heads = scores.map((own) => own.slice(0, doneWindows));
    const bootstraps = heads.map((own) => new BlockBootstrap(own.map((part) => windowSums(part))));
    const divergences = bootstraps.map((bootstrap, index) =>
      divergenceOf(
        request,
        heads[index] ?? [],
        bootstrap,
        candidates[index]?.kind === "rounded" ? "bfloat16" : "float32",
      ),
    );
    const [floor = null, ...variants] = bootstraps;
    const [floorDivergence = null, ...rowDivergences] = divergences;
    return {
      schemaVersion: SCHEMA_VERSION,
      kind: "measure",
      outcome,
      finished: outcome === "done",
      model: job.summary,
      arithmetic: request.arithmetic,
      ignore: request.ignore,
      text: { ...text, doneWindows, knownWindows },
      rows: [
        ...plans.map((plan, index) => recipeRow(job, plan, rowDivergences[index] ?? null)),
        ...others.map((other, index) => checkpointRow(job, other, rowDivergences[plans.length + index] ?? null)),
      ],
      noiseFloor: { dtype: "bf16", divergence: floorDivergence },
      verdict: doneWindows > 0 ? judgeVariants(variants, floor) : null,
      kernels: used.flatMap((pick) => modelKernels(graph, plans).map((kernel) => kernelReport(pick, kernel))),
      elapsedMs: host.now() - started,
    };
  };
  const found = await measureDivergence(
    { checkpoint, candidates, arithmetic: request.arithmetic, windows },
    devices,
    hooks,
    new ScoreCache(host.store, job, candidates, programsOf(host, graph, plans), hooks.signal),
    (soFar) => hooks.onMeasured?.(result(soFar, "partial")),
  );
  const done = result(found, "done");
  for (const [index, { scheme }] of done.rows.entries()) {
    hooks.onPositions?.(scheme, joinScores(found.scores[index + 1] ?? []).kld as Float64Array<ArrayBuffer>);
  }
  return done;
}

/** Everything that computes a measurement, as bytes: shaders and the WebAssembly module. */
function programsOf(
  { wasm }: Pick<EngineHost, "wasm">,
  graph: DecoderGraph,
  plans: readonly CheckpointPlan[],
): Uint8Array<ArrayBuffer> {
  const shaders = modelKernels(graph, plans).flatMap(({ wgsl, variants = [] }) => [
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
  scores: readonly TokenScores[],
  bootstrap: BlockBootstrap,
  dtype: Divergence["dtype"],
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
    dtype,
    activationQuantization: [],
    ...statistics,
    intervals: intervals as Divergence["intervals"],
    notFinite: joined.notFinite,
    slices: sliceDivergences(scored),
  };
}

function recipeRow({ summary, request }: MeasureJob, plan: CheckpointPlan, divergence: Divergence | null): MeasureRow {
  const refusal = refusalOf(plan);
  return {
    scheme: plan.recipe.name,
    method: "rtn",
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
    arithmetic: request.arithmetic,
    bytes: computed(bytes, "bytes", "sizes of its safetensors files"),
    bitsPerWeight: computed((8 * bytes) / summary.parameters.value, "bits per weight", "bits of its files / weights"),
    roundsActivations: false,
    divergence,
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
