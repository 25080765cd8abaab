import { LabError, quote } from "../base/errors.ts";
import { type JsonValue, jsonFromPlain, stringifyJson } from "../base/json.ts";
import { computed } from "../base/quantity.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { OutputFile, OutputFolder } from "../formats/output.ts";
import type { SafetensorsTensor } from "../formats/safetensors/header.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { intScale } from "../kernels/quant/int_scale.ts";
import { compressionConfig } from "../schemes/compression-config.ts";
import { recipeYaml } from "../schemes/recipe.ts";
import { ignoreMatcher } from "../schemes/targets.ts";
import type { EngineHost, JobHooks, QuantizeRequest } from "./api.ts";
import { type CheckpointPlan, type PlannedMatrix, refusalOf } from "./checkpoint-plan.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import { type ExportResult, type Notice, SCHEMA_VERSION } from "./result.ts";
import { isQuantized } from "./summary.ts";
import { ReusedReader, tilesOf } from "./tiles.ts";
import { Workbench } from "./workbench.ts";

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
 * and `recipe.yaml`. The caller commits or discards `output`.
 * @throws LabError `export/refused-matrices`, `export/already-quantized`, `export/no-config`, `export/nested-weights`,
 *   `export/fused-experts`, `run/cancelled`, `device/…`, `source/…`, `export/…`
 */
export async function writeQuantized(
  checkpoint: Checkpoint,
  plan: CheckpointPlan,
  request: QuantizeRequest,
  output: OutputFolder,
  devices: DeviceSet,
  host: EngineHost,
  hooks: JobHooks,
): Promise<ExportResult> {
  const started = host.now();
  requireExportable(checkpoint, plan);
  const [lane] = await devices.lanes([plan.scheme], request.arithmetic);
  if (!lane) throw new Error("a scheme without a lane");
  const smallFiles = madeFiles(checkpoint, plan, request);
  const written: { name: string; sizeBytes: number }[] = [];
  const totalBytes = plan.fileBytes + checkpoint.sideFiles.reduce((sum, { source }) => sum + source.sizeBytes, 0);
  let doneBytes = 0;
  const progress = (item: string, bytes: number) => {
    stopIfAborted(hooks.signal);
    doneBytes += bytes;
    hooks.onProgress?.({
      phase: `exporting ${plan.scheme.name}`,
      doneBytes,
      totalBytes,
      item,
      doneItems: written.length,
      totalItems: plan.shards.length + checkpoint.sideFiles.length + smallFiles.length,
    });
  };

  const bench = new Workbench(lane, request.arithmetic);
  const { tileBytes } = lane.device;
  const reader = new ReusedReader();
  try {
    for (const [index, shard] of plan.shards.entries()) {
      const file = await output.create(shard.name, shard.file.sizeBytes);
      await file.write(0, shard.file.header);
      progress(shard.name, shard.file.header.byteLength);
      const places = new Map(shard.file.tensors.map((tensor) => [tensor.name, tensor]));
      const matrices = new Map(plan.matrices.map((matrix) => [matrix.tensor, matrix]));
      const source = checkpoint.shards[index]?.source;
      if (!source) throw new Error("an output shard without its input");
      for (const tensor of checkpoint.tensors) {
        if (tensor.shard !== index) continue;
        const matrix = matrices.get(tensor);
        const advance = (bytes: number) => progress(tensor.name, bytes);
        if (matrix) await writeMatrix({ source, file, places, reader, bench, tileBytes, plan, advance }, matrix);
        else await copyRange(source, tensor, file, placeOf(places, tensor.name).start, reader, advance);
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
    bench.destroy();
  }
  return {
    schemaVersion: SCHEMA_VERSION,
    kind: "quantize",
    outcome: "done",
    scheme: plan.scheme.name,
    arithmetic: request.arithmetic,
    format: plan.scheme.format,
    ignore: request.ignore,
    fileBytes: computed(plan.fileBytes, "bytes", "sizes of the safetensors files written"),
    files: written,
    quantizedModules: plan.matrices.length,
    untouchedTensors: plan.untouched.length,
    notices: exportNotices(checkpoint, request.ignore),
    kernels: [kernelReport(lane, intScale), kernelReport(lane, intQuantize)],
    elapsedMs: host.now() - started,
  };
}

/** What writing one matrix needs. */
interface MatrixJob {
  readonly source: ByteSource;
  readonly file: OutputFile;
  readonly places: ReadonlyMap<string, SafetensorsTensor>;
  readonly reader: ReusedReader;
  readonly bench: Workbench;
  readonly tileBytes: number;
  readonly plan: CheckpointPlan;
  readonly advance: (bytes: number) => void;
}

async function writeMatrix(job: MatrixJob, matrix: PlannedMatrix): Promise<void> {
  const { source, file, places, reader, bench, tileBytes, plan, advance } = job;
  const { scheme } = plan;
  const place = (role: string) => {
    const stored = matrix.stored.find((tensor) => tensor.role === role);
    return stored && placeOf(places, matrix.module + stored.suffix).start;
  };
  const [codesAt = 0, scalesAt = 0, shapeAt] = [place("codes"), place("scale"), place("shape")];
  const codeRowBytes = (matrix.cols * scheme.weights.bits) / 8;
  for (const tile of tilesOf(matrix, tileBytes)) {
    const bytes = await reader.read(source, tile.start, tile.end);
    const { codes, scales } = await bench.quantize(matrix, tile, bytes);
    await file.write(codesAt + tile.row * codeRowBytes, codes);
    const scaleRowBytes = scales.byteLength / tile.rows;
    await file.write(scalesAt + tile.row * scaleRowBytes, scales);
    advance(codes.byteLength + scales.byteLength);
  }
  if (shapeAt !== undefined) {
    const shape = new BigInt64Array([BigInt(matrix.rows), BigInt(matrix.cols)]);
    await file.write(shapeAt, new Uint8Array(shape.buffer));
    advance(shape.byteLength);
  }
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
function madeFiles(checkpoint: Checkpoint, plan: CheckpointPlan, request: QuantizeRequest): readonly SmallFile[] {
  const style = { indent: 2, sortKeys: true };
  const text = (name: string, content: string): SmallFile => ({ name, bytes: new TextEncoder().encode(content) });
  const config = new Map<string, JsonValue>(checkpoint.config ?? []);
  config.set("quantization_config", jsonFromPlain(compressionConfig(plan.scheme, request.ignore)));
  const files = [
    text(CONFIG_FILE, stringifyJson(config, style)),
    text(RECIPE_FILE, recipeYaml(plan.scheme, request.ignore, request.arithmetic)),
  ];
  if (checkpoint.indexFile === null) return files;
  const weightMap = Object.fromEntries(
    plan.shards.flatMap(({ name, file }) => file.tensors.map((t) => [t.name, name])),
  );
  const index = jsonFromPlain({ metadata: { total_size: plan.tensorBytes }, weight_map: weightMap });
  return [...files, text(checkpoint.indexFile, stringifyJson(index, style))];
}

function exportNotices(checkpoint: Checkpoint, ignore: readonly string[]): readonly Notice[] {
  const isTied = checkpoint.config?.get("tie_word_embeddings") === true;
  if (!isTied || ignoreMatcher(ignore)("lm_head")) return [];
  return [
    {
      code: "export/tied-head",
      severity: "warning",
      text: "The output head is the embedding table (tied) and lm_head is not ignored: transformers will look for a quantized head and fail to load this checkpoint, as it does with LLM Compressor's own.",
    },
  ];
}

function requireExportable(checkpoint: Checkpoint, plan: CheckpointPlan): void {
  const doing = `preparing to export ${quote(checkpoint.name)} as ${plan.scheme.name}`;
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
  const refusal = refusalOf(plan);
  if (refusal) throw refusal;
  if (plan.matrices.length === 0) {
    throw refuse("nothing-to-quantize", "no matrix that the scheme targets", "at least one", "shorten the ignore list");
  }
}

function placeOf(places: ReadonlyMap<string, SafetensorsTensor>, name: string): SafetensorsTensor {
  const place = places.get(name);
  if (!place) throw new Error(`no place planned for ${quote(name)}`);
  return place;
}
