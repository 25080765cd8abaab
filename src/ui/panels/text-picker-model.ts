import { formatCount } from "../../base/format.ts";
import { scoredPositions } from "../../engine/divergence-words.ts";
import type { Finding } from "../../engine/measure-result.ts";
import {
  BUNDLED_CONTEXT,
  type BundledText,
  DEFAULT_CONTEXT,
  EVALUATION_TEXTS,
  type PreparedText,
} from "../../engine/text-api.ts";
import type { TextChoice } from "../../engine/worker-api.ts";
import type { AskedText } from "../parts/asked-text.ts";
import { shortName } from "../parts/safe-name.ts";

/** Windows that the slider reaches; the field beside it takes more. */
export const SLIDER_WINDOWS = { least: 2, most: 128, step: 2 } as const;
/** More windows, or tokens in one, than anybody means. */
const MOST = { windows: 100_000, context: 1_000_000 } as const;
/** The second half of a window is scored, and a token has to follow: fewer have nothing to score. */
const LEAST_CONTEXT = 3;
/** Digits of a hash that tell texts apart at a glance. */
const HASH_DIGITS = 10;

/** What the page says of the text that was prepared. */
export interface TextFacts {
  readonly source: string;
  readonly tokenizer: string;
  /** The token that begins each window, as text; null where there is none. */
  readonly bos: string | null;
  /** The first digits of the hash over all windows. */
  readonly hash: string;
  readonly findings: readonly Finding[];
}

export function textFacts({ source, tokenizer, bos, hash, findings }: PreparedText): TextFacts {
  const words = bos === null ? null : `${bos.token} (${bos.id})`;
  // What misleads is read first.
  const ordered = [...findings].sort((a, b) => Number(b.severity === "warning") - Number(a.severity === "warning"));
  return { source, tokenizer, bos: words, hash: hash.slice(0, HASH_DIGITS), findings: ordered };
}

/** What the engine is asked to prepare. */
export function textChoice({ source, windows, context }: AskedText): TextChoice {
  return { source, windows, ...(context !== null && { context }) };
}

/** The bundled texts that are ticked after a press on one; the last stays. */
export function toggled(names: readonly BundledText[], name: BundledText): readonly BundledText[] {
  if (!names.includes(name)) return EVALUATION_TEXTS.filter((own) => own === name || names.includes(own));
  return names.length === 1 ? names : names.filter((own) => own !== name);
}

/** What will run, before anything does: `16 windows × 256 tokens, 2 032 positions; 5 schemes`. */
export function planWords(
  text: AskedText,
  schemes: number,
  against: string | null,
  maxPositions: number | null,
): string {
  const { windows } = text;
  const counted = `${formatCount(windows)} ${windows === 1 ? "window" : "windows"}`;
  const what = `${schemes} ${schemes === 1 ? "scheme" : "schemes"}${against === null ? "" : ` and ${shortName(against)}`}`;
  if (isTokenFile(text)) return `${counted} of token ids at most; ${what}`;
  const context = contextOf(text, maxPositions);
  const positions = formatCount(scoredPositions(windows, context));
  const most = text.source.kind === "bundled" ? "" : " at most";
  return `${counted} × ${formatCount(context)} tokens${most}, ${positions} positions; ${what}`;
}

/** Tokens in a window where nothing else is asked for. */
export function contextOf({ source, context }: AskedText, maxPositions: number | null): number {
  if (context !== null) return context;
  return Math.min(source.kind === "bundled" ? BUNDLED_CONTEXT : DEFAULT_CONTEXT, maxPositions ?? DEFAULT_CONTEXT);
}

/** Token ids come in windows of their own. */
export function isTokenFile({ source }: AskedText): boolean {
  return source.kind === "file" && source.file.name.endsWith(".json");
}

/** A number as it is typed; null where it is none, or out of bounds. */
export function readCount(text: string, of: "windows" | "context"): number | null {
  const digits = text.replace(/[\s\u2009]/g, "");
  if (!/^\d{1,9}$/.test(digits)) return null;
  const value = Number(digits);
  return value >= (of === "windows" ? 1 : LEAST_CONTEXT) && value <= MOST[of] ? value : null;
}

/** What a field takes. */
export function countWords(of: "windows" | "context", maxPositions: number | null): string {
  if (of === "windows") return `Give a whole number from 1 to ${formatCount(MOST.windows)}.`;
  return `Give a whole number from ${LEAST_CONTEXT} to ${formatCount(maxPositions ?? MOST.context)}, the positions of the model.`;
}

/** What a press on Measure does: the first measurement, the same or another anew, what is left of a stopped one, more windows. */
export type MeasureStep = "first" | "again" | "go-on" | "add";

/** That, as a verb. */
export function measureVerb(step: MeasureStep): string {
  return { first: "Measure", again: "Measure again", "go-on": "Go on measuring", add: "Add windows" }[step];
}

/** Whether loose files that fell on the page are a text: one, and not a part of a checkpoint. */
export function textOfDrop(files: readonly { readonly path: string; readonly file: File }[]): File | null {
  const [only] = files;
  if (only === undefined || files.length > 1) return null;
  const path = only.path.replace(/^\//, "");
  if (path.includes("/")) return null;
  if (/\.(txt|jsonl)$/i.test(path)) return only.file;
  return /\.json$/i.test(path) && !/config\.json$|\.index\.json$|^tokenizer|^special_tokens/.test(path)
    ? only.file
    : null;
}
