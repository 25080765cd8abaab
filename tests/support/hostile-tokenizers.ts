import { asLabError, type LabError } from "../../src/base/errors.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { openTokenizer } from "../../src/formats/tokenizer/open-tokenizer.ts";
import type { StartTextThread } from "../../src/formats/tokenizer/text-thread-client.ts";
import type { HostileCase, HostileExpectation } from "./hostile-expectations.ts";

/** What came of a hostile tokenizer. */
export interface TokenizerVerdict {
  readonly verdict: HostileExpectation;
  readonly error: LabError | null;
  /** Ids of the probe. */
  readonly ids: readonly number[];
  readonly probeMs: number;
  readonly totalMs: number;
}

/** A probe for those that bring none. */
const USUAL_PROBE = "abab";

/** Opens a tokenizer and encodes its probe, as whoever prepares a text does. */
export async function judgeTokenizer(
  { probe = USUAL_PROBE }: Pick<HostileCase, "probe">,
  folder: Folder,
  startThread: StartTextThread,
): Promise<TokenizerVerdict> {
  const started = performance.now();
  let probed = started;
  let error: LabError | null = null;
  let ids: readonly number[] = [];
  try {
    const tokenizer = await openTokenizer(folder, startThread);
    probed = performance.now();
    try {
      const [own] = await tokenizer.encode([probe], { addsSpecial: true });
      ids = [...(own ?? [])];
    } finally {
      tokenizer.close();
    }
  } catch (thrown) {
    error = asLabError(thrown, "judging a tokenizer");
  }
  const ended = performance.now();
  const verdict: HostileExpectation = error
    ? { outcome: "reject", code: error.code, rule: String(error.fields.rule) }
    : { outcome: "accept" };
  return { verdict, error, ids, probeMs: ended - probed, totalMs: ended - started };
}

const MAX_TRIES = 3;

/** The same, again where it took too long: other tests use the same cores, and what hangs does so every time. */
export async function judgeInTime(
  hostile: HostileCase,
  folder: Folder,
  startThread: StartTextThread,
): Promise<TokenizerVerdict> {
  let verdict = await judgeTokenizer(hostile, folder, startThread);
  for (let tries = 1; tries < MAX_TRIES && verdict.totalMs >= hostile.limits.ms; tries++) {
    verdict = await judgeTokenizer(hostile, folder, startThread);
  }
  return verdict;
}

/** A case that brings no tokenizer.json is judged beside that of a valid one. */
export function completedFolder(own: Folder, valid: Folder): Folder {
  return { name: own.name, files: new Map([...valid.files, ...own.files]) };
}

/** Ids of probes that a case is accepted with, by the reference (tokenizers 0.23). */
export const PROBE_IDS: Readonly<Record<string, readonly number[]>> = {
  tok_ok: [2, 2],
  tok_zero_width_empty: [0, 1, 0, 1],
  tok_zero_width_empty_group: [0, 1, 0, 1],
  tok_zero_width_star: [0, 1, 0, 1],
  tok_zero_width_lookahead: [0, 1, 0, 1],
  // The reference refuses so large a count; this is what the pattern means.
  tok_regex_repeat: [0, 1, 0, 1],
  tok_added_html: [2, 2],
  tok_added_regex_chars: [2, 4, 2],
  tok_vocab_proto: [],
  tok_merges_cycle: Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? 5 : 1)),
  tok_merges_pairs: [2],
  tok_byte_minus: [2, 2],
  tok_cfg_chat_bomb: [2, 2],
};
