import type { ByteSource } from "../formats/byte-source.ts";
import type { Finding } from "../formats/text/doctor.ts";
import type { StartTextThread } from "../formats/tokenizer/text-thread-client.ts";

/** The texts that the lab brings along. */
export type BundledText = "calibration" | "scripture" | "jargon" | "satire";

/** The bundled texts that no recipe was calibrated on. */
export const EVALUATION_TEXTS: readonly BundledText[] = ["scripture", "jargon", "satire"];

/** Tokens in a window of a bundled text. */
export const BUNDLED_CONTEXT = 256;

/** Tokens in a window of any other text, as `llama-perplexity` has them (`n_ctx`). */
export const DEFAULT_CONTEXT = 512;

/** Where a text comes from. Files are `.txt`, `.jsonl` or token ids in `.json`: see `readTextFile` of `formats`. */
export type TextSource =
  | { readonly kind: "bundled"; readonly names: readonly BundledText[] }
  | { readonly kind: "pasted"; readonly text: string }
  | { readonly kind: "file"; readonly file: ByteSource };

/** Which windows of which text a measurement runs on. */
export interface TextRequest {
  readonly source: TextSource;
  /**
   * Tokens in a window, 3 or more; at most the positions that the model was made for. Default 256 for bundled texts, else
   * 512, or the model's positions where those are fewer. Token files keep their own windows.
   */
  readonly context?: number;
  /** How many windows, of all texts together, taken from each in turn. Default all. */
  readonly windows?: number;
  /** Chooses windows anywhere in the text; default the first ones. */
  readonly seed?: number;
  /** The text that recipes were calibrated on. The same text is refused, single windows of it are told. */
  readonly calibration?: Pick<PreparedText, "textHashes" | "windowHashes">;
}

/** A part of the windows with a name. */
export interface TextSlice {
  /** Safe to print. */
  readonly name: string;
  /** Places of its windows, ascending. */
  readonly places: readonly number[];
}

/** Windows to measure on, and all that a report says of them. Plain data. */
export interface PreparedText {
  /** Token ids, below the model's vocabulary size. */
  readonly windows: readonly (readonly number[])[];
  /** Each window is in one of them. */
  readonly slices: readonly TextSlice[];
  /** What the text is, in words that are safe to print. */
  readonly source: string;
  /** What made the ids, in words that are safe to print. */
  readonly tokenizer: string;
  /** The token that begins each window by the tokenizer's own rule, its text safe to print; null where there is none. */
  readonly bos: { readonly id: number; readonly token: string } | null;
  /** SHA-256 of `windowHashes`: names these windows in a cache. */
  readonly hash: string;
  /** SHA-256 of each window's ids. */
  readonly windowHashes: readonly string[];
  /** SHA-256 of each text's bytes. */
  readonly textHashes: readonly string[];
  /** What the doctor found. */
  readonly findings: readonly Finding[];
}

/** How a host helps with texts. */
export interface TextHost {
  /** Starts a thread for patterns and templates of untrusted files, which is ended when it takes too long. */
  readonly startThread: StartTextThread;
  /** A text or task file that the lab brings along, by its place in `fixtures`: `text/scripture.txt`. */
  readonly openBundled: (path: string) => Promise<ByteSource>;
}
