import { SeededRandom } from "../../base/random.ts";
import { sha256 } from "../../base/sha256.ts";

/** A window of token ids: one run of the model. */
export type TokenWindow = readonly number[];

/** A text cut into windows. */
export interface CutText {
  readonly windows: readonly TokenWindow[];
  /** Tokens at the end that fill no window. */
  readonly droppedTokens: number;
}

/**
 * Cuts a text's ids into windows of `context` tokens, as `llama-perplexity` does: one after the other, the first token of
 * each replaced by the BOS where the tokenizer adds one, the tail dropped (llama.cpp, `tools/perplexity/perplexity.cpp`).
 * @param leading the id that the tokenizer puts first, else null
 */
export function cutWindows(ids: Uint32Array, context: number, leading: number | null): CutText {
  const count = Math.floor(ids.length / context);
  const windows = Array.from({ length: count }, (_, at) => {
    const window = [...ids.subarray(at * context, (at + 1) * context)];
    if (leading !== null) window[0] = leading;
    return window;
  });
  return { windows, droppedTokens: ids.length - count * context };
}

/**
 * Places of `wanted` windows among `available`, ascending: the first ones, or with a seed any, each as likely as the other.
 * @param wanted undefined: all of them
 */
export function chooseWindows(
  available: number,
  wanted: number | undefined,
  seed: number | undefined,
): readonly number[] {
  const all = Array.from({ length: available }, (_, place) => place);
  if (wanted === undefined || wanted >= available) return all;
  if (seed === undefined) return all.slice(0, wanted);
  // The first steps of a shuffle (Fisher and Yates).
  const random = new SeededRandom(seed);
  for (let place = 0; place < wanted; place++) {
    const other = place + Math.floor(random.nextUniform() * (available - place));
    [all[place], all[other]] = [all[other] ?? 0, all[place] ?? 0];
  }
  return all.slice(0, wanted).sort((a, b) => a - b);
}

/**
 * How many windows each of several texts gives to a total: one after the other in turn, none more than it has.
 * @param wanted undefined: all that they have
 */
export function shareWindows(available: readonly number[], wanted: number | undefined): readonly number[] {
  if (wanted === undefined) return available;
  const shares = available.map(() => 0);
  let left = Math.min(
    wanted,
    available.reduce((sum, own) => sum + own, 0),
  );
  while (left > 0) {
    available.forEach((own, text) => {
      if (left === 0 || (shares[text] ?? 0) >= own) return;
      shares[text] = (shares[text] ?? 0) + 1;
      left--;
    });
  }
  return shares;
}

/** SHA-256 of each window's ids, little-endian 32 bits each. */
export function hashWindows(windows: readonly TokenWindow[]): Promise<readonly string[]> {
  return Promise.all(windows.map((window) => sha256(littleEndian(window))));
}

function littleEndian(ids: TokenWindow): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * ids.length);
  const view = new DataView(bytes.buffer);
  for (const [at, id] of ids.entries()) view.setUint32(4 * at, id, true);
  return bytes;
}
