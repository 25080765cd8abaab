import { quote } from "../../base/errors.ts";
import { formatCount, formatPercent } from "../../base/format.ts";
import type { NamedToken, TokenizerFacts } from "../tokenizer/open-tokenizer.ts";
import type { TokenWindow } from "./windows.ts";

/** What the doctor looks for. */
export type FindingCode =
  | "tokens"
  | "tail-dropped"
  | "shortest-window"
  | "bos-missing"
  | "bos-doubled"
  | "bos-setting-ignored"
  | "padding-inside"
  | "duplicate-windows"
  | "unknown-tokens"
  | "shared-windows"
  | "no-tokenizer";

/** One finding about a text: data first, words for people. */
export interface Finding {
  readonly code: FindingCode;
  /** `note`: good to know. `warning`: numbers measured on this text may mislead. */
  readonly severity: "note" | "warning";
  /** How many windows or tokens it is about. */
  readonly count: number;
  /** One sentence, safe to print. */
  readonly words: string;
}

/** What the doctor looks at. */
export interface DoctorInput {
  readonly windows: readonly TokenWindow[];
  /** A name for each window that equal windows share. */
  readonly windowHashes: readonly string[];
  /** Places of the windows that a text begins with. */
  readonly sliceStarts: readonly number[];
  readonly droppedTokens: number;
  /** Null where the ids came without a tokenizer. */
  readonly tokenizer: TokenizerFacts | null;
  /** The windows' ids came from a chat template or a file and not from plain text. */
  readonly isTemplated: boolean;
  /** Hashes of the windows that the recipes were calibrated on. */
  readonly calibration: ReadonlySet<string>;
}

/** Unknown tokens above this share say that the text is in a script that the tokenizer never saw. */
const UNKNOWN_SHARE = 0.01;

/** A BOS twice, now and then, is a document that starts with its window, as a text's first does; more often it is a mistake. */
const DOUBLED_SHARE = 0.1;

/** Looks a tokenized text over: what it is, and what in it would make measurements mislead. */
export function examineText(input: DoctorInput): readonly Finding[] {
  return [...sizes(input), ...leadingTokens(input), ...padding(input), ...repeats(input), ...unknownTokens(input)];
}

function sizes({ windows, droppedTokens, isTemplated, tokenizer }: DoctorInput): readonly Finding[] {
  const tokens = windows.reduce((sum, { length }) => sum + length, 0);
  const shortest = windows.reduce((least, { length }) => Math.min(least, length), Number.POSITIVE_INFINITY);
  const longest = windows.reduce((most, { length }) => Math.max(most, length), 0);
  const after = isTemplated ? " after the chat template" : "";
  const found: Finding[] = [
    note("tokens", tokens, `${formatCount(tokens)} tokens${after} in ${formatCount(windows.length)} windows.`),
  ];
  if (droppedTokens > 0) {
    found.push(note("tail-dropped", droppedTokens, `${formatCount(droppedTokens)} tokens at the end fill no window.`));
  }
  if (shortest < longest) {
    const words = `Windows of ${formatCount(shortest)} to ${formatCount(longest)} tokens: late positions are of the long ones alone.`;
    found.push(warning("shortest-window", shortest, words));
  } else found.push(note("shortest-window", shortest, `Every window has ${formatCount(shortest)} tokens.`));
  if (tokenizer === null) {
    const words =
      "There is no tokenizer beside the model: ids are used as they are, and neither BOS nor padding is known.";
    found.push(warning("no-tokenizer", windows.length, words));
  }
  return found;
}

function leadingTokens({ windows, sliceStarts, tokenizer }: DoctorInput): readonly Finding[] {
  if (tokenizer === null) return [];
  const found: Finding[] = [];
  const { leading } = tokenizer;
  if (tokenizer.isBosSettingIgnored) {
    const words = `tokenizer_config.json says ${leading ? "not to put" : "to put"} a BOS first; the post-processor decides otherwise, as in transformers.`;
    found.push(note("bos-setting-ignored", windows.length, words));
  }
  if (leading === null) return found;
  const missing = windows.filter(([first]) => first !== leading.id).length;
  if (missing > 0) {
    const words = `${formatCount(missing)} of ${formatCount(windows.length)} windows do not begin with ${show(leading)}, which the tokenizer puts first.`;
    found.push(warning("bos-missing", missing, words));
  }
  const doubled = [...windows.keys()].filter((place) => windows[place]?.slice(0, 2).every((id) => id === leading.id));
  if (doubled.length > 0) {
    const words = `${formatCount(doubled.length)} of ${formatCount(windows.length)} windows begin with ${show(leading)} twice.`;
    const others = doubled.filter((place) => !sliceStarts.includes(place)).length;
    found.push((others > DOUBLED_SHARE * windows.length ? warning : note)("bos-doubled", doubled.length, words));
  }
  return found;
}

function padding({ windows, tokenizer }: DoctorInput): readonly Finding[] {
  const token = tokenizer?.padding;
  if (!tokenizer || !token) return [];
  // Many models pad with their EOS: one of it ends a text, only several in a row are padding.
  const isShared = [tokenizer.eos, tokenizer.bos, tokenizer.unknown].some((other) => other?.id === token.id);
  const count = windows.reduce((sum, window) => sum + paddingOf(window, token.id, isShared), 0);
  if (count === 0) return [];
  const words = `${formatCount(count)} padding tokens (${show(token)}) inside windows: the model never sees such text.`;
  return [warning("padding-inside", count, words)];
}

function paddingOf(window: TokenWindow, id: number, isShared: boolean): number {
  return window.filter((own, at) => own === id && (!isShared || window[at - 1] === id)).length;
}

function repeats({ windows, windowHashes, calibration }: DoctorInput): readonly Finding[] {
  const found: Finding[] = [];
  const duplicates = windows.length - new Set(windowHashes).size;
  if (duplicates > 0) {
    const words = `${formatCount(duplicates)} windows repeat others: intervals come out too narrow.`;
    found.push(warning("duplicate-windows", duplicates, words));
  }
  const shared = windowHashes.filter((hash) => calibration.has(hash)).length;
  if (shared > 0) {
    const words = `${formatCount(shared)} windows were used for calibration too: recipes that were calibrated look better than they are.`;
    found.push(warning("shared-windows", shared, words));
  }
  return found;
}

function unknownTokens({ windows, tokenizer }: DoctorInput): readonly Finding[] {
  const token = tokenizer?.unknown;
  if (!tokenizer || !token) return [];
  // GPT-2's family has one token for the unknown, the start and the end: its places say nothing.
  if ([tokenizer.bos, tokenizer.eos, tokenizer.leading].some((other) => other?.id === token.id)) return [];
  const tokens = windows.reduce((sum, { length }) => sum + length, 0);
  const count = windows.reduce((sum, window) => sum + window.filter((id) => id === token.id).length, 0);
  if (count === 0) return [];
  const share = count / tokens;
  const words = `${formatCount(count)} tokens (${formatPercent(share)}) are ${show(token)}: text that the vocabulary does not know.`;
  return [(share > UNKNOWN_SHARE ? warning : note)("unknown-tokens", count, words)];
}

function show({ token, id }: NamedToken): string {
  return `${quote(token)} (${id})`;
}

function note(code: FindingCode, count: number, words: string): Finding {
  return { code, severity: "note", count, words };
}

function warning(code: FindingCode, count: number, words: string): Finding {
  return { code, severity: "warning", count, words };
}
