import { formatCount, formatDuration, formatNumber, formatPercent } from "../../base/format.ts";
import { belowFloorWords, divergenceAnswer, settledWords } from "../../engine/divergence-words.ts";
import type { MeasureResult, MethodGain } from "../../engine/measure-result.ts";
import { intervalWords } from "../../engine/method-lines.ts";
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
    ...openWords(result),
    ...(weightsAlone.length > 0 ? [`of ${listWords(weightsAlone, 2)} the activations not rounded`] : []),
    `${arithmetic} arithmetic`,
    ...(finished ? [`in ${formatDuration(elapsedMs)}`] : []),
  ];
  const below = belowFloorWords(result);
  const first = finished || text.doneWindows > 1 ? answer : `After one window: ${answer}`;
  const sentence = [first, ...gainSentences(result)].join(" ");
  return { sentence, evidence: `${evidence.join(" · ")}.${below && ` ${below}`}` };
}

interface DecidedGain extends MethodGain {
  readonly scheme: string;
  readonly interval: NonNullable<MethodGain["interval"]>;
  readonly recovered: number;
}

/** The method that recovers most, and the one that does worst where one loses; only where an interval decides it. */
function gainSentences({ rows }: MeasureResult): readonly string[] {
  const decided = rows.flatMap(({ scheme, gain, error }): readonly DecidedGain[] => {
    const { interval = null, recovered = null } = gain ?? {};
    if (gain === null || interval === null || recovered === null || error !== undefined) return [];
    return [{ ...gain, scheme, interval, recovered }];
  });
  decided.sort((a, b) => b.recovered - a.recovered);
  const best = decided.find(({ verdict }) => verdict === "wins");
  const worst = decided.filter(({ verdict }) => verdict === "loses").at(-1);
  const change = (gain: DecidedGain, does: string): string =>
    `${shortName(gain.scheme)} ${does} ${formatPercent(Math.abs(gain.recovered))} of the mean KLD of ${shortName(gain.against)} (95 %: ${intervalWords(gain.interval)} nats).`;
  return [...(best ? [change(best, "saves")] : []), ...(worst ? [change(worst, "adds")] : [])];
}

/** Methods whose gain the text does not decide. */
function openWords({ rows }: MeasureResult): readonly string[] {
  const open = rows.filter(({ gain }) => gain?.verdict === "open").map(({ scheme }) => shortName(scheme));
  return open.length === 0 ? [] : [`open whether ${listWords(open, 2)} gains over plain rounding`];
}

/** While a method runs, before anything is compared. */
export function methodAnswer(method: string, isShown: boolean): Answer {
  const stands = isShown ? " What is shown is the comparison before." : "";
  return {
    sentence: `${method} goes through the layers over the calibration text.`,
    evidence: `Each layer is calibrated on what the changed layers before it put out; the comparison follows.${stands}`,
  };
}

/** On what was calibrated, and on what it would be; null is the bundled text. */
export function calibrationWords(was: File | null, now: File | null): string {
  const [before, after] = [was, now].map((file) => (file === null ? "the bundled text" : shortName(file.name)));
  return `These numbers are calibrated on ${before}; you have chosen ${after}.`;
}

function knownWords({ text }: MeasureResult): string {
  return text.knownWindows >= text.windows ? "all" : `${formatCount(text.knownWindows)}`;
}
