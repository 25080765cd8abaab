import { formatCount, formatNumber } from "../../base/format.ts";
import type { MeasuredTokens, TokenScores } from "../../engine/measure-result.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import { type Flip, layOutWindow, TINT_CUTS, type TokenAt, tintLevel } from "../../engine/word-statistics.ts";
import { type Pieces, pieceOf, pieceWords, runningPiece } from "../parts/pieces.ts";
import { shortName } from "../parts/safe-name.ts";

/** A token as it is read. */
export interface ShownToken {
  readonly place: number;
  /** The blank before a word stands outside of what is marked. */
  readonly lead: string;
  readonly core: string;
  /** Real breaks after their sign. */
  readonly breaks: string;
  /** `context`: not scored; `waiting`: not yet; `blank`: its score is not finite. */
  readonly state: "context" | "waiting" | "blank" | "scored";
  /** Of the scored: 0 below the first cut. */
  readonly level: number;
  readonly flip: Flip | null;
  readonly score: number | null;
}

/** What one window shows under one recipe. */
export interface WordTextData {
  readonly tokens: MeasuredTokens;
  readonly text: PreparedText;
  readonly window: number;
  readonly scheme: string;
  /** Null where the recipe was not measured. */
  readonly scores: TokenScores | null;
  readonly flips: readonly Flip[];
}

export function shownTokens(data: WordTextData, pieces: Pieces): readonly ShownToken[] {
  const { tokens, text, window, scores, flips } = data;
  const flipAt = new Map(flips.flatMap((flip) => (flip.window === window ? [[flip.place, flip]] : [])));
  return layOutWindow(tokens, text.windows[window] ?? [], window).map((token): ShownToken => {
    const { id, place, isScored, score } = token;
    const kld = score === null || scores === null ? null : (scores.kld[score] ?? Number.NaN);
    const level = kld === null ? null : tintLevel(kld);
    const state = !isScored ? "context" : kld === null ? "waiting" : level === null ? "blank" : "scored";
    return {
      place,
      ...readablePiece(runningPiece(pieces, id)),
      state,
      level: level ?? 0,
      flip: flipAt.get(place) ?? null,
      score,
    };
  });
}

/** A piece for running text: white space that is all of it as signs, a word without its blank, breaks after their sign. */
export function readablePiece(piece: string): Pick<ShownToken, "lead" | "core" | "breaks"> {
  const breaks = "\n".repeat((piece.match(/\n/g) ?? []).length);
  const isBlank = piece.trim() === "";
  const lead = isBlank ? "" : (/^ */.exec(piece)?.[0] ?? "");
  const core = piece
    .slice(lead.length)
    .replace(/[\n\r]/g, "↵")
    .replace(/\t/g, "⇥");
  return { lead, core: isBlank ? core.replace(/ /g, "·") : core, breaks };
}

/** A token, spoken: what was predicted there before and after, and how far apart that is. */
export function tokenSentence(token: ShownToken, { scheme, scores }: WordTextData, pieces: Pieces, id: number): string {
  const name = `token ${pieceWords(pieceOf(pieces, id))}`;
  const { state, score } = token;
  if (state === "context") return token.place === 0 ? `${name}, first of the window` : `${name}, context, not scored`;
  if (state === "waiting" || scores === null || score === null) return `${name}, not measured yet`;
  if (state === "blank") return `${name}, its score is not a finite number`;
  const top = (column: "topBase" | "top"): string => pieceWords(pieceOf(pieces, scores[column][score] ?? 0));
  const share = (column: "pTopBase" | "pTop"): string => shareWords(scores[column][score] ?? Number.NaN);
  return [
    name,
    `predicted by the original ${top("topBase")} ${share("pTopBase")}`,
    `by ${shortName(scheme)} ${top("top")} ${share("pTop")}`,
    `KL ${formatNumber(scores.kld[score] ?? Number.NaN, 2)} nats`,
    `Δp ${shareWords(scores.deltaP[score] ?? Number.NaN)}`,
    ...(token.flip === null ? [] : ["flipped"]),
  ].join(", ");
}

/** A probability, or a difference of two, in two digits: `31 %`. */
export function shareWords(share: number): string {
  return `${formatNumber(share * 100, 2)} %`;
}

/** What stands below the chosen flip: `" was" → " had"` without quotes. */
export function flipWords({ before, after }: Flip, pieces: Pieces): string {
  const bare = (id: number): string =>
    pieceWords(pieceOf(pieces, id)).slice(1, -1).trim() || pieceWords(pieceOf(pieces, id));
  return `${bare(before)} → ${bare(after)}`;
}

/** Which window is read: `window 3 of 16, scripture`. */
export function windowWords({ windows, slices }: PreparedText, window: number): string {
  const slice = slices.find(({ places }) => places.includes(window));
  return `Window ${formatCount(window + 1)} of ${formatCount(windows.length)}${slice === undefined ? "" : `, ${slice.name}`}`;
}

/** The tints in words: `under 0.01`, `0.01`, …, `1 and more`. */
export const TINT_WORDS: readonly string[] = [
  `under ${TINT_CUTS[0]}`,
  ...TINT_CUTS.map((cut, at) => (at === TINT_CUTS.length - 1 ? `${cut} and more` : String(cut))),
];

/** Tokens that are laid out, found and focused together. */
export interface Chunk {
  readonly start: number;
  readonly tokens: readonly ShownToken[];
  /** The same letters without marks, for what is far from view. */
  readonly plain: string;
}

/** Tokens of a chunk: few enough that one is made within a frame. */
const CHUNK = 96;

/**
 * A window in chunks. Only those near the view are made of one element a token; the others stand there as plain text, which is as
 * long and as high, is found by the browser's search, and costs nothing: so ten thousand tokens scroll as one hundred do.
 */
export function chunksOf(tokens: readonly ShownToken[]): readonly Chunk[] {
  return Array.from({ length: Math.ceil(tokens.length / CHUNK) }, (_, at) => {
    const own = tokens.slice(at * CHUNK, (at + 1) * CHUNK);
    return {
      start: at * CHUNK,
      tokens: own,
      plain: own.map(({ lead, core, breaks }) => lead + core + breaks).join(""),
    };
  });
}

/** Whether a token is the chosen one. */
export function isAt(token: TokenAt | null, window: number, place: number): boolean {
  return token !== null && token.window === window && token.place === place;
}
