import { formatCount, formatNumber } from "../../base/format.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import { type Flip, type FlipKind, type FlipOrder, idsAround, worstFlips } from "../../engine/word-statistics.ts";
import type { Caption } from "../charts/chart.ts";
import { type Pieces, pieceOf, runningPiece } from "../parts/pieces.ts";
import { shortName } from "../parts/safe-name.ts";

/** One flip, with the words around it. */
export interface FlipRow {
  readonly flip: Flip;
  readonly rank: string;
  readonly before: string;
  readonly own: string;
  readonly after: string;
  readonly was: string;
  readonly became: string;
  readonly meaning: string;
  readonly deltaP: string;
  readonly kld: string;
}

const MEANINGS: Readonly<Record<FlipKind, string>> = {
  lost: "lost",
  found: "found",
  wrong: "neither had it",
};

/** Tokens before and after that tell where it is. */
const AROUND = { before: 6, after: 5 } as const;

/** The worst flips, as many as are asked for. */
export function flipRows(
  flips: readonly Flip[],
  by: FlipOrder,
  most: number,
  { windows }: PreparedText,
  pieces: Pieces,
): readonly FlipRow[] {
  const join = (ids: readonly number[]): string =>
    ids
      .map((id) => runningPiece(pieces, id))
      .join("")
      .replace(/\s+/g, " ");
  return worstFlips(flips, by)
    .slice(0, most)
    .map((flip, at) => {
      const around = idsAround(windows[flip.window] ?? [], flip.place, AROUND.before, AROUND.after);
      return {
        flip,
        rank: formatCount(at + 1),
        before: join(around.before),
        own: around.own === null ? "" : runningPiece(pieces, around.own),
        after: join(around.after),
        was: pieceOf(pieces, flip.before),
        became: pieceOf(pieces, flip.after),
        meaning: MEANINGS[flip.kind],
        deltaP: formatNumber(flip.deltaP * 100, 2),
        kld: formatNumber(flip.kld, 3),
      };
    });
}

/** What the list says: how many flips, and what became of the right word. */
export function flipsCaption(flips: readonly Flip[], scheme: string): Caption {
  const count = (kind: FlipKind): string => formatCount(flips.filter((flip) => flip.kind === kind).length);
  if (flips.length === 0) {
    return { strong: `${shortName(scheme)} flips nothing.`, plain: "The most likely word stays the same everywhere." };
  }
  const strong = flips.length === 1 ? "One flip." : `${formatCount(flips.length)} flips, the worst first.`;
  const plain = `${count("lost")} lose the right word, ${count("found")} find it, ${count("wrong")} were wrong before and after.`;
  return { strong, plain };
}
