import { formatCount, formatDuration, formatNumber } from "../../base/format.ts";
import { belowFloorWords, divergenceAnswer, settledWords } from "../../engine/divergence-words.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";

/** A sentence that answers the question of a surface, and what it stands on. */
export interface Answer {
  readonly sentence: string;
  readonly evidence: string;
}

/** What a measurement answers, finished or growing; null before its first figure. */
export function measurementAnswer(result: MeasureResult): Answer | null {
  const answer = divergenceAnswer(result);
  if (answer === null) return null;
  const { text, rows, verdict, arithmetic, elapsedMs, finished, roundings } = result;
  const rounding = roundings.activations ? [] : rows.filter(({ roundsActivations }) => roundsActivations);
  const weightsAlone = rounding.map(({ scheme }) => shortName(scheme));
  const evidence = [
    text.name,
    `${formatCount(rows[0]?.divergence?.scored ?? 0)} positions`,
    ...(text.doneWindows > 1 ? ["intervals at 95 %, drawn over windows"] : []),
    finished ? settledWords(result) : `${formatCount(text.doneWindows)} of ${formatCount(text.windows)} windows so far`,
    ...(text.knownWindows > 0 ? [`${knownWords(result)} measured before`] : []),
    ...(verdict?.floor ? [`noise floor ${formatNumber(verdict.floor)}`] : []),
    ...(weightsAlone.length > 0 ? [`of ${listWords(weightsAlone, 2)} the activations not rounded`] : []),
    `${arithmetic} arithmetic`,
    ...(finished ? [`in ${formatDuration(elapsedMs)}`] : []),
  ];
  const below = belowFloorWords(result);
  const sentence = finished || text.doneWindows > 1 ? answer : `After one window: ${answer}`;
  return { sentence, evidence: `${evidence.join(" · ")}.${below && ` ${below}`}` };
}

function knownWords({ text }: MeasureResult): string {
  return text.knownWindows >= text.windows ? "all" : `${formatCount(text.knownWindows)}`;
}
