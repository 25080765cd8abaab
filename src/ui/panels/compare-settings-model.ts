import { formatBytes, formatCount } from "../../base/format.ts";
import type { KeptResults } from "../../engine/api.ts";

/** What the lab keeps on this machine: `3 results kept here, 1.24 MB`; empty where it keeps nothing. */
export function keptWords(kept: KeptResults | null): string {
  const entries = kept?.entries ?? [];
  if (entries.length === 0) return "";
  const bytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${formatCount(entries.length)} ${entries.length === 1 ? "result" : "results"} kept here, ${formatBytes(bytes)}`;
}

/** Limits on a hand-written list: more is a paste by mistake. */
const MAX_PATTERNS = 200;
const MAX_PATTERN_LENGTH = 500;

/** The patterns of a line, separated by commas that are followed by a space or by line ends, so that `re:a{1,2}` stays whole. */
export function parsePatterns(text: string): readonly string[] {
  return text
    .split(/,\s+|\n|,$/)
    .map((pattern) => pattern.trim().slice(0, MAX_PATTERN_LENGTH))
    .filter((pattern) => pattern !== "")
    .slice(0, MAX_PATTERNS);
}

/** The line that `parsePatterns` reads back. */
export function formatPatterns(patterns: readonly string[]): string {
  return patterns.join(", ");
}
