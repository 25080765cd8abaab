import { LabError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { TaskItem } from "../formats/tasks/task-file.ts";
import { hasTokenizer, openTokenizer } from "../formats/tokenizer/open-tokenizer.ts";
import type { StartTextThread } from "../formats/tokenizer/text-thread-client.ts";
import type { PositionRange } from "../metrics/token-scores.ts";
import { tokenizerFolder } from "./text.ts";

const DOING = "preparing tasks";

/** A choice after its context, as a model reads it. */
export interface ChoiceWindow {
  readonly ids: readonly number[];
  /** The positions that foretell the choice's tokens. */
  readonly scored: PositionRange;
  /** The context was cut from the left to the model's positions. */
  readonly isCut: boolean;
}

interface ModelLimits {
  readonly maxPositions: number | null;
  readonly vocabularySize: number;
}

/**
 * Token ids of each choice after its context, with the special tokens that the tokenizer puts before a text and without those
 * that it puts after it. White space at the end of a context belongs to the choices. A choice's tokens are those of
 * context + choice after the longest beginning that it shares with the context's own tokens, so that a token across the seam
 * counts as the choice's.
 * @returns windows of each item's choices
 * @throws LabError `text/no-tokenizer`, `text/id-outside-vocabulary`, `tasks/no-tokens`, `tasks/nothing-before`,
 *   `tasks/choice-too-long` (field `item`, from 1), `tokenizer/…`, `run/cancelled`
 * Source: lm-evaluation-harness `lm_eval/api/model.py :: TemplateLM._encode_pair`, which takes as many tokens for the
 *   context's as the context has alone: the same wherever these are the beginning of the whole. It cuts to one position more,
 *   since it does not run the last token.
 */
export async function choiceWindows(
  checkpoint: Checkpoint,
  items: readonly TaskItem[],
  limits: ModelLimits,
  startThread: StartTextThread,
  signal?: AbortSignal,
): Promise<readonly (readonly ChoiceWindow[])[]> {
  const folder = tokenizerFolder(checkpoint);
  if (!hasTokenizer(folder)) throw noTokenizer();
  const tokenizer = await openTokenizer(folder, startThread, signal);
  try {
    const trailing = tokenizer.facts.trailing.length;
    const windows: (readonly ChoiceWindow[])[] = [];
    for (const [index, { context, choices }] of items.entries()) {
      const texts = [context.trimEnd(), ...choices.map((choice) => context + choice)];
      const encoded = await tokenizer.encode(texts, { addsSpecial: true, signal });
      const [before = [], ...wholes] = encoded.map((ids) => [...ids.subarray(0, ids.length - trailing)]);
      windows.push(wholes.map((whole) => choiceWindow(before, whole, limits, index + 1)));
    }
    return windows;
  } finally {
    tokenizer.close();
  }
}

/**
 * One choice's window.
 * @param item its number, for errors
 */
export function choiceWindow(
  context: readonly number[],
  whole: readonly number[],
  { maxPositions, vocabularySize }: ModelLimits,
  item: number,
): ChoiceWindow {
  const strange = whole.find((id) => id >= vocabularySize);
  if (strange !== undefined) throw unknownId(strange, vocabularySize, item);
  const shared = whole.findIndex((id, at) => id !== context[at]);
  if (shared === -1)
    throw taskError("no-tokens", "a choice that adds no token to its context", "choices of text", item);
  if (shared === 0) {
    const allowed = "a context whose first token stays, for a model without a token that begins every text";
    throw taskError("nothing-before", "a choice that nothing comes before", allowed, item);
  }
  const excess = Math.max(0, whole.length - (maxPositions ?? Number.POSITIVE_INFINITY));
  if (excess >= shared) {
    const found = `a choice of ${whole.length - shared} tokens`;
    throw taskError("choice-too-long", found, `fewer than ${maxPositions}, the model's positions`, item);
  }
  const ids = whole.slice(excess);
  return { ids, scored: { start: shared - excess - 1, end: ids.length - 1 }, isCut: excess > 0 };
}

function taskError(kind: string, found: string, allowed: string, item: number): LabError {
  const advice = "mend that item, or leave it out";
  return new LabError({
    code: `tasks/${kind}`,
    doing: DOING,
    found: `item ${item}: ${found}`,
    allowed,
    advice,
    fields: { item },
  });
}

function unknownId(id: number, vocabularySize: number, item: number): LabError {
  return new LabError({
    code: "text/id-outside-vocabulary",
    doing: DOING,
    found: `token id ${id} in item ${item}`,
    allowed: `ids below ${vocabularySize}, the model's vocabulary`,
    advice: "take the tokenizer that belongs to the weights",
    fields: { item, id },
  });
}

function noTokenizer(): LabError {
  return new LabError({
    code: "text/no-tokenizer",
    doing: DOING,
    found: "no tokenizer.json beside the weights",
    allowed: "a model folder with its tokenizer",
    advice: "add it to the folder",
  });
}
