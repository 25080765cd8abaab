import type { NextToken, TokenLook } from "../../engine/diagnosis-api.ts";
import type { MeasuredTokens, TokenScores } from "../../engine/measure-result.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import { idsAround, scoreOf, type TokenAt, type TokenScore, tokenScore } from "../../engine/word-statistics.ts";
import { type Pieces, pieceOf, runningPiece } from "../parts/pieces.ts";

/** The chosen token under one recipe. */
export interface TokenFactsData {
  readonly tokens: MeasuredTokens;
  readonly text: PreparedText;
  readonly token: TokenAt;
  readonly scheme: string;
  readonly scores: TokenScores;
}

/** What is known of it before anything is asked. */
export interface TokenFacts {
  /** The words that lead to it. */
  readonly before: string;
  readonly own: string;
  readonly score: TokenScore;
}

/** Tokens before the chosen one that remind of the place. */
const REMINDER = 6;

export function tokenFacts({ tokens, text, token, scores }: TokenFactsData, pieces: Pieces): TokenFacts | null {
  const score = scoreOf(tokens, token);
  if (score === null) return null;
  const { before, own } = idsAround(text.windows[token.window] ?? [], token.place, REMINDER, 0);
  return {
    before: before.map((id) => runningPiece(pieces, id)).join(""),
    own: own === null ? "" : runningPiece(pieces, own),
    score: tokenScore(scores, score),
  };
}

/** One line of a list of next tokens. */
export interface NextRow {
  readonly id: number;
  readonly piece: string;
  readonly p: number;
  readonly q: number;
  /** It is the one that came. */
  readonly isNext: boolean;
}

/** The first ten of each, and the largest probability among them: both lists are drawn to it. */
export function nextRows(look: TokenLook, pieces: Pieces) {
  const row = ({ id, p, q }: NextToken): NextRow => ({
    id,
    piece: pieceOf(pieces, id),
    p,
    q,
    isNext: id === look.next?.id,
  });
  const all = [...look.original, ...look.variant];
  return {
    original: look.original.map(row),
    variant: look.variant.map(row),
    largest: Math.max(0, ...all.flatMap(({ p, q }) => [p, q])),
  };
}
