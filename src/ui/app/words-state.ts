import type { LabErrorData } from "../../base/errors.ts";
import type { GenerationResult, HealResult, TaskResult, TokenLook } from "../../engine/diagnosis-api.ts";
import type { MeasuredTokens } from "../../engine/measure-result.ts";
import type { RunRules } from "../../engine/roundings.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import { type Flip, flipsOf, type TokenAt, type WordFigures, wordFigures } from "../../engine/word-statistics.ts";
import type { GenerationAsk, Healing } from "../panels/panel-events.ts";
import type { Fetched } from "../parts/fetched.ts";
import type { Pieces } from "../parts/pieces.ts";
import { type AskedOnce, NOT_ASKED } from "./asked-once.ts";

/** Every position that was scored, and what it was scored on. */
export interface MeasuredWords {
  readonly tokens: MeasuredTokens;
  readonly text: PreparedText;
  readonly rules: RunRules;
}

/** What the surface of words shows. */
export interface WordsState {
  /** Null until a position is scored. */
  readonly measured: MeasuredWords | null;
  readonly pieces: Pieces;
  /** Why some tokens are shown by their number, or null. */
  readonly piecesFailure: LabErrorData | null;
  /** The window that is read, and the token that is chosen. */
  readonly window: number;
  readonly token: TokenAt | null;
  /** Predictions, by `tokenKey`. */
  readonly looks: ReadonlyMap<string, Fetched<TokenLook>>;
  readonly healing: Healing;
  /** What heals, by `healKey`. */
  readonly heals: ReadonlyMap<string, Fetched<HealResult>>;
  readonly generationAsk: GenerationAsk;
  readonly generation: AskedOnce<GenerationResult>;
  /** Multiple-choice items; null: the bundled ones. */
  readonly taskFile: File | null;
  readonly answers: AskedOnce<TaskResult>;
}

export const NO_WORDS: WordsState = {
  measured: null,
  pieces: new Map(),
  piecesFailure: null,
  window: 0,
  token: null,
  looks: new Map(),
  healing: { unit: "layer", isWhole: false },
  heals: new Map(),
  generationAsk: { prompts: 16, tokens: 64 },
  generation: NOT_ASKED,
  taskFile: null,
  answers: NOT_ASKED,
};

/** Under which key the predictions of a token are kept. */
export function tokenKey(scheme: string, { window, place }: TokenAt): string {
  return `${scheme}\n${window} ${place}`;
}

/** Under which key it is kept what heals; of a token where one is chosen and it is not asked for the whole text. */
export function healKey(scheme: string, { unit }: Healing, at: TokenAt | null): string {
  return `${scheme}\n${unit}\n${at === null ? "all" : `${at.window} ${at.place}`}`;
}

/** The token that is healed; null for all of the text. */
export function healedToken({ healing, token }: WordsState): TokenAt | null {
  return healing.isWhole ? null : token;
}

/** The scores of one recipe, and what they amount to. */
export interface SchemeWords {
  readonly scheme: string;
  readonly scores: MeasuredTokens["rows"][number]["scores"];
  readonly flips: readonly Flip[];
  readonly figures: WordFigures;
}

/** Added up once for each state of a measurement. */
const known = new WeakMap<MeasuredTokens["rows"][number]["scores"], SchemeWords>();

/** The scores of a recipe; null where it was not measured. */
export function schemeWords({ measured }: WordsState, scheme: string): SchemeWords | null {
  const row = measured?.tokens.rows.find((own) => own.scheme === scheme);
  if (measured === null || row === undefined) return null;
  const before = known.get(row.scores);
  if (before?.scheme === scheme) return before;
  const flips = flipsOf(measured.tokens, row.scores, measured.text.windows);
  const words = { scheme, scores: row.scores, flips, figures: wordFigures(row.scores, flips) };
  known.set(row.scores, words);
  return words;
}
