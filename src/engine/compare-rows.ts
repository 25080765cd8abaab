import type { LabErrorData } from "../base/errors.ts";
import { computed, measured, type Quantity } from "../base/quantity.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { ReconstructionTotal } from "../metrics/reconstruction.ts";
import { describeWeights } from "../schemes/scheme.ts";
import type { CompareRequest } from "./api.ts";
import { type CheckpointPlan, modulePlace, type PlannedMatrix, refusalOf, storedBytesOf } from "./checkpoint-plan.ts";
import { schemeFit } from "./plan-column.ts";
import type { LayerResult, ModelSummary, SchemeResult } from "./result.ts";

/** Layer 2 before layer 10. */
const BY_NAME = new Intl.Collator("en", { numeric: true });

/** What a comparison works on. */
export interface CompareJob {
  readonly checkpoint: Checkpoint;
  readonly summary: ModelSummary;
  readonly plans: readonly CheckpointPlan[];
  readonly request: CompareRequest;
}

/** One scheme while it is being measured. */
export interface CompareRow {
  readonly plan: CheckpointPlan;
  /** Finished matrices, those that the scheme cannot take with their error. In the order of their ending. */
  readonly layers: LayerResult[];
  readonly total: ReconstructionTotal;
}

/** A scheme before its first matrix. */
export function newRow(plan: CheckpointPlan): CompareRow {
  const layers = plan.refused.map(({ tensor, module, error }): LayerResult => {
    const [rows = 0, cols = 0] = tensor.shape;
    return { ...emptyLayer(module, rows, cols, tensor.end - tensor.start), error: error.toData() };
  });
  return { plan, layers, total: new ReconstructionTotal() };
}

function emptyLayer(module: string, rows: number, cols: number, storedBytes: number) {
  const nothing = { mse: null, relativeMse: null, sqnrDb: null, maxAbsError: null, cosine: null };
  const notFinite = { weights: 0, reconstructions: 0 };
  return { module, ...modulePlace(module), rows, cols, storedBytes, ...nothing, notFinite };
}

/** A finished matrix, or one that failed alone. */
export function layerResult(
  matrix: PlannedMatrix,
  total: ReconstructionTotal,
  error: LabErrorData | undefined,
): LayerResult {
  const base = emptyLayer(matrix.module, matrix.rows, matrix.cols, storedBytesOf(matrix));
  if (error) return { ...base, error };
  const { weights: _weights, ...figures } = total.figures();
  return { ...base, ...figures };
}

/** A scheme as it stands: sizes from the headers, figures from what was measured so far. */
export function schemeResult({ plan, layers, total }: CompareRow, { summary, request }: CompareJob): SchemeResult {
  const { scheme } = plan;
  const figures = total.figures();
  const refusal = refusalOf(plan);
  const refused =
    plan.refused.length > 0 ? `; ${plan.refused.length} matrices that it cannot quantize counted as they are` : "";
  const measuredOver = (value: number | null, unit: Quantity["unit"]) =>
    value === null ? undefined : measured(value, unit, figures.weights);
  const relativeMse = measuredOver(figures.relativeMse, "ratio");
  const sqnrDb = measuredOver(figures.sqnrDb, "dB");
  const maxAbsError = measuredOver(figures.maxAbsError, "weight units");
  return {
    scheme: scheme.name,
    description: describeWeights(scheme),
    roundsActivations: scheme.inputActivations !== null,
    arithmetic: request.arithmetic,
    fileBytes: computed(plan.fileBytes, "bytes", `sizes of the safetensors files that export writes${refused}`),
    smaller: computed(summary.fileBytes.value / plan.fileBytes, "ratio", "original files / these files"),
    bitsPerWeight: computed(
      (8 * plan.fileBytes) / summary.parameters.value,
      "bits per weight",
      "bits of the files / weights of the model",
    ),
    quantizedBitsPerWeight: computed(
      (8 * plan.quantizedBytes) / plan.quantizedWeights,
      "bits per weight",
      "bits stored for quantized weights, scales included / those weights",
    ),
    ...(relativeMse && { relativeMse }),
    ...(sqnrDb && { sqnrDb }),
    ...(maxAbsError && { maxAbsError }),
    layers: layers.toSorted((a, b) => BY_NAME.compare(a.module, b.module)),
    modules: plan.matrices.length + plan.refused.length,
    quantizedModules: plan.matrices.length,
    fit: schemeFit(plan.tensorBytes, summary, request.plan),
    ...(refusal && { error: refusal.toData() }),
  };
}
