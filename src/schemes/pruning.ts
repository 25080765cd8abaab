import { LabError, quote } from "../base/errors.ts";
import { formatPercent } from "../base/format.ts";

/** What ranks the weights of a matrix. */
export const CRITERIA = ["magnitude", "wanda", "sparsegpt"] as const;
export type PruningCriterion = (typeof CRITERIA)[number];

/**
 * Which weights of a matrix [out, in] become zero: those of the smallest score.
 * `criterion`
 * - `magnitude`: |w|.
 * - `wanda`: |w| times the Euclidean norm of the input that it multiplies, over a calibration text. Source: Sun et al., A
 *   Simple and Effective Pruning Approach for Large Language Models (2024), equation 1.
 * - `sparsegpt`: what the outputs' error over a calibration text grows by, w² / [H⁻¹] of the columns from its own on. The
 *   weights that stay are changed to make up for it, column by column. Source: Frantar and Alistarh, SparseGPT (2023),
 *   section 3.
 *
 * `structure`
 * - `n-of-m`: of every `m` neighbours along the input, the `n` smallest; of equals the later one by magnitude, else the
 *   earlier one. LLM Compressor's `mask_structure: "N:M"`; 2:4 is what NVIDIA's sparse tensor cores take.
 * - `unstructured`: a share, counted otherwise by each criterion, as LLM Compressor 0.14 counts it.
 *   `magnitude`: all of a matrix up to the magnitude of the k-th smallest, k = floor(share · weights), so that equals go
 *   together (`modifiers/pruning/utils/pytorch/mask_factory.py :: unstructured_pruning`).
 *   `wanda`: of each row the floor(columns · share) smallest, of equals the earlier (`pruning/wanda/wanda_sparsify.py`).
 *   `sparsegpt`: of each block of 128 columns, over all rows, every score up to the one at place floor(weights · share) of
 *   the block's scores in rising order, counted from 0; so at least one weight of a block (`pruning/sparsegpt/sgpt_sparsify.py`).
 * - `rows`, `columns`: the floor(share · count) whole rows or columns with the smallest Euclidean norm; of equals the later.
 */
export type WeightPruning =
  | { readonly criterion: PruningCriterion; readonly structure: "n-of-m"; readonly n: number; readonly m: number }
  | { readonly criterion: PruningCriterion; readonly structure: "unstructured"; readonly share: number }
  | { readonly criterion: "magnitude"; readonly structure: "rows" | "columns"; readonly share: number };

/** Parts that a model can do without, so that it becomes smaller. */
export const PARTS = ["channels", "heads", "layers"] as const;

/**
 * Which parts of a model go: floor(share · count) of them, as many in every layer, because config.json has one number for all.
 * - `channels` of each MLP, by Wanda's scores of the weights that read them in `down_proj`, squared and summed.
 * - `heads` of each attention, a key and value head with all its query heads, by the same of `o_proj`.
 * - `layers` of the decoder, by how little they change the residual stream: 1 − the mean cosine between what goes in and what
 *   comes out. Source: Men et al., ShortGPT (2024), section 3.1, block influence.
 * The smallest scores go, of equals the earlier.
 */
export interface PartPruning {
  readonly criterion: "wanda";
  readonly structure: (typeof PARTS)[number];
  readonly share: number;
}

export type Pruning = WeightPruning | PartPruning;

/** Columns that SparseGPT prunes at a time: LLM Compressor's `block_size`. */
export const SPARSEGPT_BLOCK = 128;

/** Longest pattern that `n-of-m` takes. NVIDIA's tensor cores know 2:4; research goes up to 16:32. */
const MAX_PATTERN_LENGTH = 32;

/** A share has at most six digits after its point: finer ones would choose no other weights of any layer that exists. */
const SHARE = /^0?\.[0-9]{1,6}$/;

/**
 * A pruning by its name: `magnitude:2:4`, `wanda:2:4`, `sparsegpt:0.5`, `magnitude:rows:0.25`, `magnitude:columns:0.25`,
 * `wanda:channels:0.25`, `wanda:heads:0.25` or `wanda:layers:0.25`, whatever the letter case. 1 ≤ n < m ≤ 32, for SparseGPT m
 * divides its blocks of 128 columns; a share is a decimal number between 0 and 1, both excluded.
 * @throws LabError `scheme/bad-pruning`
 */
export function parsePruning(text: string): Pruning {
  const [head = "", ...rest] = text.trim().toLowerCase().split(":");
  const criterion = CRITERIA.find((name) => name === head);
  if (!criterion) throw badPruning(text, `the method "${quote(head)}"`, CRITERIA.join(", "));
  const [first = "", second, ...more] = rest;
  if (more.length > 0) throw badPruning(text, `${rest.length} parts after "${criterion}"`, FORMS);
  if (second === undefined) return { criterion, structure: "unstructured", share: parseShare(first, text) };
  if (first === "rows" || first === "columns") {
    if (criterion === "magnitude") return { criterion, structure: first, share: parseShare(second, text) };
    throw badPruning(text, `"${first}" with ${criterion}`, `whole rows and columns by magnitude only; ${FORMS}`);
  }
  const part = PARTS.find((name) => name === first);
  if (part) {
    if (criterion === "wanda") return { criterion, structure: part, share: parseShare(second, text) };
    throw badPruning(text, `"${first}" with ${criterion}`, `${PARTS.join(", ")} by wanda only; ${FORMS}`);
  }
  const [n, m] = [first, second].map((count) => (/^[1-9][0-9]?$/.test(count) ? Number(count) : Number.NaN));
  if (n === undefined || m === undefined || !(n < m && m <= MAX_PATTERN_LENGTH)) {
    throw badPruning(
      text,
      `"${quote(first)}:${quote(second)}"`,
      `N:M with 1 ≤ N < M ≤ ${MAX_PATTERN_LENGTH}; ${FORMS}`,
    );
  }
  // The tool counts patterns anew in each block: one that crossed its border would be cut in two.
  if (criterion === "sparsegpt" && SPARSEGPT_BLOCK % m !== 0) {
    throw badPruning(
      text,
      `patterns of ${m}`,
      `patterns that fit into blocks of ${SPARSEGPT_BLOCK} columns: 2, 4, 8, 16, 32`,
    );
  }
  return { criterion, structure: "n-of-m", n, m };
}

const FORMS =
  "CRITERION:N:M, CRITERION:SHARE, magnitude:rows:SHARE, magnitude:columns:SHARE or wanda:PARTS:SHARE with channels, heads or layers";

/** Whether a text is meant as a pruning, by the word that it begins with. */
export function beginsPruning(text: string): boolean {
  return CRITERIA.some((name) => text.trim().toLowerCase().startsWith(`${name}:`));
}

/** Whether which weights go can only be told from running a calibration text. */
export function prunesByCalibration(pruning: Pruning | null): boolean {
  return pruning !== null && pruning.criterion !== "magnitude";
}

/** Whether parts of the model go, and not only weights become zero. */
export function removesParts(pruning: Pruning): pruning is PartPruning {
  return PARTS.some((part) => part === pruning.structure);
}

function parseShare(share: string, text: string): number {
  const value = SHARE.test(share) ? Number(share) : 0;
  if (value > 0) return value;
  throw badPruning(text, `a share of "${quote(share)}"`, "a decimal number above 0 and below 1, such as 0.5 or 0.125");
}

/** The one spelling of a pruning; `parsePruning` reads it back. */
export function pruningName(pruning: Pruning): string {
  const { criterion, structure } = pruning;
  switch (structure) {
    case "n-of-m":
      return `${criterion}:${pruning.n}:${pruning.m}`;
    case "unstructured":
      return `${criterion}:${pruning.share}`;
    case "rows":
    case "columns":
    case "channels":
    case "heads":
    case "layers":
      return `${criterion}:${structure}:${pruning.share}`;
  }
}

/** A pruning in words: `of every 4 neighbours the 2 smallest become zero`. */
export function describePruning(pruning: Pruning): string {
  const { criterion, structure } = pruning;
  const score = SCORES[criterion];
  const after = criterion === "sparsegpt" ? ", the others make up for it" : "";
  switch (structure) {
    case "n-of-m": {
      const smallest = pruning.n === 1 ? `the smallest${score} becomes` : `the ${pruning.n} smallest${score} become`;
      return `of every ${pruning.m} neighbours ${smallest} zero${after}`;
    }
    case "unstructured":
      return `the smallest ${formatPercent(pruning.share)}${score} of ${SHARED[criterion]} become zero${after}`;
    case "rows":
    case "columns":
      return `the ${formatPercent(pruning.share)} of a matrix's ${structure} with the smallest norms become zero`;
    case "channels":
      return `the ${formatPercent(pruning.share)} of each MLP's channels that Wanda scores lowest go`;
    case "heads":
      return `the ${formatPercent(pruning.share)} of each attention's key and value heads that Wanda scores lowest go, with their query heads`;
    case "layers":
      return `the ${formatPercent(pruning.share)} of the layers that change the residual stream least go`;
  }
}

const SCORES: Readonly<Record<PruningCriterion, string>> = {
  magnitude: "",
  wanda: " by Wanda",
  sparsegpt: " by SparseGPT",
};

/** What a share is taken of. */
const SHARED: Readonly<Record<PruningCriterion, string>> = {
  magnitude: "a matrix",
  wanda: "each row",
  sparsegpt: `each ${SPARSEGPT_BLOCK} columns`,
};

function badPruning(text: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "scheme/bad-pruning",
    doing: `reading the pruning "${quote(text)}"`,
    found,
    allowed,
    advice: "write it like magnitude:2:4, wanda:2:4 or sparsegpt:0.5",
    fields: { pruning: quote(text) },
  });
}
