import { quote } from "../../base/errors.ts";
import { type Checkpoint, sourceOf } from "../../formats/huggingface/checkpoint.ts";
import type { Workspace } from "../../formats/workspaces/workspace.ts";
import { describeMethod } from "../../schemes/method.ts";
import { describePruning, prunesByCalibration, removesParts } from "../../schemes/pruning.ts";
import { type Recipe, weighsRanges } from "../../schemes/recipe.ts";
import type { Arithmetic } from "../../schemes/scheme.ts";
import { Bench } from "../bench.ts";
import { type CheckpointPlan, planCheckpoint, refusalOf, withShrunk } from "../checkpoint-plan.ts";
import { codesOf } from "../codes.ts";
import { decoderOf } from "../decoder-of.ts";
import type { DeviceSet } from "../device-set.ts";
import { stopIfAborted } from "../job.ts";
import type { WorkHooks } from "../pace.ts";
import { passBytesOf } from "../passes.ts";
import { type KeptParts, shrink } from "../shrink.ts";
import type { PreparedText } from "../text-api.ts";
import { AwqStage } from "./awq-stage.ts";
import { ClipStage } from "./clip.ts";
import { CompensationStage } from "./compensation-stage.ts";
import { ImportanceStage } from "./importance.ts";
import { LayerWalk } from "./layer-walk.ts";
import { pruneByMagnitude } from "./magnitude.ts";
import { IMPORTANCE_STAGE, type MatrixReport, type StageReport } from "./method-report.ts";
import { PatchedCheckpoint } from "./patched-checkpoint.ts";
import { SmoothQuantStage } from "./smoothquant-stage.ts";
import type { Stage, StageSetup } from "./stage.ts";
import { StructuredStage } from "./structured-stage.ts";
import { WandaStage } from "./wanda-stage.ts";

/** Dampening of SparseGPT: LLM Compressor's default, which no recipe of the lab changes. */
const SPARSEGPT_DAMPENING = 0.01;

/** What a method run works on. */
export interface MethodJob {
  readonly checkpoint: Checkpoint;
  readonly recipe: Recipe;
  readonly ignore: readonly string[];
  readonly arithmetic: Arithmetic;
  readonly calibration: PreparedText;
}

/** A plan whose weights have been through a method, and where they lie. */
export interface MethodOutcome {
  readonly plan: CheckpointPlan;
  readonly workspace: Workspace;
}

/** A pass over the layers that is still to come. */
interface PlannedStage {
  readonly name: string;
  readonly make: (setup: StageSetup) => Stage;
  /** Whether the model computes the same after it, so that errors of its matrices are measured against what they are then. */
  readonly isEquivalent: boolean;
}

/**
 * Runs the method of a recipe over a calibration text: pruning first, then each transform, then the rounding, or a look at the
 * inputs that weigh ranges, each a pass over the layers of its own. SparseGPT and GPTQ are one pass, as SparseGPT's authors have them: each weight that stays is rounded when
 * its column's turn comes. What comes out is a plan of a checkpoint with other weights, of which only the rounding is left to do.
 * @throws LabError `config/…` for a model that the lab cannot run, `run/cancelled`, `run/no-room`, `device/…`, `source/…`
 * Source of the order: LLM Compressor 0.14 `pipelines/independent/pipeline.py`: each modifier calibrates on what those before it
 *   left.
 */
export async function runMethod(
  job: MethodJob,
  devices: DeviceSet,
  workspaceOf: () => Workspace,
  now: () => number,
  hooks: WorkHooks,
): Promise<MethodOutcome> {
  const { checkpoint, recipe, ignore, arithmetic } = job;
  const graph = decoderOf(checkpoint);
  const first = planCheckpoint(checkpoint, recipe, ignore);
  const refusal = refusalOf(first);
  if (refusal) throw refusal;
  const [lane] = await devices.lanes([first], (plan) => codesOf(plan, arithmetic), "multiplying");
  if (!lane) throw new Error("a recipe without a lane");
  const cpu = await devices.cpu();
  const bench = new Bench(devices, lane, hooks.signal, "multiplying");
  const stages = stagesOf(recipe);
  const { windows } = job.calibration;
  const totalBytes = 2 * windows.length * passBytesOf(graph, checkpoint, windows);
  try {
    return await bench.attempt(`running ${quote(recipe.name)}`, async () => {
      const workspace = workspaceOf();
      try {
        const reports: StageReport[] = [];
        let current = checkpoint;
        let unrounded = checkpoint;
        let reference = checkpoint;
        let kept: KeptParts | null = null;
        const importance = new Map<string, Float32Array<ArrayBuffer>>();
        if (recipe.pruning && !prunesByCalibration(recipe.pruning)) {
          current = await pruneByMagnitude(bench, first, workspace);
        }
        for (const [index, { name, make, isEquivalent }] of stages.entries()) {
          const started = now();
          unrounded = current;
          const patched = new PatchedCheckpoint(current, workspace);
          const progress = (item: string, share: number) => {
            stopIfAborted(hooks.signal);
            hooks.onProgress?.({
              phase: `running ${name}`,
              doneBytes: Math.round(totalBytes * share),
              totalBytes,
              item,
              doneItems: index,
              totalItems: stages.length,
            });
          };
          progress("the embedding", 0);
          const walk = await LayerWalk.begin({
            bench,
            graph,
            before: current,
            after: patched.checkpoint,
            workspace,
            windows,
            progress,
          });
          const plan = planCheckpoint(current, recipe, ignore);
          const stage = make({ walk, cpu, plan, patched, importance, arithmetic });
          for (const layer of graph.layers.keys()) {
            await stage.apply(layer);
            if (layer + 1 < graph.layers.length) await walk.advance(layer);
          }
          const elapsedMs = now() - started;
          reports.push({ stage: name, ...summaryOf(stage.matrices), smoothings: [...stage.smoothings], elapsedMs });
          // Who has changed nothing leaves no other files behind, which would be read beside the same ones.
          if (patched.isChanged) current = patched.checkpoint;
          if (isEquivalent) reference = current;
          if (stage instanceof StructuredStage) kept = stage.kept;
        }
        return { plan: finishedPlan(job, { current, unrounded, reference, importance, kept }, reports), workspace };
      } catch (thrown) {
        await workspace.close();
        throw thrown;
      }
    });
  } finally {
    await bench.close();
  }
}

/** Reports of matrices, and what they come to. */
function summaryOf(matrices: readonly MatrixReport[]): Pick<StageReport, "matrices" | "outputRatio" | "worse"> {
  const ratios = matrices.flatMap(({ outputError }) =>
    outputError?.plain && outputError.method ? [outputError.method / outputError.plain] : [],
  );
  const logs = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0);
  const isWorse = ({ outputError }: MatrixReport) =>
    outputError !== null && (outputError.method ?? 0) > (outputError.plain ?? Number.POSITIVE_INFINITY);
  return {
    matrices: [...matrices],
    outputRatio: ratios.length > 0 ? { value: Math.exp(logs / ratios.length), matrices: ratios.length } : null,
    worse: matrices.filter(isWorse).map(({ module }) => module),
  };
}

function stagesOf(recipe: Recipe): readonly PlannedStage[] {
  const { pruning, method } = recipe;
  const stages: PlannedStage[] = [];
  const changing = (name: string, make: PlannedStage["make"]) => stages.push({ name, make, isEquivalent: false });
  const isGptq = method.rounding.kind === "gptq";
  const counted = pruning && (pruning.structure === "n-of-m" || pruning.structure === "unstructured") ? pruning : null;
  const joint = isGptq && counted?.criterion === "sparsegpt" ? counted : null;
  if (counted && !joint) {
    const pruning = counted;
    if (pruning.criterion === "wanda") {
      changing("Wanda", (setup) => new WandaStage(setup, pruning));
    } else if (pruning.criterion === "sparsegpt") {
      const settings = {
        rule: { rounds: false, pruning },
        actorder: "none",
        dampening: SPARSEGPT_DAMPENING,
      } as const;
      changing("SparseGPT", (setup) => new CompensationStage(setup, settings));
    }
  }
  if (pruning && removesParts(pruning)) changing("Structured pruning", (setup) => new StructuredStage(setup, pruning));
  for (const transform of method.transforms) {
    if (transform.kind === "smoothquant") {
      stages.push({
        name: "SmoothQuant",
        make: (setup) => new SmoothQuantStage(setup, transform),
        isEquivalent: true,
      });
    } else {
      stages.push({ name: "AWQ", make: (setup) => new AwqStage(setup, transform), isEquivalent: true });
      if (transform.clip) changing("AWQ clipping", (setup) => new ClipStage(setup));
    }
  }
  if (method.rounding.kind === "gptq") {
    const { dampening } = method.rounding;
    // Neighbours of a pattern are processed one after the other.
    const actorder = joint?.structure === "n-of-m" ? "none" : method.rounding.actorder;
    const settings = { rule: { rounds: true, pruning: joint }, actorder, dampening };
    const name = joint ? "SparseGPT with GPTQ" : "GPTQ";
    changing(name, (setup) => new CompensationStage(setup, settings));
  } else if (weighsRanges(recipe)) {
    changing(IMPORTANCE_STAGE, (setup) => new ImportanceStage(setup));
  }
  return stages;
}

/** What the stages of a run leave behind. */
interface FinishedRun {
  readonly current: Checkpoint;
  /** What the last stage began with. */
  readonly unrounded: Checkpoint;
  /** What errors are measured against. */
  readonly reference: Checkpoint;
  /** By the name of the tensor. */
  readonly importance: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** The parts that stay where some are removed; null: no part is. */
  readonly kept: KeptParts | null;
}

/** The plan that is left to do: plain rounding, by the scales that GPTQ rounded with. */
function finishedPlan(
  { recipe, ignore, calibration }: MethodJob,
  { current, unrounded, reference, importance, kept }: FinishedRun,
  stages: readonly StageReport[],
): CheckpointPlan {
  const planned = planCheckpoint(current, recipe, ignore);
  const { method, pruning } = recipe;
  const shrunk = kept && pruning && removesParts(pruning) ? shrink(current, pruning, kept) : null;
  const plan = shrunk ? withShrunk(planned, shrunk) : planned;
  const isRounded = method.rounding.kind === "gptq";
  const matrices = plan.matrices.map((matrix) => ({
    ...matrix,
    scaleSource: isRounded ? sourceOf(unrounded, matrix.tensor) : null,
    original: sourceOf(reference, matrix.tensor),
    importance: importance.get(matrix.tensor.name) ?? null,
  }));
  const words = [
    ...(pruning ? [describePruning(pruning)] : []),
    ...(shrunk ? [shrunk.words] : []),
    ...(method.name === "rtn" ? [] : [describeMethod(method)]),
    ...(weighsRanges(recipe) ? ["ranges weighed by what goes into the layers"] : []),
  ];
  return {
    ...plan,
    matrices,
    pruning: null,
    method: {
      method: words.join("; "),
      calibration: {
        name: calibration.source,
        hash: calibration.hash,
        windows: calibration.windows.length,
        tokens: calibration.windows.reduce((sum, { length }) => sum + length, 0),
      },
      stages,
    },
  };
}
