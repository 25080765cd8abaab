import type { LabErrorData } from "../base/errors.ts";
import { computed, measured, type Quantity } from "../base/quantity.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { ReconstructionTotal } from "../metrics/reconstruction.ts";
import { describePruning } from "../schemes/pruning.ts";
import { describeRecipe, roundsActivations } from "../schemes/recipe.ts";
import type { CompareRequest } from "./api.ts";
import { type CheckpointPlan, modulePlace, type PlannedMatrix, refusalOf, storedBytesOf } from "./checkpoint-plan.ts";
import type { MatrixMeasurement } from "./measure.ts";
import { schemeFit } from "./plan-column.ts";
import { recipeNotices } from "./recipe-notices.ts";
import type { DecoderLayerResult, ErrorFigures, LayerResult, ModelSummary, SchemeResult } from "./result.ts";

/** Layer 2 before layer 10. */
const BY_NAME = new Intl.Collator("en", { numeric: true });

/** What a comparison works on. */
export interface CompareJob {
  readonly checkpoint: Checkpoint;
  readonly summary: ModelSummary;
  readonly plans: readonly CheckpointPlan[];
  readonly request: CompareRequest;
}

/** Sums over some matrices, and the mean of their histogram divergences by weights. */
class Totals {
  readonly total = new ReconstructionTotal();
  #divergence = 0;
  #divergenceWeights = 0;
  samples = 0;

  add({ total, histogramDivergence, histogramSamples }: MatrixMeasurement): void {
    this.total.add(total);
    if (histogramDivergence === null) return;
    const { weights } = total.figures();
    this.#divergence += histogramDivergence * weights;
    this.#divergenceWeights += weights;
    this.samples += histogramSamples;
  }

  get divergence(): number | null {
    return this.#divergenceWeights > 0 ? this.#divergence / this.#divergenceWeights : null;
  }
}

/** One recipe while it is being measured. */
export class CompareRow {
  readonly plan: CheckpointPlan;
  /** Finished matrices, those that the recipe cannot take with their error. In the order of their ending. */
  readonly #layers: LayerResult[];
  readonly #model = new Totals();
  readonly #decoderLayers = new Map<number | null, Totals>();

  constructor(plan: CheckpointPlan) {
    this.plan = plan;
    this.#layers = plan.refused.map(({ tensor, module, error }): LayerResult => {
      const [rows = 0, cols = 0] = tensor.shape;
      return { ...emptyLayer(module, rows, cols, null, tensor.end - tensor.start), error: error.toData() };
    });
  }

  /** A finished matrix. */
  add(matrix: PlannedMatrix, measurement: MatrixMeasurement): void {
    const { total, corners, histogramDivergence, histogramSamples } = measurement;
    const { weights: _weights, ...figures } = total.figures();
    this.#layers.push({ ...emptyOf(matrix), ...figures, corners, histogramDivergence, histogramSamples });
    this.#model.add(measurement);
    const { layer } = modulePlace(matrix.module);
    const totals = this.#decoderLayers.get(layer) ?? new Totals();
    totals.add(measurement);
    this.#decoderLayers.set(layer, totals);
  }

  /** A matrix that failed alone. */
  fail(matrix: PlannedMatrix, error: LabErrorData): void {
    this.#layers.push({ ...emptyOf(matrix), error });
  }

  /** The recipe as it stands: sizes from the headers, figures from what was measured so far. */
  result({ summary, request }: CompareJob): SchemeResult {
    const { plan } = this;
    const { recipe } = plan;
    const refusal = refusalOf(plan);
    const refused =
      plan.refused.length > 0 ? `; ${plan.refused.length} matrices that it cannot quantize counted as they are` : "";
    return {
      scheme: recipe.name,
      description: describeRecipe(recipe),
      roundsActivations: roundsActivations(recipe),
      pruning: recipe.pruning && describePruning(recipe.pruning),
      method: recipe.method.name,
      methodRun: plan.method,
      arithmetic: request.arithmetic,
      fileBytes: computed(plan.fileBytes, "bytes", `sizes of the safetensors files that export writes${refused}`),
      smaller: computed(summary.fileBytes.value / plan.fileBytes, "ratio", "original files / these files"),
      bitsPerWeight: computed(
        (8 * plan.fileBytes) / summary.parameters.value,
        "bits per weight",
        "bits of the files / weights of the model",
      ),
      ...(plan.quantizedWeights > 0 && {
        quantizedBitsPerWeight: computed(
          (8 * plan.quantizedBytes) / plan.quantizedWeights,
          "bits per weight",
          "bits stored for quantized weights, scales included / those weights",
        ),
      }),
      ...modelFigures(this.#model),
      layers: this.#layers.toSorted((a, b) => BY_NAME.compare(a.module, b.module)),
      decoderLayers: [...this.#decoderLayers].map(decoderLayer).sort(byLayer),
      modules: plan.matrices.length + plan.refused.length,
      quantizedModules: plan.matrices.length,
      fit: schemeFit(plan.tensorBytes, summary, request.plan),
      notices: recipeNotices(plan),
      ...(refusal && { error: refusal.toData() }),
    };
  }
}

function emptyOf(matrix: PlannedMatrix) {
  const { module, rows, cols, scheme } = matrix;
  return emptyLayer(module, rows, cols, scheme?.name ?? null, storedBytesOf(matrix));
}

function emptyLayer(module: string, rows: number, cols: number, scheme: string | null, storedBytes: number) {
  const nothing: ErrorFigures = {
    mse: null,
    relativeMse: null,
    sqnrDb: null,
    maxAbsError: null,
    cosine: null,
    meanSquare: null,
    clippedShare: null,
    usedLevels: null,
    histogramDivergence: null,
    notFinite: { weights: 0, reconstructions: 0 },
  };
  return {
    module,
    ...modulePlace(module),
    rows,
    cols,
    scheme,
    storedBytes,
    ...nothing,
    histogramSamples: 0,
    corners: [],
  };
}

/** What a whole model lost, each figure with the number of weights it stands on. */
function modelFigures({ total, divergence, samples }: Totals): Partial<SchemeResult> {
  const figures = total.figures();
  const found: Record<string, Quantity> = {};
  const put = (name: keyof SchemeResult, value: number | null, unit: Quantity["unit"], count = figures.weights) => {
    if (value !== null) found[name] = measured(value, unit, count);
  };
  put("relativeMse", figures.relativeMse, "ratio");
  put("sqnrDb", figures.sqnrDb, "dB");
  put("maxAbsError", figures.maxAbsError, "weight units");
  put("cosine", figures.cosine, "ratio");
  put("clippedShare", figures.clippedShare, "ratio");
  put("usedLevels", figures.usedLevels, "ratio");
  put("histogramDivergence", divergence, "bits", samples);
  return found;
}

function decoderLayer([layer, totals]: readonly [number | null, Totals]): DecoderLayerResult {
  return { layer, ...totals.total.figures(), histogramDivergence: totals.divergence };
}

/** In the order of the model, what has no number last. */
function byLayer(a: DecoderLayerResult, b: DecoderLayerResult): number {
  return (a.layer ?? Number.POSITIVE_INFINITY) - (b.layer ?? Number.POSITIVE_INFINITY);
}
