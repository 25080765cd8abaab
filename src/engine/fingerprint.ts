import { stringifyJson } from "../base/json.ts";
import { sha256, sha256OfText } from "../base/sha256.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { stopIfAborted } from "./job.ts";

/** Bytes that are hashed at once; the digests are hashed once more, so that no file is ever in memory whole. */
const CHUNK_BYTES = 16 * 2 ** 20;

/** What was hashed before: a checkpoint does not change while it is open. */
const known = new WeakMap<Checkpoint, string>();

/**
 * A name for the contents of a checkpoint's weights: SHA-256 over the SHA-256 of every 16 MiB of each shard and over its
 * config.json. Reads every byte once.
 */
export async function fingerprintOf(checkpoint: Checkpoint, signal?: AbortSignal): Promise<string> {
  const before = known.get(checkpoint);
  if (before !== undefined) return before;
  const digests: string[] = [checkpoint.config ? stringifyJson(checkpoint.config) : ""];
  for (const { name, source } of checkpoint.shards) {
    digests.push(name);
    let buffer: ArrayBuffer | undefined;
    for (let start = 0; start < source.sizeBytes; start += CHUNK_BYTES) {
      stopIfAborted(signal);
      const bytes = await source.read(start, Math.min(start + CHUNK_BYTES, source.sizeBytes), buffer);
      digests.push(await sha256(bytes));
      buffer = bytes.buffer;
    }
  }
  const fingerprint = await sha256OfText(digests.join("\n"));
  known.set(checkpoint, fingerprint);
  return fingerprint;
}
