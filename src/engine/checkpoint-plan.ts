import { asLabError, LabError, quote } from "../base/errors.ts";
import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { type Checkpoint, type CheckpointTensor, sourceOf } from "../formats/huggingface/checkpoint.ts";
import { planSafetensors, type SafetensorsPlan, type TensorToWrite } from "../formats/safetensors/writer.ts";
import { requirePrunable, requireQuantizable, type StoredTensor, storedTensors } from "../schemes/layout.ts";
import { removesParts, type WeightPruning } from "../schemes/pruning.ts";
import { type ConfigGroup, groupFor, type Recipe } from "../schemes/recipe.ts";
import type { Scheme } from "../schemes/scheme.ts";
import { moduleMatcher, quantizableModule } from "../schemes/targets.ts";
import type { MethodReport } from "./methods/method-report.ts";
import { prunedModules, type ShrunkCheckpoint } from "./shrink.ts";

/** A weight that the recipe changes, and the tensors that stand in its place afterwards. */
export interface PlannedMatrix {
  readonly tensor: CheckpointTensor;
  /** The file that its weights are read from. */
  readonly source: ByteSource;
  /** The file of the weights, at the same place, whose scales it has; null: it has its own. */
  readonly scaleSource: ByteSource | null;
  /** The file of the weights, at the same place, that stay where it is left as it was, and that its errors are measured against. */
  readonly original: ByteSource;
  readonly module: string;
  readonly element: FloatName;
  readonly rows: number;
  readonly cols: number;
  /** Null: it is pruned and keeps its type. */
  readonly scheme: Scheme | null;
  /** Empty where there is no scheme: the tensor keeps its name and shape. */
  readonly stored: readonly StoredTensor[];
  /** float32 [cols], how much each column counts where ranges are weighed by inputs; null: nothing is known, all alike. */
  readonly importance: Float32Array<ArrayBuffer> | null;
}

/** A matrix with the weights whose scales it has. */
export function scaledMatrix(matrix: PlannedMatrix): PlannedMatrix {
  return matrix.scaleSource ? { ...matrix, source: matrix.scaleSource } : matrix;
}

/** A weight that the recipe should change and cannot. LLM Compressor stops at it. */
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

/** What a recipe makes of a checkpoint, to the byte, from headers alone. */
export interface CheckpointPlan {
  readonly recipe: Recipe;
  /** What it is a plan of: a method may have changed its weights before. */
  readonly checkpoint: Checkpoint;
  /** How its weights are still to be pruned. */
  readonly pruning: WeightPruning | null;
  /** What is written in the checkpoint's place where parts of the model go; null: none do. */
  readonly shrunk: ShrunkCheckpoint | null;
  /** What the recipe's method did to the weights before; null: nothing did. */
  readonly method: MethodReport | null;
  readonly matrices: readonly PlannedMatrix[];
  readonly refused: readonly RefusedMatrix[];
  /** Tensors copied as they are. */
  readonly untouched: readonly CheckpointTensor[];
  /** Config groups that no module belongs to. */
  readonly unmatched: ReadonlySet<ConfigGroup>;
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
 * Plans a recipe over a checkpoint as `model_free_ptq` does: by tensor names, every 2-D `*.weight` whose module neither is
 * ignored nor ends in "norm"; the first config group that targets it takes it. Pruning takes all of them; where
 * it removes parts, those that hand on what the parts make, and the files stay those of the whole model until `withShrunk`.
 * @throws LabError `scheme/bad-pattern` for an ignore entry, `scheme/cannot-remove` and `config/…` for parts that cannot go,
 *   `export/…` where the result cannot be laid out
 */
export function planCheckpoint(checkpoint: Checkpoint, recipe: Recipe, ignore: readonly string[]): CheckpointPlan {
  const isIgnored = moduleMatcher(ignore);
  const groupOf = groupFor(recipe);
  const { pruning } = recipe;
  const parts = pruning && removesParts(pruning) ? prunedModules(checkpoint, pruning, isIgnored) : null;
  const isPruned = (module: string) => pruning !== null && (parts === null || parts.has(module));
  const matrices: PlannedMatrix[] = [];
  const refused: RefusedMatrix[] = [];
  const untouched: CheckpointTensor[] = [];
  const unmatched = new Set(recipe.groups);
  const outputs: TensorToWrite[][] = checkpoint.shards.map(() => []);

  for (const tensor of checkpoint.tensors) {
    const output = outputs[tensor.shard] as TensorToWrite[];
    const module = quantizableModule(tensor.name);
    const group = module === null || isIgnored(module) ? null : groupOf(module);
    if (module !== null && !isIgnored(module) && (group || isPruned(module))) {
      if (group) unmatched.delete(group);
      try {
        const matrix = planMatrix(checkpoint, tensor, module, group?.scheme ?? null, recipe);
        matrices.push(matrix);
        if (matrix.scheme) {
          output.push(...matrix.stored.map(({ suffix, ...stored }) => ({ ...stored, name: module + suffix })));
          continue;
        }
      } catch (thrown) {
        refused.push({ tensor, module, error: asLabError(thrown, `planning ${recipe.name} for ${quote(module)}`) });
      }
    } else {
      untouched.push(tensor);
    }
    const { name, dtype, shape } = tensor;
    output.push({ name, dtype, shape, sizeBytes: tensor.end - tensor.start });
  }
  const quantized = matrices.filter(({ scheme }) => scheme !== null);
  return {
    recipe,
    checkpoint,
    pruning: pruning && removesParts(pruning) ? null : pruning,
    shrunk: null,
    method: null,
    matrices,
    refused,
    untouched,
    unmatched,
    ...layOut(checkpoint, outputs),
    quantizedWeights: sum(quantized.map(({ rows, cols }) => rows * cols)),
    quantizedBytes: sum(quantized.map(storedBytesOf)),
  };
}

/**
 * The same plan with the files of a model that has become smaller, and of its matrices those of which something goes. A file
 * without any tensor left is not written.
 */
export function withShrunk(plan: CheckpointPlan, shrunk: ShrunkCheckpoint): CheckpointPlan {
  const { checkpoint } = plan;
  const outputs = checkpoint.shards.map((_, shard) =>
    shrunk.tensors
      .filter(({ tensor }) => tensor.shard === shard)
      .map(({ tensor, name, shape, sizeBytes }) => ({ name, dtype: tensor.dtype, shape, sizeBytes })),
  );
  const { shards, ...files } = layOut(checkpoint, outputs);
  const written = shards.filter(({ file }) => file.tensors.length > 0);
  const copied = shrunk.tensors.filter(({ rows, columns }) => rows === null && columns === null);
  const untouched = new Set(copied.map(({ tensor }) => tensor));
  return {
    ...plan,
    ...files,
    shards: written,
    fileBytes: sum(written.map(({ file }) => file.sizeBytes)),
    shrunk,
    untouched: [...untouched],
    matrices: plan.matrices.filter(({ tensor }) => !untouched.has(tensor)),
  };
}

/** Files of some tensors, shard by shard. */
function layOut({ shards }: Checkpoint, outputs: readonly (readonly TensorToWrite[])[]) {
  const planned = shards.map(({ name, header }, index): PlannedShard => {
    // An empty metadata map is written as none, as it was read.
    const metadata = header.metadata.size > 0 ? header.metadata : undefined;
    return { name, file: planSafetensors(outputs[index] ?? [], metadata) };
  });
  return {
    shards: planned,
    fileBytes: sum(planned.map(({ file }) => file.sizeBytes)),
    tensorBytes: sum(outputs.flat().map(({ sizeBytes }) => sizeBytes)),
  };
}

/**
 * What a plan does to one module.
 * @throws LabError why the recipe cannot take it; `scheme/unknown-module` where it leaves it alone or there is none
 */
export function plannedMatrix({ recipe, matrices, refused }: CheckpointPlan, module: string): PlannedMatrix {
  const matrix = matrices.find((candidate) => candidate.module === module);
  if (matrix) return matrix;
  const refusal = refused.find((candidate) => candidate.module === module);
  if (refusal) throw refusal.error;
  throw new LabError({
    code: "scheme/unknown-module",
    doing: `looking at "${quote(module)}" under ${recipe.name}`,
    found: "no such matrix among those that the recipe changes",
    allowed: "a module that the recipe changes",
    advice: "choose one from the map",
  });
}

/**
 * Why a recipe cannot be exported as it is: LLM Compressor stops at the first matrix that it cannot quantize.
 * @returns null where every matrix can be
 */
export function refusalOf(plan: CheckpointPlan): LabError | null {
  const [first] = plan.refused;
  if (!first) return null;
  const modules = plan.refused.map(({ module }) => quote(module));
  const more = modules.length > 3 ? ` and ${modules.length - 3} more` : "";
  const ignore = ignoreEntries(plan).map(quote);
  return new LabError({
    code: "export/refused-matrices",
    doing: `planning ${plan.recipe.name}`,
    found: `${modules.length} of ${modules.length + plan.matrices.length} matrices cannot be quantized (${first.error.found}): ${modules.slice(0, 3).join(", ")}${more}`,
    allowed: first.error.allowed,
    advice: `take another scheme, or ignore ${ignore.slice(0, 3).join(", ")}${ignore.length > 3 ? " …" : ""}`,
    fields: { modules, ignore },
  });
}

/** Ignore entries that leave out just the refused matrices: one pattern of their kinds where that is enough, else names. */
function ignoreEntries({ refused, matrices }: CheckpointPlan): readonly string[] {
  const kinds = [...new Set(refused.map(({ module }) => modulePlace(module).moduleKind))].sort();
  const isKind = ({ module }: { readonly module: string }) => kinds.includes(modulePlace(module).moduleKind);
  if (refused.length > 1 && kinds.every((kind) => /^\w+$/.test(kind)) && !matrices.some(isKind)) {
    const tail = kinds.length > 1 ? `(${kinds.join("|")})` : kinds[0];
    // A name without a dot is a module of its own.
    if (refused.every(({ module }) => module.includes("."))) return [`re:.*\\.${tail}$`];
  }
  return refused.map(({ module }) => module);
}

/** Bytes stored in place of a matrix. */
export function storedBytesOf({ scheme, stored, tensor }: PlannedMatrix): number {
  return scheme ? sum(stored.map(({ sizeBytes }) => sizeBytes)) : tensor.end - tensor.start;
}

function planMatrix(
  checkpoint: Checkpoint,
  tensor: CheckpointTensor,
  module: string,
  scheme: Scheme | null,
  { pruning }: Recipe,
): PlannedMatrix {
  const element = requireQuantizable(tensor.name, tensor.dtype, tensor.shape);
  const [rows = 0, cols = 0] = tensor.shape;
  const source = sourceOf(checkpoint, tensor);
  if (pruning) requirePrunable(pruning, rows, cols);
  const stored = scheme ? storedTensors(scheme, element, rows, cols) : [];
  const weights = { tensor, source, scaleSource: null, original: source, module, element, rows, cols };
  return { ...weights, scheme, stored, importance: null };
}

/** Every tensor that at least one recipe changes, once, in file order. */
export function tensorsOf(plans: readonly CheckpointPlan[]): readonly CheckpointTensor[] {
  const tensors = new Set(plans.flatMap((plan) => plan.matrices.map(({ tensor }) => tensor)));
  return [...tensors].sort((a, b) => a.shard - b.shard || a.start - b.start);
}

/** Bytes of a weight of a matrix. */
export function weightBytes({ element }: PlannedMatrix): number {
  return FLOAT_FORMATS[element].sizeBytes;
}

/** Where a module sits: the number of its decoder layer, if its name has one, and its kind. */
export function modulePlace(module: string): { readonly layer: number | null; readonly moduleKind: string } {
  const layer = /(?:^|\.)(?:layers|layer|h|blocks)\.(\d{1,6})\./.exec(module);
  return { layer: layer ? Number(layer[1]) : null, moduleKind: module.slice(module.lastIndexOf(".") + 1) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
