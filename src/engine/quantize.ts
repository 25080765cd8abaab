import { LabError, quote } from "../base/errors.ts";
import { type JsonValue, jsonFromPlain, stringifyJson } from "../base/json.ts";
import { computed } from "../base/quantity.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { OutputFile, OutputFolder } from "../formats/output.ts";
import type { SafetensorsTensor } from "../formats/safetensors/header.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { compressionConfig } from "../schemes/compression-config.ts";
import { hasStaticActivations } from "../schemes/recipe.ts";
import { recipeYaml } from "../schemes/recipe-yaml.ts";
import { moduleMatcher } from "../schemes/targets.ts";
import type { EngineHost, QuantizeRequest } from "./api.ts";
import { Bench } from "./bench.ts";
import { type CheckpointPlan, type PlannedMatrix, refusalOf } from "./checkpoint-plan.ts";
import { codesOf } from "./codes.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import { methodKernels } from "./methods/method-kernels.ts";
import type { WorkHooks } from "./pace.ts";
import { disputedModules, recipeNotices } from "./recipe-notices.ts";
import { scalingKernels } from "./restore-tile.ts";
import { type ExportResult, type Notice, SCHEMA_VERSION } from "./result.ts";
import { isQuantized } from "./summary.ts";
import { ReusedReader, rowMultipleOf } from "./tiles.ts";
import { writeMatrix } from "./write-matrix.ts";
import { writeShrunk } from "./write-shrunk.ts";

/** Bytes of an untouched tensor or file that are copied at a time. */
const COPY_BYTES = 4 * 2 ** 20;

const CONFIG_FILE = "config.json";
const RECIPE_FILE = "recipe.yaml";

/** A file that is small enough to be made in memory. */
interface SmallFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Writes the quantized checkpoint in the form of `model_free_ptq`: codes, scales and shapes in place of quantized weights,
 * every other tensor and file byte for byte, `quantization_config` in config.json, the index where the original has one,
 * and `recipe.yaml`. Where parts of the model go, smaller tensors and a config.json that says so instead. The caller commits or
 * discards `output`.
 * @throws LabError `export/refused-matrices`, `export/already-quantized`, `export/no-config`, `export/nested-weights`,
 *   `export/fused-experts`, `scheme/needs-calibration`, `run/cancelled`, `device/…`, `source/…`, `export/…`
 */
export async function writeQuantized(
  plan: CheckpointPlan,
  request: QuantizeRequest,
  output: OutputFolder,
  devices: DeviceSet,
  host: EngineHost,
  hooks: WorkHooks,
): Promise<ExportResult> {
  const started = host.now();
  const { checkpoint } = plan;
  requireExportable(plan);
  const [lane] = await devices.lanes([plan], (item) => codesOf(item, request.arithmetic), "writing");
  if (!lane) throw new Error("a recipe without a lane");
  const smallFiles = madeFiles(plan, request);
  const written: { name: string; sizeBytes: number }[] = [];
  const totalBytes = plan.fileBytes + checkpoint.sideFiles.reduce((sum, { source }) => sum + source.sizeBytes, 0);
  let doneBytes = 0;
  const progress = (item: string, bytes: number) => {
    stopIfAborted(hooks.signal);
    doneBytes += bytes;
    hooks.onProgress?.({
      phase: `exporting ${plan.recipe.name}`,
      doneBytes,
      totalBytes,
      item,
      doneItems: written.length,
      totalItems: plan.shards.length + checkpoint.sideFiles.length + smallFiles.length,
    });
  };

  const bench = new Bench(devices, lane, hooks.signal, "writing");
  const following = followingMatrices(plan);
  const smaller = plan.shrunk && new Map(plan.shrunk.tensors.map((part) => [part.tensor, part]));
  const reader = new ReusedReader();
  const corners: ExportResult["corners"][number][] = [];
  try {
    for (const shard of plan.shards) {
      const file = await output.create(shard.name, shard.file.sizeBytes);
      await file.write(0, shard.file.header);
      progress(shard.name, shard.file.header.byteLength);
      const places = new Map(shard.file.tensors.map((tensor) => [tensor.name, tensor]));
      const matrices = new Map(plan.matrices.map((matrix) => [matrix.tensor, matrix]));
      // A smaller model may have fewer files.
      const index = checkpoint.shards.findIndex(({ name }) => name === shard.name);
      const source = checkpoint.shards[index]?.source;
      if (!source) throw new Error("an output shard without its input");
      for (const tensor of checkpoint.tensors) {
        if (tensor.shard !== index) continue;
        const matrix = matrices.get(tensor);
        const advance = (bytes: number) => progress(tensor.name, bytes);
        const place = (name: string) => placeOf(places, name);
        if (smaller) {
          const part = smaller.get(tensor);
          if (part) await writeShrunk(part, source, reader, { file, start: place(part.name).start, advance });
          continue;
        }
        if (!matrix) {
          await copyRange(source, tensor, file, place(tensor.name).start, reader, advance);
          continue;
        }
        const next = following.get(matrix);
        bench.announce(next ? { matrix: next, rowMultiple: rowMultipleOf([matrix.scheme]) } : null);
        const found = await writeMatrix(bench, matrix, plan.pruning, request.arithmetic, { file, place, advance });
        if (found.length > 0) corners.push({ module: quote(matrix.module), corners: found });
      }
      await file.close();
      written.push({ name: shard.name, sizeBytes: shard.file.sizeBytes });
    }
    for (const { path, source } of checkpoint.sideFiles) {
      if (path === RECIPE_FILE) continue;
      const file = await output.create(path, source.sizeBytes);
      await copyRange(source, { start: 0, end: source.sizeBytes }, file, 0, reader, (bytes) => progress(path, bytes));
      await file.close();
      written.push({ name: path, sizeBytes: source.sizeBytes });
    }
    for (const { name, bytes } of smallFiles) {
      const file = await output.create(name, bytes.byteLength);
      await file.write(0, bytes);
      await file.close();
      written.push({ name, sizeBytes: bytes.byteLength });
    }
    stopIfAborted(hooks.signal);
  } finally {
    await bench.close();
  }
  return {
    schemaVersion: SCHEMA_VERSION,
    kind: "quantize",
    outcome: "done",
    scheme: plan.recipe.name,
    arithmetic: request.arithmetic,
    format: formatOf(plan),
    ignore: request.ignore,
    fileBytes: computed(plan.fileBytes, "bytes", "sizes of the safetensors files written"),
    files: written,
    method: plan.recipe.method.name,
    methodRun: plan.method,
    quantizedModules: plan.shrunk ? smallerMatrices(plan) : plan.matrices.length,
    untouchedTensors: plan.untouched.length,
    corners,
    notices: [...recipeNotices(plan), ...exportNotices(plan, request.ignore)],
    kernels: bench.used.flatMap((pick) =>
      [
        ...scalingKernels(plan.recipe.groups.map(({ scheme }) => scheme)),
        intQuantize,
        ...(plan.method ? methodKernels(plan.recipe) : []),
      ].map((kernel) => kernelReport(pick, kernel)),
    ),
    elapsedMs: host.now() - started,
  };
}

/** How many matrices lose rows or columns, or go. */
function smallerMatrices({ checkpoint, untouched }: CheckpointPlan): number {
  const whole = new Set(untouched);
  return checkpoint.tensors.filter((tensor) => tensor.shape.length === 2 && !whole.has(tensor)).length;
}

/** The matrix that is written after each. */
function followingMatrices({ checkpoint, matrices }: CheckpointPlan): ReadonlyMap<PlannedMatrix, PlannedMatrix> {
  const byTensor = new Map(matrices.map((matrix) => [matrix.tensor, matrix]));
  const inOrder = checkpoint.shards.flatMap((_, shard) =>
    checkpoint.tensors.flatMap((tensor) => (tensor.shard === shard ? (byTensor.get(tensor) ?? []) : [])),
  );
  return new Map(inOrder.slice(1).map((matrix, index) => [inOrder[index] as PlannedMatrix, matrix]));
}

function formatOf({ recipe, unmatched }: CheckpointPlan): string {
  const formats = new Set(recipe.groups.filter((group) => !unmatched.has(group)).map(({ scheme }) => scheme.format));
  const [only = "dense"] = formats;
  return formats.size > 1 ? "mixed-precision" : only;
}

async function copyRange(
  source: ByteSource,
  range: { readonly start: number; readonly end: number },
  file: OutputFile,
  at: number,
  reader: ReusedReader,
  advance: (bytes: number) => void,
): Promise<void> {
  for (let start = range.start; start < range.end; start += COPY_BYTES) {
    const end = Math.min(start + COPY_BYTES, range.end);
    const bytes = await reader.read(source, start, end);
    await file.write(at + start - range.start, bytes);
    advance(end - start);
  }
}

/** Files that the lab makes: config.json, the index where there was one, the recipe. */
function madeFiles(plan: CheckpointPlan, request: QuantizeRequest): readonly SmallFile[] {
  const { checkpoint } = plan;
  const style = { indent: 2, sortKeys: true };
  const text = (name: string, content: string): SmallFile => ({ name, bytes: new TextEncoder().encode(content) });
  const config = new Map<string, JsonValue>(plan.shrunk?.config ?? checkpoint.config ?? []);
  const quantization = compressionConfig(plan.recipe, request.ignore, plan.unmatched);
  if (quantization) config.set("quantization_config", jsonFromPlain(quantization));
  const recipe = recipeYaml(plan.recipe, request.ignore, request.arithmetic);
  const files = [text(CONFIG_FILE, stringifyJson(config, style))];
  if (recipe !== null) files.push(text(RECIPE_FILE, recipe));
  if (checkpoint.indexFile === null) return files;
  const weightMap = Object.fromEntries(
    plan.shards.flatMap(({ name, file }) => file.tensors.map((t) => [t.name, name])),
  );
  const index = jsonFromPlain({ metadata: { total_size: plan.tensorBytes }, weight_map: weightMap });
  return [...files, text(checkpoint.indexFile, stringifyJson(index, style))];
}

function exportNotices({ checkpoint, recipe }: CheckpointPlan, ignore: readonly string[]): readonly Notice[] {
  const isTied = checkpoint.config?.get("tie_word_embeddings") === true;
  if (recipe.groups.length === 0 || !isTied || moduleMatcher(ignore)("lm_head")) return [];
  return [
    {
      code: "export/tied-head",
      severity: "warning",
      text: "The output head is the embedding table (tied) and lm_head is not ignored: transformers will look for a quantized head and fail to load this checkpoint, as it does with LLM Compressor's own.",
    },
  ];
}

function requireExportable(plan: CheckpointPlan): void {
  const { checkpoint } = plan;
  const doing = `preparing to export ${quote(checkpoint.name)} as ${plan.recipe.name}`;
  const refuse = (code: string, found: string, allowed: string, advice: string): LabError =>
    new LabError({ code: `export/${code}`, doing, found, allowed, advice });
  if (isQuantized(checkpoint)) {
    throw refuse(
      "already-quantized",
      "a quantization_config in config.json",
      "an original checkpoint",
      "start from the original",
    );
  }
  if (!checkpoint.config) {
    throw refuse(
      "no-config",
      checkpoint.configError?.found ?? "no config.json",
      "a config.json, which must name the scheme for the next tool",
      "put the model's config.json beside its weights",
    );
  }
  const [nested] = checkpoint.nestedWeights;
  if (nested !== undefined) {
    throw refuse(
      "nested-weights",
      `${quote(nested)} in a subfolder`,
      "weights at the top of the folder; LLM Compressor would quantize nested ones as well",
      "move the subfolder elsewhere",
    );
  }
  const fused = plan.untouched.find(
    ({ name, shape }) => shape.length === 3 && /experts\.(gate_up|down)_proj$/.test(name),
  );
  if (fused) {
    throw refuse(
      "fused-experts",
      `${quote(fused.name)}, experts of a mixture in one tensor`,
      "one matrix for each expert; LLM Compressor splits them, the lab does not yet",
      "compare the other weights here, and quantize this model with LLM Compressor",
    );
  }
  if (hasStaticActivations(plan.recipe)) {
    throw new LabError({
      code: "scheme/needs-calibration",
      doing,
      found: "static activations, whose input scales come from running text",
      allowed: "recipes whose every stored scale follows from the weights",
      advice: "measure it, or take dynamic activations",
      fields: { recipe: quote(plan.recipe.name) },
    });
  }
  const refusal = refusalOf(plan);
  if (refusal) throw refusal;
  const [disputed] = disputedModules(plan);
  if (disputed !== undefined) {
    throw refuse(
      "overlapping-targets",
      `several targets match ${quote(disputed)}, and the loader in transformers takes another group than the first`,
      "targets that say the same to every tool",
      "write targets that do not overlap",
    );
  }
  if (plan.matrices.length === 0) {
    throw refuse("nothing-to-quantize", "no matrix that the recipe targets", "at least one", "shorten the ignore list");
  }
}

function placeOf(places: ReadonlyMap<string, SafetensorsTensor>, name: string): SafetensorsTensor {
  const place = places.get(name);
  if (!place) throw new Error(`no place planned for ${quote(name)}`);
  return place;
}
