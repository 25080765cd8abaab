import type { LinearStep, MatrixPlace } from "../../architectures/graph.ts";
import { quote } from "../../base/errors.ts";
import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { Device, DeviceBuffer } from "../../device/device.ts";
import { sourceOf } from "../../formats/huggingface/checkpoint.ts";
import { floatNameOf } from "../../schemes/layout.ts";
import type { Arithmetic } from "../../schemes/scheme.ts";
import type { Bench } from "../bench.ts";
import type { CheckpointPlan, PlannedMatrix } from "../checkpoint-plan.ts";
import { rowBytesOf, type Tile } from "../tiles.ts";
import type { LayerWalk } from "./layer-walk.ts";
import type { MatrixReport, SmoothingReport } from "./method-report.ts";
import type { PatchedCheckpoint } from "./patched-checkpoint.ts";
import { sharedInputs } from "./shared-inputs.ts";

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

/** Matrices of a plan that are multiplied with the very same numbers. */
export interface PlannedInput {
  /** The first linear layer that is: where those numbers are looked at. */
  readonly leader: string;
  readonly width: number;
  readonly matrices: readonly PlannedMatrix[];
}

/** The inputs of a layer that matrices of the plan read. */
export function plannedInputs({ walk, plan }: StageSetup, layer: number): readonly PlannedInput[] {
  return sharedInputs(walk.steps(layer)).flatMap(({ leader, width, steps }) => {
    const matrices = plannedSteps(steps, plan).map(({ matrix }) => matrix);
    return matrices.length > 0 ? [{ leader, width, matrices }] : [];
  });
}

/** What a stage did to a matrix; what is not said is nothing. */
export function matrixReport(
  { module }: Pick<PlannedMatrix, "module">,
  done: Partial<Omit<MatrixReport, "module">> = {},
): MatrixReport {
  return { module: quote(module), fallback: null, outputError: null, hessian: null, clipped: null, ...done };
}

/**
 * Puts other weights in the place of a matrix, tile by tile.
 * @param change has the device make of a tile's weights what is to stand there, in their type
 */
export async function rewriteMatrix(
  bench: Bench,
  patched: PatchedCheckpoint,
  matrix: PlannedMatrix,
  change: (tile: Tile, weights: DeviceBuffer) => DeviceBuffer,
): Promise<void> {
  const rowBytes = rowBytesOf(matrix);
  await bench.streamTiles({ matrix }, async (tile, bytes) => {
    const changed = change(tile, bench.scratch.filled("weights", bytes));
    const kept = await bench.device.read(changed, tile.rows * rowBytes);
    await patched.write(matrix.tensor.name, tile.row * rowBytes, kept);
  });
}

/** Matrices that a plan changes and no layer of the walk runs: they are left to plain rounding. */
export function outsideReports({ walk, plan }: StageSetup): readonly MatrixReport[] {
  const { layers } = walk.setup.graph;
  const steps = layers.flat().flatMap((step) => (step.kind === "linear" ? [step] : []));
  const inside = new Set(plannedSteps(steps, plan).map(({ matrix }) => matrix));
  return plan.matrices
    .filter((matrix) => !inside.has(matrix))
    .map((matrix) =>
      matrixReport(matrix, {
        fallback: steps.some(({ weight }) => weight.tensor === matrix.tensor.name && weight.isTransposed)
          ? "it is stored transposed, which LLM Compressor leaves alone"
          : "it is no linear layer of a decoder layer",
      }),
    );
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
