import { LabError, quote } from "../base/errors.ts";
import { formatPercent } from "../base/format.ts";

/**
 * Which weights of a matrix become zero, chosen by their magnitude.
 * `n-of-m`: of every `m` neighbours along the input, the `n` smallest; of equals the later one. LLM Compressor's
 *   `mask_structure: "N:M"`; 2:4 is what NVIDIA's sparse tensor cores take.
 * `unstructured`: all up to the magnitude of the k-th smallest, k = floor(share · weights), so that equals go together.
 *   Source: LLM Compressor 0.14 `modifiers/pruning/utils/pytorch/mask_factory.py :: unstructured_pruning`.
 * `rows`, `columns`: the floor(share · count) whole rows or columns with the smallest Euclidean norm; of equals the later.
 */
export type Pruning =
  | { readonly structure: "n-of-m"; readonly n: number; readonly m: number }
  | { readonly structure: "unstructured" | "rows" | "columns"; readonly share: number };

/** Longest pattern that `n-of-m` takes. NVIDIA's tensor cores know 2:4; research goes up to 16:32. */
const MAX_PATTERN_LENGTH = 32;

/** A share has at most six digits after its point: finer ones would choose no other weights of any layer that exists. */
const SHARE = /^0?\.[0-9]{1,6}$/;

/**
 * A pruning by its name: `magnitude:2:4`, `magnitude:0.5`, `magnitude:rows:0.25` or `magnitude:columns:0.25`, whatever the
 * letter case. 1 ≤ n < m ≤ 32; a share is a decimal number between 0 and 1, both excluded.
 * @throws LabError `scheme/bad-pruning`
 */
export function parsePruning(text: string): Pruning {
  const [method, ...rest] = text.trim().toLowerCase().split(":");
  if (method !== "magnitude") throw badPruning(text, `the method "${quote(method ?? "")}"`, "magnitude");
  const [first = "", second, ...more] = rest;
  if (more.length > 0) throw badPruning(text, `${rest.length} parts after "magnitude"`, FORMS);
  if (second === undefined) return { structure: "unstructured", share: parseShare(first, text) };
  if (first === "rows" || first === "columns") return { structure: first, share: parseShare(second, text) };
  const [n, m] = [first, second].map((count) => (/^[1-9][0-9]?$/.test(count) ? Number(count) : Number.NaN));
  if (n === undefined || m === undefined || !(n < m && m <= MAX_PATTERN_LENGTH)) {
    throw badPruning(
      text,
      `"${quote(first)}:${quote(second)}"`,
      `N:M with 1 ≤ N < M ≤ ${MAX_PATTERN_LENGTH}; ${FORMS}`,
    );
  }
  return { structure: "n-of-m", n, m };
}

const FORMS = "magnitude:N:M, magnitude:SHARE, magnitude:rows:SHARE or magnitude:columns:SHARE";

function parseShare(share: string, text: string): number {
  const value = SHARE.test(share) ? Number(share) : 0;
  if (value > 0) return value;
  throw badPruning(text, `a share of "${quote(share)}"`, "a decimal number above 0 and below 1, such as 0.5 or 0.125");
}

/** The one spelling of a pruning; `parsePruning` reads it back. */
export function pruningName(pruning: Pruning): string {
  switch (pruning.structure) {
    case "n-of-m":
      return `magnitude:${pruning.n}:${pruning.m}`;
    case "unstructured":
      return `magnitude:${pruning.share}`;
    case "rows":
    case "columns":
      return `magnitude:${pruning.structure}:${pruning.share}`;
  }
}

/** A pruning in words: `of every 4 neighbours the 2 smallest become zero`. */
export function describePruning(pruning: Pruning): string {
  switch (pruning.structure) {
    case "n-of-m": {
      const smallest = pruning.n === 1 ? "the smallest becomes" : `the ${pruning.n} smallest become`;
      return `of every ${pruning.m} neighbours ${smallest} zero`;
    }
    case "unstructured":
      return `the smallest ${formatPercent(pruning.share)} of a matrix become zero`;
    case "rows":
    case "columns":
      return `the ${formatPercent(pruning.share)} of a matrix's ${pruning.structure} with the smallest norms become zero`;
  }
}

function badPruning(text: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "scheme/bad-pruning",
    doing: `reading the pruning "${quote(text)}"`,
    found,
    allowed,
    advice: "write it like magnitude:2:4 or magnitude:0.5",
    fields: { pruning: quote(text) },
  });
}
