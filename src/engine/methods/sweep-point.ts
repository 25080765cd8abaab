import { LabError, quote } from "../../base/errors.ts";
import type { AnyKernel } from "../../device/kernel.ts";
import type { Checkpoint } from "../../formats/huggingface/checkpoint.ts";
import type { Workspace } from "../../formats/workspaces/workspace.ts";
import { BlockBootstrap, windowSums } from "../../metrics/block-bootstrap.ts";
import { needsMethodRun, type Recipe } from "../../schemes/recipe.ts";
import type { Candidate } from "../candidate.ts";
import { type CheckpointPlan, planCheckpoint, refusalOf } from "../checkpoint-plan.ts";
import { decoderOf } from "../decoder-of.ts";
import { type DeviceSet, kernelReport } from "../device-set.ts";
import type { DiagnosisRequest } from "../diagnosis-api.ts";
import { stopIfAborted } from "../job.ts";
import { measureDivergence, NOTHING_KNOWN } from "../measure-divergence.ts";
import { modelKernels } from "../model-kernels.ts";
import type { WorkHooks } from "../pace.ts";
import type { KernelReport } from "../result.ts";
import type { SweepGround, SweptDivergence } from "../sweep-api.ts";
import type { PreparedText } from "../text-api.ts";
import { methodKernels } from "./method-kernels.ts";
import { runMethod } from "./method-run.ts";

/** What a sweep works with. */
export interface SweepHost {
  readonly devices: DeviceSet;
  /** New room for the weights of one point. */
  readonly workspaceOf: () => Workspace;
  readonly now: () => number;
}

/** One sweep: recipes over one text, one after the other. */
export class Sweep<Request extends DiagnosisRequest> {
  readonly checkpoint: Checkpoint;
  readonly request: Request;
  readonly calibration: PreparedText;
  readonly host: SweepHost;
  readonly #hooks: WorkHooks;
  readonly #started: number;
  readonly #kernels = new Map<string, KernelReport>();
  #positions = 0;

  /** @throws LabError `run/no-calibration` */
  constructor(doing: string, checkpoint: Checkpoint, request: Request, host: SweepHost, hooks: WorkHooks) {
    const { calibration } = request;
    if (!calibration?.windows.length) throw noCalibration(doing);
    this.checkpoint = checkpoint;
    this.request = request;
    this.calibration = calibration;
    this.host = host;
    this.#hooks = hooks;
    this.#started = host.now();
  }

  /** Hooks of a point, whose progress tells which one of how many it is. */
  hooksAt(point: string, index: number, points: number): WorkHooks {
    const { onProgress, signal } = this.#hooks;
    return {
      ...(signal && { signal }),
      ...(onProgress && {
        onProgress: (step) =>
          onProgress({ ...step, phase: `${point}: ${step.phase}`, doneItems: index, totalItems: points }),
      }),
    };
  }

  /**
   * A recipe made ready, its method run on a calibration text. What that changed is let go of when `use` is through, so that no more
   * than one point's weights lie about.
   * @throws LabError as `runMethod`, `config/…` for a recipe that the checkpoint cannot take
   */
  async withPlan<T>(
    recipe: Recipe,
    calibration: PreparedText,
    hooks: WorkHooks,
    use: (plan: CheckpointPlan) => Promise<T>,
  ): Promise<T> {
    stopIfAborted(hooks.signal);
    const { devices, workspaceOf, now } = this.host;
    const { ignore, arithmetic } = this.request;
    if (!needsMethodRun(recipe)) {
      const plan = planCheckpoint(this.checkpoint, recipe, ignore);
      const refusal = refusalOf(plan);
      if (refusal) throw refusal;
      return use(plan);
    }
    const job = { checkpoint: this.checkpoint, recipe, ignore, arithmetic, calibration };
    const { plan, workspace } = await runMethod(job, devices, workspaceOf, now, hooks);
    try {
      return await use(plan);
    } finally {
      await workspace.close();
    }
  }

  /** How far candidates are from the original, all on the same windows. */
  async divergences(
    candidates: readonly Candidate[],
    calibration: PreparedText,
    hooks: WorkHooks,
    otherKernels: readonly AnyKernel[] = [],
  ): Promise<readonly BlockBootstrap[]> {
    const { checkpoint, request, host } = this;
    const job = {
      ...{ checkpoint, candidates, arithmetic: request.arithmetic, windows: request.text.windows },
      calibration: calibration.windows,
    };
    const { scores, used } = await measureDivergence(job, host.devices, hooks, NOTHING_KNOWN, () => {});
    const kernels = [
      ...modelKernels(decoderOf(checkpoint), candidates),
      ...candidates.flatMap((own) => (own.kind === "recipe" ? methodKernels(own.plan.recipe) : [])),
      ...otherKernels,
    ];
    this.note(used.flatMap((pick) => kernels.map((kernel) => kernelReport(pick, kernel))));
    const found = scores.map((own) => new BlockBootstrap(own.map((window) => windowSums(window))));
    this.#positions = found[0]?.positions ?? 0;
    return found;
  }

  /** Keeps what kernels did, each once. */
  note(reports: readonly KernelReport[]): void {
    for (const report of reports) this.#kernels.set(JSON.stringify(report), report);
  }

  /** What the result says of what it ran on. */
  ground(scheme: string): SweepGround {
    const { text } = this.request;
    const { source, hash, windows } = this.calibration;
    return {
      scheme,
      text: text.source,
      windows: text.windows.length,
      positions: this.#positions,
      calibration: { name: source, hash, windows: windows.length },
      kernels: [...this.#kernels.values()],
      elapsedMs: this.host.now() - this.#started,
    };
  }
}

export function sweptDivergence({ name }: Pick<Recipe, "name">, found: BlockBootstrap): SweptDivergence {
  return { recipe: name, kld: finite(found.figures.kld), interval: found.interval("kld") };
}

/** Null in place of what is not finite. */
export function finite(value: number | null | undefined): number | null {
  return value !== null && value !== undefined && Number.isFinite(value) ? value : null;
}

/** Refuses what is asked of a sweep. */
export function badSweep(doing: string, found: string, allowed: string, advice: string): LabError {
  return new LabError({ code: "run/bad-sweep", doing, found, allowed, advice });
}

function noCalibration(doing: string): LabError {
  return new LabError({
    code: "run/no-calibration",
    doing: quote(doing),
    found: "no calibration text",
    allowed: "a text that stands for what the model will read; not the one that it is measured on",
    advice: "give --calibration",
  });
}
