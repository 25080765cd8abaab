import { type ErrorFields, LabError, quote } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import type { ByteSource, Folder } from "../byte-source.ts";
import { readHeader, type SafetensorsHeader, type SafetensorsTensor } from "../safetensors/header.ts";
import { readShardIndex, type ShardIndex } from "./shard-index.ts";

/** One safetensors file of a checkpoint. */
export interface CheckpointShard {
  /** File name; untrusted. */
  readonly name: string;
  readonly source: ByteSource;
  readonly header: SafetensorsHeader;
}

/** A tensor and the shard it lies in. `start` and `end` count from the start of that shard's file. */
export interface CheckpointTensor extends SafetensorsTensor {
  /** Place in `Checkpoint.shards`. */
  readonly shard: number;
}

/** A file that is neither weights nor what the lab itself reads: tokenizer, licence, generation settings. */
export interface SideFile {
  /** Relative to the folder, `/` between parts; untrusted. */
  readonly path: string;
  readonly source: ByteSource;
}

/** A Hugging Face checkpoint whose headers were read; no weights are in memory. */
export interface Checkpoint {
  readonly name: string;
  /** Ordered by name. */
  readonly shards: readonly CheckpointShard[];
  /** Ordered by shard, then by offset. Names are unique. */
  readonly tensors: readonly CheckpointTensor[];
  /** Name of the index that was followed; null where there was none. */
  readonly indexFile: string | null;
  /** config.json; null where there is none or it is broken. */
  readonly config: JsonObject | null;
  /**
   * Why config.json could not be used; null where it could, or is missing. The weights are usable without it. Its field
   * `rule` is C02 (strict JSON), C07 (keys twice) or C08 (depth and size), but where the file could not be read at all.
   */
  readonly configError: LabError | null;
  /** Ordered by path. Neither shards, indexes nor config.json, nor weights of the next two lists. */
  readonly sideFiles: readonly SideFile[];
  /** Paths of `.safetensors` files in subfolders. They are not part of the checkpoint. */
  readonly nestedWeights: readonly string[];
  /** Names of `.safetensors` files beside the shards that the index does not name. They are not part of it either. */
  readonly unindexedWeights: readonly string[];
  /** What is odd and does not matter to the numbers, one sentence each, safe to print. */
  readonly warnings: readonly string[];
}

/** The file that a tensor lies in. */
export function sourceOf({ shards }: Pick<Checkpoint, "shards">, { shard }: CheckpointTensor): ByteSource {
  const source = shards[shard]?.source;
  if (!source) throw new Error("a tensor without its shard");
  return source;
}

/** What `openCheckpoint` may be asked for. */
export interface CheckpointOptions {
  /** Accept a folder with a config.json and no weights: enough for planning. Default false. */
  readonly allowNoWeights?: boolean;
}

/** huggingface.js's limit; the largest public config.json files have some 100 kB. */
const MAX_CONFIG_BYTES = 10_000_000;

/** As many names as a warning or an error lists. */
const MAX_NAMES_SHOWN = 3;

const INDEX_SUFFIX = ".safetensors.index.json";
const USUAL_INDEX = `model${INDEX_SUFFIX}`;

/**
 * Opens a checkpoint: one `.safetensors` file, or a folder with or without an index. Reads headers, the index and
 * config.json. Only files at the top of the folder count as weights.
 * @throws LabError `checkpoint/no-weights`, `checkpoint/several-indexes`, `checkpoint/missing-shard` (I02),
 *   `checkpoint/missing-tensor` (I03), `checkpoint/duplicate-tensor` (I04), those of `readShardIndex` and, with the shard's
 *   name, of `readHeader`
 */
export async function openCheckpoint(folder: Folder, options: CheckpointOptions = {}): Promise<Checkpoint> {
  const paths = [...folder.files.keys()].sort();
  const weights = paths.filter((path) => path.endsWith(".safetensors"));
  const nestedWeights = weights.filter((path) => path.includes("/"));
  const topWeights = weights.filter((path) => !path.includes("/"));
  const indexFile = findIndex(folder, paths);
  const warnings: string[] = [];

  const index = indexFile === null ? null : await readShardIndex(fileOf(folder, indexFile));
  const shardNames = index === null ? topWeights : [...new Set(index.weightMap.values())].sort();
  const hasOnlyConfig = shardNames.length === 0 && folder.files.has("config.json");
  if (shardNames.length === 0 && !(options.allowNoWeights && hasOnlyConfig)) throw noWeights(folder, nestedWeights);
  if (index !== null && indexFile !== null) checkShardsPresent(folder, index, indexFile);

  const shards: CheckpointShard[] = [];
  for (const name of shardNames) {
    const source = fileOf(folder, name);
    shards.push({ name, source, header: await readHeader(source) });
  }
  const tensors = mergeTensors(folder, shards);
  if (index !== null && indexFile !== null) checkIndex(folder, index, indexFile, shards, tensors, warnings);

  const named = new Set(shardNames);
  const unindexedWeights = topWeights.filter((path) => !named.has(path));
  if (unindexedWeights.length > 0) warnings.push(`The index does not name ${listNames(unindexedWeights)}: left out.`);
  if (nestedWeights.length > 0) warnings.push(`Weights in subfolders are left out: ${listNames(nestedWeights)}.`);
  const sideFiles = paths
    .filter((path) => path !== "config.json" && !path.endsWith(".safetensors") && !isTopIndex(path))
    .map((path) => ({ path, source: fileOf(folder, path) }));
  return {
    name: folder.name,
    shards,
    tensors,
    indexFile,
    ...(await readConfig(folder.files.get("config.json"))),
    sideFiles,
    nestedWeights,
    unindexedWeights,
    warnings,
  };
}

function isTopIndex(path: string): boolean {
  return path.endsWith(INDEX_SUFFIX) && !path.includes("/");
}

function findIndex(folder: Folder, paths: readonly string[]): string | null {
  if (folder.files.has(USUAL_INDEX)) return USUAL_INDEX;
  const indexes = paths.filter(isTopIndex);
  if (indexes.length > 1) {
    throw checkpointError("several-indexes", folder, listNames(indexes), "one index", "keep the one that you mean", {});
  }
  return indexes[0] ?? null;
}

function fileOf(folder: Folder, path: string): ByteSource {
  const file = folder.files.get(path);
  if (file !== undefined) return file;
  const advice = "this is a defect of the lab: please report it with these words";
  throw checkpointError("missing-file", folder, `no ${quote(path)}`, "files of the folder", advice, {});
}

function checkShardsPresent(folder: Folder, index: ShardIndex, indexFile: string): void {
  for (const [tensor, shard] of index.weightMap) {
    if (folder.files.has(shard)) continue;
    const found = `no file ${quote(shard)}, which ${quote(indexFile)} names for tensor "${quote(tensor)}"`;
    throw checkpointError("missing-shard", folder, found, "every shard that the index names", "download that shard", {
      rule: "I02",
      file: quote(shard),
      tensor: quote(tensor),
    });
  }
}

function mergeTensors(folder: Folder, shards: readonly CheckpointShard[]): readonly CheckpointTensor[] {
  const shardOfName = new Map<string, string>();
  return shards.flatMap(({ name: file, header }, shard) =>
    header.tensors.map((tensor) => {
      const other = shardOfName.get(tensor.name);
      if (other !== undefined) {
        const found = `tensor "${quote(tensor.name)}" in ${quote(other)} and in ${quote(file)}`;
        const advice = "remove the file that does not belong to this checkpoint";
        throw checkpointError("duplicate-tensor", folder, found, "each tensor in one shard", advice, {
          rule: "I04",
          file: quote(file),
          tensor: quote(tensor.name),
        });
      }
      shardOfName.set(tensor.name, file);
      return { ...tensor, shard };
    }),
  );
}

function checkIndex(
  folder: Folder,
  index: ShardIndex,
  indexFile: string,
  shards: readonly CheckpointShard[],
  tensors: readonly CheckpointTensor[],
  warnings: string[],
): void {
  const shardOfTensor = new Map(tensors.map(({ name, shard }) => [name, shards[shard]?.name]));
  for (const [tensor, shard] of index.weightMap) {
    if (shardOfTensor.get(tensor) === shard) continue;
    const found = `no tensor "${quote(tensor)}" in ${quote(shard)}, where ${quote(indexFile)} places it`;
    const advice = "download index and shards again: they are of different versions";
    throw checkpointError("missing-tensor", folder, found, "tensors in the shards that the index names", advice, {
      rule: "I03",
      file: quote(shard),
      tensor: quote(tensor),
    });
  }
  const extra = tensors.filter(({ name }) => !index.weightMap.has(name)).map(({ name }) => name);
  if (extra.length > 0)
    warnings.push(`The index does not name ${listNames(extra)}: read from the shards all the same.`);
  const sizeBytes = tensors.reduce((sum, { start, end }) => sum + end - start, 0);
  const claimed = index.claimedSizeBytes;
  if (claimed !== null && claimed !== sizeBytes) {
    warnings.push(`The index claims ${claimed} bytes; the tensors of the shards have ${sizeBytes} bytes.`);
  }
}

async function readConfig(source: ByteSource | undefined): Promise<Pick<Checkpoint, "config" | "configError">> {
  if (source === undefined) return { config: null, configError: null };
  try {
    if (source.sizeBytes > MAX_CONFIG_BYTES) {
      throw configError("too-large", `${source.sizeBytes} bytes`, `at most ${MAX_CONFIG_BYTES} bytes`);
    }
    const bytes = await source.read(0, source.sizeBytes);
    const config = parseJson(bytes, "config.json", { maxBytes: MAX_CONFIG_BYTES });
    if (!isJsonObject(config)) throw configError("not-an-object", "JSON that is not an object", "a JSON object");
    return { config, configError: null };
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    const isText = thrown.code.startsWith("json/") || thrown.code.startsWith("config/");
    return { config: null, configError: isText ? withConfigRule(thrown) : thrown };
  }
}

/** Rules of config.json's text that are not C02 (one strict JSON object in UTF-8), by the code of the refusal. */
const CONFIG_RULES: ReadonlyMap<string, string> = new Map([
  ["json/duplicate-key", "C07"],
  ["json/too-deep", "C08"],
  ["json/too-many-values", "C08"],
  ["config/too-large", "C08"],
]);

function withConfigRule(error: LabError): LabError {
  const rule = CONFIG_RULES.get(error.code) ?? "C02";
  return new LabError({
    ...error.toData(),
    fields: { ...error.fields, rule, file: "config.json" },
    cause: error.cause,
  });
}

function configError(kind: string, found: string, allowed: string): LabError {
  const advice = "take the config.json that belongs to the weights; without it they can still be quantized";
  return new LabError({ code: `config/${kind}`, doing: "reading config.json", found, allowed, advice });
}

function noWeights(folder: Folder, nestedWeights: readonly string[]): LabError {
  const [nested] = nestedWeights;
  const advice =
    nested === undefined
      ? "open a .safetensors file or the folder that holds it; other formats are converted with their own tools first"
      : `open the subfolder itself: ${quote(nested.slice(0, nested.lastIndexOf("/")))}`;
  const found = `no .safetensors file among ${folder.files.size} files at the top of the folder`;
  return checkpointError("no-weights", folder, found, "one file or a folder with weights", advice, {});
}

function checkpointError(
  kind: string,
  folder: Folder,
  found: string,
  allowed: string,
  advice: string,
  fields: ErrorFields,
): LabError {
  return new LabError({
    code: `checkpoint/${kind}`,
    doing: `opening the checkpoint ${quote(folder.name)}`,
    found,
    allowed,
    advice,
    fields,
  });
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES_SHOWN).map((name) => `"${quote(name)}"`);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
