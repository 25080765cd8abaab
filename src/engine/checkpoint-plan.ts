import { asLabError, LabError, quote } from "../base/errors.ts";
import type { Checkpoint, CheckpointTensor } from "../formats/huggingface/checkpoint.ts";
import { planSafetensors, type SafetensorsPlan, type TensorToWrite } from "../formats/safetensors/writer.ts";
import { requireQuantizable, type StoredTensor, storedTensors } from "../schemes/layout.ts";
import type { Scheme } from "../schemes/scheme.ts";
import { ignoreMatcher, quantizableModule } from "../schemes/targets.ts";

/** A weight that the scheme quantizes, and the tensors that stand in its place afterwards. */
export interface PlannedMatrix {
  readonly tensor: CheckpointTensor;
  readonly module: string;
  readonly rows: number;
  readonly cols: number;
  readonly stored: readonly StoredTensor[];
}

/** A weight that the scheme should quantize and cannot. LLM Compressor stops at it. */
export interface RefusedMatrix {
  readonly tensor: CheckpointTensor;
  readonly module: string;
  readonly error: LabError;
}

/** One output file: the places of all its tensors, known before anything is written. */
export interface PlannedShard {
  readonly name: string;
  readonly file: SafetensorsPlan;
}

/** What a scheme makes of a checkpoint, to the byte, from headers alone. */
export interface CheckpointPlan {
  readonly scheme: Scheme;
  readonly matrices: readonly PlannedMatrix[];
  readonly refused: readonly RefusedMatrix[];
  /** Tensors copied as they are. */
  readonly untouched: readonly CheckpointTensor[];
  readonly shards: readonly PlannedShard[];
  /** Bytes of all output `.safetensors` files. */
  readonly fileBytes: number;
  /** Bytes of all stored tensors, without headers. */
  readonly tensorBytes: number;
  /** Weights quantized, and bytes stored for them. */
  readonly quantizedWeights: number;
  readonly quantizedBytes: number;
}

/**
 * Plans a scheme over a checkpoint as `model_free_ptq` does: by tensor names, every 2-D `*.weight` whose module neither is
 * ignored nor ends in "norm".
 * @throws LabError `scheme/bad-pattern` for an ignore entry, `export/…` where the result cannot be laid out
 */
export function planCheckpoint(checkpoint: Checkpoint, scheme: Scheme, ignore: readonly string[]): CheckpointPlan {
  const isIgnored = ignoreMatcher(ignore);
  const matrices: PlannedMatrix[] = [];
  const refused: RefusedMatrix[] = [];
  const untouched: CheckpointTensor[] = [];
  const outputs: TensorToWrite[][] = checkpoint.shards.map(() => []);

  for (const tensor of checkpoint.tensors) {
    const output = outputs[tensor.shard] as TensorToWrite[];
    const module = quantizableModule(tensor.name);
    if (module !== null && !isIgnored(module)) {
      try {
        const matrix = planMatrix(tensor, module, scheme);
        matrices.push(matrix);
        output.push(...matrix.stored.map(({ suffix, ...stored }) => ({ ...stored, name: module + suffix })));
        continue;
      } catch (thrown) {
        refused.push({ tensor, module, error: asLabError(thrown, `planning ${scheme.name} for ${module}`) });
      }
    } else {
      untouched.push(tensor);
    }
    const { name, dtype, shape } = tensor;
    output.push({ name, dtype, shape, sizeBytes: tensor.end - tensor.start });
  }
  const shards = checkpoint.shards.map(({ name, header }, index) => {
    // An empty metadata map is written as none, as it was read.
    const metadata = header.metadata.size > 0 ? header.metadata : undefined;
    return { name, file: planSafetensors(outputs[index] ?? [], metadata) };
  });
  return {
    scheme,
    matrices,
    refused,
    untouched,
    shards,
    fileBytes: sum(shards.map(({ file }) => file.sizeBytes)),
    tensorBytes: sum(outputs.flat().map(({ sizeBytes }) => sizeBytes)),
    quantizedWeights: sum(matrices.map(({ rows, cols }) => rows * cols)),
    quantizedBytes: sum(matrices.map(storedBytesOf)),
  };
}

/**
 * Why a scheme cannot be exported as it is: LLM Compressor stops at the first matrix that it cannot quantize.
 * @returns null where every matrix can be
 */
export function refusalOf(plan: CheckpointPlan): LabError | null {
  const [first] = plan.refused;
  if (!first) return null;
  const names = plan.refused.slice(0, 3).map(({ module }) => quote(module));
  const more = plan.refused.length > names.length ? ` and ${plan.refused.length - names.length} more` : "";
  return new LabError({
    code: "export/refused-matrices",
    doing: `planning ${plan.scheme.name}`,
    found: `${plan.refused.length} of ${plan.refused.length + plan.matrices.length} matrices cannot be quantized (${first.error.found}): ${names.join(", ")}${more}`,
    allowed: first.error.allowed,
    advice: "take another scheme, or add these modules to the ignore list",
    fields: { modules: plan.refused.map(({ module }) => quote(module)) },
  });
}

/** Bytes stored in place of a matrix. */
export function storedBytesOf(matrix: PlannedMatrix): number {
  return sum(matrix.stored.map(({ sizeBytes }) => sizeBytes));
}

function planMatrix(tensor: CheckpointTensor, module: string, scheme: Scheme): PlannedMatrix {
  requireQuantizable(tensor.name, tensor.dtype, tensor.shape);
  const [rows = 0, cols = 0] = tensor.shape;
  return { tensor, module, rows, cols, stored: storedTensors(scheme, rows, cols) };
}

/** Every matrix that at least one scheme quantizes, once, in file order. */
export function matricesOf(plans: readonly CheckpointPlan[]): readonly PlannedMatrix[] {
  const byTensor = new Map(plans.flatMap((plan) => plan.matrices.map((matrix) => [matrix.tensor, matrix] as const)));
  return [...byTensor.values()].sort((a, b) => a.tensor.shard - b.tensor.shard || a.tensor.start - b.tensor.start);
}

/** Where a module sits: the number of its decoder layer, if its name has one, and its kind. */
export function modulePlace(module: string): { readonly layer: number | null; readonly moduleKind: string } {
  const layer = /(?:^|\.)(?:layers|layer|h|blocks)\.(\d{1,6})\./.exec(module);
  return { layer: layer ? Number(layer[1]) : null, moduleKind: module.slice(module.lastIndexOf(".") + 1) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
