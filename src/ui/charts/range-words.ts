import { formatCount } from "../../base/format.ts";

/** Whole numbers from `from` up to, not with, `end`: `7`, `0 to 127`. */
export function rangeWords(from: number, end: number): string {
  return end - from <= 1 ? formatCount(from) : `${formatCount(from)} to ${formatCount(end - 1)}`;
}
