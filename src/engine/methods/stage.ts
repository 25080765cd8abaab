import type { LinearStep, MatrixPlace } from "../../architectures/graph.ts";
import type { RefusedMapping } from "../../architectures/smoothing/mappings.ts";
import { quote } from "../../base/errors.ts";
import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { Device } from "../../device/device.ts";
import { sourceOf } from "../../formats/huggingface/checkpoint.ts";
import { floatNameOf } from "../../schemes/layout.ts";
import type { Arithmetic } from "../../schemes/scheme.ts";
import type { CheckpointPlan, PlannedMatrix } from "../checkpoint-plan.ts";
import type { LayerWalk } from "./layer-walk.ts";
import type { MatrixReport, SmoothingReport } from "./method-report.ts";
import type { PatchedCheckpoint } from "./patched-checkpoint.ts";

/** What a stage works on. */
export interface StageSetup {
  readonly walk: LayerWalk;
  /** For float64. */
  readonly cpu: Device;
  /** The recipe on the weights as they are before the stage. */
  readonly plan: CheckpointPlan;
  /** Takes what changes; the walk runs it. */
  readonly patched: PatchedCheckpoint;
  /** Takes, by the name of the tensor, what weighs the columns of a matrix: `importance` of `PlannedMatrix`. */
  readonly importance: Map<string, Float32Array<ArrayBuffer>>;
  readonly arithmetic: Arithmetic;
}

/** One pass of a method: it changes a layer at a time, with what the layers before it have become. */
export interface Stage {
  /** Changes a layer. */
  apply(layer: number): Promise<void>;
  /** What was done so far. */
  readonly matrices: readonly MatrixReport[];
  readonly smoothings: readonly SmoothingReport[];
}

/** The matrices of a plan by the linear layer that runs them. */
export function plannedSteps(
  steps: readonly LinearStep[],
  { matrices }: CheckpointPlan,
): readonly { readonly step: LinearStep; readonly matrix: PlannedMatrix }[] {
  return steps.flatMap((step) => {
    const { tensor, isTransposed } = step.weight;
    const matrix = matrices.find((own) => own.tensor.name === tensor && own.rows === step.outFeatures);
    return matrix && !isTransposed ? [{ step, matrix }] : [];
  });
}

/** Matrices that a plan changes and no layer of the walk runs: they are left to plain rounding. */
export function outsideReports({ walk, plan }: StageSetup): readonly MatrixReport[] {
  const { layers } = walk.setup.graph;
  const steps = layers.flat().flatMap((step) => (step.kind === "linear" ? [step] : []));
  const inside = new Set(plannedSteps(steps, plan).map(({ matrix }) => matrix));
  return plan.matrices
    .filter((matrix) => !inside.has(matrix))
    .map(({ module, tensor }) => ({
      module: quote(module),
      fallback: steps.some(({ weight }) => weight.tensor === tensor.name && weight.isTransposed)
        ? "it is stored transposed, which LLM Compressor leaves alone"
        : "it is no linear layer of a decoder layer",
      outputError: null,
      hessian: null,
      clipped: null,
    }));
}

/** A layer's matrix as rows of weights, as it is before the stage. */
export function matrixOf(
  { walk }: StageSetup,
  {
    module,
    weight,
    outFeatures,
  }: { readonly module: string; readonly weight: MatrixPlace; readonly outFeatures: number },
): PlannedMatrix {
  const { before } = walk.setup;
  const tensor = before.tensors.find(({ name }) => name === weight.tensor);
  if (!tensor) throw new Error(`no tensor ${weight.tensor}`);
  const element = floatNameOf(tensor.dtype, tensor.name, `smoothing ${quote(module)}`);
  const cols = tensor.shape.at(-1) ?? 0;
  const start = tensor.start + weight.firstRow * cols * FLOAT_FORMATS[element].sizeBytes;
  const source = sourceOf(before, tensor);
  return {
    tensor: { ...tensor, start },
    source,
    scaleSource: null,
    original: source,
    module,
    element,
    rows: outFeatures,
    cols,
    scheme: null,
    stored: [],
    importance: null,
  };
}

/** A mapping that is not applied. */
export function refusedReport({ layer, name, reason }: RefusedMapping): SmoothingReport {
  // Where the layer has no such module, the name is only an ending.
  const place = name.includes(".") ? quote(name) : `layer ${layer}, ${quote(name)}`;
  return { name: place, balance: [], factors: null, refused: quote(reason), grid: null };
}
