import { LabError, quote } from "../../base/errors.ts";
import { isJsonNumber, isJsonObject, parseJson } from "../../base/json.ts";
import type { ByteSource } from "../byte-source.ts";

/** What a `*.safetensors.index.json` says. */
export interface ShardIndex {
  /** Shard file name of each tensor name, in the order of the file. Every shard name is a plain file name. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** What the file claims the tensors weigh; any number at all, null where there is none. Never to be relied on. */
  readonly claimedSizeBytes: number | null;
}

/** The largest public index (DeepSeek-V3, 91 000 tensors) has 9 MB. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** huggingface.js's limit; the largest public checkpoints have a few hundred shards. */
const MAX_SHARDS = 10_000;

/**
 * Reads an index and checks its shard names, before any shard is looked at.
 * @throws LabError `checkpoint/bad-index` (I07), `checkpoint/duplicate-key` (I08), `checkpoint/bad-shard-name` (I01), each
 *   with the field `rule`; errors of the source
 */
export async function readShardIndex(source: ByteSource): Promise<ShardIndex> {
  const file = quote(source.name);
  if (source.sizeBytes > MAX_INDEX_BYTES) {
    throw indexError("I07", "bad-index", file, `${source.sizeBytes} bytes`, `at most ${MAX_INDEX_BYTES} bytes`);
  }
  const bytes = await source.read(0, source.sizeBytes);
  const root = parseIndex(bytes, file);
  const map = isJsonObject(root) ? root.get("weight_map") : undefined;
  if (!isJsonObject(root) || !isJsonObject(map) || map.size === 0) {
    const found = isJsonObject(map) ? "an empty weight_map" : "no weight_map object";
    throw indexError("I07", "bad-index", file, found, "weight_map as an object of tensor and shard names");
  }
  const weightMap = new Map<string, string>();
  for (const [tensor, shard] of map) {
    if (typeof shard !== "string") {
      const found = `something that is not text for tensor "${quote(tensor)}"`;
      throw indexError("I07", "bad-index", file, found, "shard names as text");
    }
    if (!isShardName(shard)) {
      const found = `the shard name "${quote(shard)}" for tensor "${quote(tensor)}"`;
      throw indexError("I01", "bad-shard-name", file, found, "plain names of .safetensors files beside the index");
    }
    weightMap.set(tensor, shard);
  }
  const shards = new Set(weightMap.values()).size;
  if (shards > MAX_SHARDS) {
    throw indexError("I07", "bad-index", file, `${shards} shards`, `at most ${MAX_SHARDS} shards`);
  }
  const metadata = root.get("metadata");
  const total = isJsonObject(metadata) ? metadata.get("total_size") : undefined;
  return { weightMap, claimedSizeBytes: isJsonNumber(total) ? total.asNumber() : null };
}

/** Whether an index may name this shard: one path part, nothing that a file system, a shell or a URL reads in another way. */
export function isShardName(name: string): boolean {
  return !/[/\\:*?"<>|\p{Cc}]/u.test(name) && name.endsWith(".safetensors");
}

function parseIndex(bytes: Uint8Array, file: string): ReturnType<typeof parseJson> {
  try {
    return parseJson(bytes, file, { maxBytes: MAX_INDEX_BYTES });
  } catch (cause) {
    if (!(cause instanceof LabError)) throw cause;
    const [rule, kind] = cause.code === "json/duplicate-key" ? ["I08", "duplicate-key"] : ["I07", "bad-index"];
    throw indexError(rule, kind, file, cause.found, cause.allowed, cause);
  }
}

function indexError(
  rule: string,
  kind: string,
  file: string,
  found: string,
  allowed: string,
  cause?: LabError,
): LabError {
  return new LabError({
    code: `checkpoint/${kind}`,
    doing: `reading the shard index ${file}`,
    found,
    allowed,
    advice: "download the index again, or open a folder without it",
    fields: { ...cause?.fields, rule, file },
    cause,
  });
}
