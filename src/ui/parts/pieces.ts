import { css, html, type TemplateResult } from "lit";

/** The text of token ids, as far as it is known. Untrusted, made safe to show by the engine. */
export type Pieces = ReadonlyMap<number, string>;

/** The text of a token; its number until that is known. */
export function pieceOf(pieces: Pieces, id: number): string {
  return pieces.get(id) ?? `#${id}`;
}

/** The text of a token in running text: numbers that stand for it are kept apart. */
export function runningPiece(pieces: Pieces, id: number): string {
  const piece = pieceOf(pieces, id);
  return piece === `#${id}` ? ` ${piece}` : piece;
}

const SIGNS: Readonly<Record<string, string>> = { " ": "·", "\n": "↵", "\r": "↵", "\t": "⇥" };

/** A part of a token's text: white space as signs, or letters as they are. */
export interface PiecePart {
  readonly text: string;
  readonly isSpace: boolean;
}

/** White space that would be lost on the eye as signs, apart from the rest: `·`, `↵`, `⇥`. */
export function pieceParts(piece: string): readonly PiecePart[] {
  return (piece.match(/\s+|\S+/gu) ?? []).map((text) =>
    /^\s/u.test(text)
      ? { text: Array.from(text, (sign) => SIGNS[sign] ?? "·").join(""), isSpace: true }
      : { text, isSpace: false },
  );
}

/** A token in a sentence: `" heaven"`, breaks as signs, so that the sentence stays one line. */
export function pieceWords(piece: string): string {
  return `"${piece.replace(/[\n\r\t]/g, (sign) => SIGNS[sign] ?? sign)}"`;
}

/** A token in a list, its white space visible and subtle. */
export function pieceMark(piece: string): TemplateResult {
  return html`<bdi class="piece">${pieceParts(piece).map(({ text, isSpace }) => (isSpace ? html`<span class="space">${text}</span>` : text))}</bdi>`;
}

export const pieceStyles = css`
  .piece {
    font: 13px/18px var(--mono);
    white-space: pre-wrap;
  }
  .space {
    color: var(--ink-3);
  }
`;
