import { formatCount, formatNumber } from "../../base/format.ts";
import type { Roundings } from "../../engine/roundings.ts";
import type { WordFigures } from "../../engine/word-statistics.ts";
import { shortName } from "../parts/safe-name.ts";

/** What the answer of the words stands on. */
export interface WordsAnswered {
  readonly scheme: string;
  readonly figures: WordFigures;
  readonly source: string;
  readonly doneWindows: number;
  readonly windows: number;
  readonly roundings: Roundings;
}

/** How many words change under a recipe, and in how few places its divergence lies. */
export function wordsAnswer(answered: WordsAnswered) {
  const { scheme, figures, source, doneWindows, windows, roundings } = answered;
  const { positions, notFinite, flips, lost, found, meanKld, halfShare } = figures;
  const name = shortName(scheme);
  const sentence =
    positions === 0
      ? `No position of ${name} has a finite score.`
      : `${name} changes the most likely token at ${formatCount(flips)} of ${formatCount(positions)} positions; ${halfWords(halfShare)}.`;
  const evidence = [
    source,
    ...(doneWindows < windows ? [`${formatCount(doneWindows)} of ${formatCount(windows)} windows so far`] : []),
    ...(flips === 0 ? [] : [`${lostWords(lost)}, ${found === 0 ? "none finds it" : `${formatCount(found)} find it`}`]),
    ...(meanKld === null ? [] : [`mean KLD ${formatNumber(meanKld)} nats`]),
    ...(notFinite === 0 ? [] : [`${formatCount(notFinite)} positions are not finite and left out`]),
    roundedWords(roundings),
    "the second half of each window is scored",
  ].join(" · ");
  // A large heading is balanced over its lines: no number may fall apart there.
  return { sentence: sentence.replaceAll("\u2009", "\u202f"), evidence };
}

function halfWords(share: number | null): string {
  return share === null
    ? "it diverges nowhere"
    : `half of its divergence lies in ${formatNumber(share * 100, 2)} % of them`;
}

function lostWords(lost: number): string {
  return lost === 0 ? "no flip loses the right word" : `${formatCount(lost)} flips lose the right word`;
}

/** What the run rounded: `weights and activations rounded`. */
function roundedWords({ weights, activations, kvCache }: Roundings): string {
  const parts = [
    ...(weights ? ["weights"] : []),
    ...(activations ? ["activations where the scheme says so"] : []),
    ...(kvCache === null ? [] : [`KV cache ${kvCache}`]),
  ];
  return parts.length === 0 ? "nothing is rounded" : `rounded: ${parts.join(", ")}`;
}

/** Before anything ran over text. */
export const WORDS_QUESTION = {
  sentence: "Measure on text to see what quantizing does to the words.",
  evidence:
    "The original and every scheme run over the same text; each word is then tinted by how far their predictions of it are apart.",
};
