import { BlockBootstrap, type Interval, type WindowSums, windowSums } from "./block-bootstrap.ts";
import { scoredRange, type TokenScores } from "./token-scores.ts";

/** One window of the evaluated text with its scores. */
export interface ScoredWindow {
  /** Name of the slice of the text that it comes from. */
  readonly slice: string;
  /** Token ids of the whole window. */
  readonly tokens: ArrayLike<number>;
  /** Of its scored positions, `scoredRange(tokens.length)`. */
  readonly scores: TokenScores;
}

/** What makes a part of the scored positions: their slice of the text, a late place in the window, a rare next token. */
export type SliceKind = "text" | "late" | "rare";

/** Mean KL divergence over a part of the scored positions. */
export interface SliceDivergence {
  readonly kind: SliceKind;
  /** Of the slice of the text; of the other kinds, the kind again. */
  readonly name: string;
  readonly positions: number;
  /** Windows that have such positions. */
  readonly windows: number;
  /** Mean, nats; NaN where a position is not finite. */
  readonly kld: number;
  /** By block bootstrap over those windows; null for one window, and where a position is not finite. */
  readonly interval: Interval | null;
}

/** Share of the scored positions that rare tokens make up at least. */
const RARE_SHARE = 0.1;

/**
 * Mean KL divergence over parts of the scored positions; parts without positions are left out.
 *
 * - `text`: a row for each slice of the text, in the order in which they first occur; slices and the parts below overlap.
 * - `late`: the second half of each window's scored positions (of an odd number, the middle one too), which have seen most.
 * - `rare`: positions before a rare token. Tokens are counted over all windows, every position; rare are those that occur at
 *   most c times, c the least count with which they make up a tenth of the scored positions. Tokens of one count are rare
 *   together or not at all. Left out where that makes every position rare, since it then says nothing.
 */
export function sliceDivergences(windows: readonly ScoredWindow[]): readonly SliceDivergence[] {
  const slices = [...new Set(windows.map(({ slice }) => slice))];
  const isRare = rareTokens(windows);
  const parts: readonly (readonly [SliceKind, string, (window: ScoredWindow) => WindowSums])[] = [
    ...slices.map(
      (name) =>
        [
          "text",
          name,
          ({ slice, scores }: ScoredWindow) => windowSums(scores, slice === name ? undefined : []),
        ] as const,
    ),
    ["late", "late", ({ scores }) => sumsWhere(scores, (row) => row >= Math.floor(scores.kld.length / 2))],
    ["rare", "rare", ({ tokens, scores }) => sumsWhere(scores, (row) => isRare(targetOf(tokens, row)))],
  ];
  return parts.flatMap(([kind, name, sumsOf]) => {
    const bootstrap = new BlockBootstrap(windows.map(sumsOf));
    const { positions, windows: count, figures } = bootstrap;
    if (positions === 0) return [];
    return [{ kind, name, positions, windows: count, kld: figures.kld, interval: bootstrap.interval("kld") }];
  });
}

function sumsWhere(scores: TokenScores, isMeant: (row: number) => boolean): WindowSums {
  return windowSums(scores, [...scores.kld.keys()].filter(isMeant));
}

/** The token that came after a scored position. */
function targetOf(tokens: ArrayLike<number>, row: number): number {
  return tokens[scoredRange(tokens.length).start + row + 1] ?? 0;
}

/** Tells rare tokens; none is where all would be. */
function rareTokens(windows: readonly ScoredWindow[]): (token: number) => boolean {
  const counts = new Map<number, number>();
  for (const { tokens } of windows) {
    for (let place = 0; place < tokens.length; place++) {
      const token = tokens[place] ?? 0;
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  const countOf = (token: number) => counts.get(token) ?? 0;
  const targets = windows.flatMap(({ tokens, scores }) =>
    Array.from(scores.kld, (_, row) => countOf(targetOf(tokens, row))),
  );
  targets.sort((one, other) => one - other);
  const most = targets[Math.ceil(RARE_SHARE * targets.length) - 1] ?? 0;
  return most === targets.at(-1) ? () => false : (token) => countOf(token) <= most;
}
