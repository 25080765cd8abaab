import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { type PieceOf, readPieces } from "../formats/tokenizer/token-pieces.ts";
import { stopIfAborted } from "./job.ts";
import { tokenizerFolder } from "./text.ts";

/** What was read before: a checkpoint does not change while it is open. */
const known = new WeakMap<Checkpoint, Promise<PieceOf | null>>();

/**
 * The text of each token id by the checkpoint's tokenizer, safe to show (see `readPieces`); `#7` for an id outside of its
 * vocabulary, and for every id of a checkpoint without a tokenizer. The file is read once.
 * @throws LabError `tokenizer/…`, `json/…`, `source/…`, `run/cancelled`
 */
export async function piecesOf(
  checkpoint: Checkpoint,
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const reading = known.get(checkpoint) ?? readPieces(tokenizerFolder(checkpoint));
  known.set(checkpoint, reading);
  try {
    const pieceOf = await reading;
    stopIfAborted(signal);
    return ids.map((id) => pieceOf?.(id) ?? `#${id}`);
  } catch (thrown) {
    known.delete(checkpoint);
    throw thrown;
  }
}
