import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { residualError } from "../kernels/model/residual_error.ts";
import { LayerErrors, type StreamError } from "../metrics/layer-errors.ts";
import { runModel } from "../models/model-run.ts";
import { batchWindows } from "../models/windows.ts";
import { describeScheme } from "../schemes/scheme.ts";
import { appliedOf, type Candidate, roundedWords } from "./candidate.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import type { DeviceSet } from "./device-set.ts";
import type { DepthResult, DiagnosisRequest, LayerError } from "./diagnosis-api.ts";
import { withModels } from "./model-bench.ts";
import { ModelParameters } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { passBytesOf, passEnd, passProgress } from "./passes.ts";
import { ORIGINAL } from "./variants.ts";

/**
 * Follows the error of a recipe through the layers: once as it grows, and once with every layer fed what the original's was
 * fed, so that each shows what it adds itself.
 * @throws LabError `config/…`, `run/…`, `device/…`, `source/…`
 */
export async function measureDepth(
  checkpoint: Checkpoint,
  plan: CheckpointPlan,
  request: DiagnosisRequest,
  devices: DeviceSet,
  hooks: WorkHooks,
): Promise<DepthResult> {
  const candidate: Candidate = { kind: "recipe", plan, applied: appliedOf(request.roundings) };
  const { windows } = request.text;
  const job = {
    checkpoint,
    candidates: [candidate],
    arithmetic: request.arithmetic,
    calibration: request.calibration?.windows ?? [],
  };
  return withModels(job, devices, hooks, async ({ bench, graph, variants, reports }) => {
    const [inherited = ORIGINAL] = variants;
    const fresh = { ...inherited, variant: { ...inherited.variant, isRestarted: true } };
    const models = [ORIGINAL, inherited, fresh];
    const passBytes = passBytesOf(graph, checkpoint, windows);
    let errors: LayerErrors | null = null;
    for (let first = 0; first < windows.length; ) {
      const end = passEnd(graph, windows, first, models.length);
      const batch = batchWindows(windows.slice(first, end));
      const found = await bench.attempt("following the error along depth", async () => {
        const { device } = bench;
        const watch = new LayerErrors(device, batch.rows);
        const parameters = new ModelParameters(
          bench,
          checkpoint,
          models.map(({ source }) => source),
          passProgress(hooks, "following the error along depth", passBytes, windows.length, first, end),
        );
        try {
          const own = models.map(({ variant }) => variant);
          await runModel({ device, graph, parameters, variants: own, batch, sink: null, watch });
          return watch;
        } finally {
          parameters.destroy();
        }
      });
      if (errors) errors.add(found);
      else errors = found;
      first = end;
    }
    const [whole, alone] = [errors?.errors(0) ?? [], errors?.errors(1) ?? []];
    return {
      kind: "depth",
      scheme: plan.recipe.name,
      rounded: [...weightWords(candidate), ...roundedWords(candidate)],
      windows: windows.length,
      tokens: windows.reduce((sum, { length }) => sum + length, 0),
      layers: whole.map((own, layer) => ({ layer, inherited: layerError(own), fresh: layerError(alone[layer]) })),
      kernels: reports([residualError]),
    };
  });
}

function weightWords(candidate: Candidate): readonly string[] {
  if (candidate.kind !== "recipe" || !candidate.applied.weights) return [];
  const { groups } = candidate.plan.recipe;
  return groups.map(({ scheme }) => `weights: ${describeScheme({ ...scheme, inputActivations: null })}`);
}

function layerError(error: StreamError | undefined): LayerError {
  const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);
  return { relative: finite(error?.relative), signalToNoiseDb: finite(error?.signalToNoiseDb) };
}
