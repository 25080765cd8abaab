import { formatCount, formatNumber } from "../../base/format.ts";
import { beatenBy, settledWords, standingWords } from "../../engine/divergence-words.ts";
import type { DivergencePoint } from "../../engine/frontier.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { Caption } from "../charts/chart.ts";
import { sizeSentence } from "../charts/frontier-words.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";

/** More of a kind are counted, not named. */
const NAMED = 2;

/** The answer of the picture by divergence: who is on the line, who beats whom for good, and who is as good as another. */
export function divergenceCaption(result: MeasureResult, points: readonly DivergencePoint[]): Caption {
  const { text, finished } = result;
  const at = (place: DivergencePoint["place"]) => points.filter((point) => point.place === place);
  const [line, beaten] = [at("line"), at("beaten")];
  if (line.length === 0) {
    return points.some(({ place }) => place === "waiting")
      ? { strong: "Sizes are exact, divergences not known yet.", plain: "The first window brings the first figures." }
      : { strong: "There is no divergence to compare.", plain: "" };
  }
  const plain = [
    listWords(
      beaten.map((point) => `${shortName(point.scheme)} is beaten by ${shortName(point.by ?? "")}: ${beatenBy(point)}`),
      NAMED,
    ),
    listWords(
      points.flatMap(({ scheme, like, by, place }) => {
        const other = place === "tied" ? by : like;
        return other === null ? [] : [`${shortName(scheme)} ≈ ${shortName(other)}`];
      }),
      NAMED,
    ),
    upper(settledWords(result)),
  ];
  const strong = finished
    ? lineWords(line, points.length)
    : `${formatCount(text.doneWindows)} of ${formatCount(text.windows)} windows: points and whiskers still move.`;
  return { strong, plain: `${plain.filter(Boolean).join(". ")}.` };
}

function lineWords(line: readonly DivergencePoint[], all: number): string {
  const [only] = line;
  if (only !== undefined && line.length === 1) {
    return all === 1 ? `${shortName(only.scheme)} stands alone.` : `${shortName(only.scheme)} alone is on the line.`;
  }
  if (line.length === all) return `All ${all} are on the line: each larger file diverges less.`;
  return `${line.length} of ${all} are on the line; on the grey, a file no larger diverges less or as little.`;
}

/** One point, spoken. */
export function divergenceSentence(point: DivergencePoint, failure: string | null): string {
  const { bits, fileBytes, error, interval, percentile99, isBelowFloor } = point;
  const size = `${shortName(point.scheme)}: ${sizeSentence({ bits: bits.value, bytes: fileBytes.value })}`;
  if (failure !== null) return `${size}, cannot be exported: ${failure}`;
  if (error === undefined) {
    return `${size}, ${point.place === "waiting" ? "its divergence is not measured yet" : "it has no finite divergence"}`;
  }
  const range = interval === null ? "" : `, ${formatNumber(interval.low)} to ${formatNumber(interval.high)} at 95 %`;
  const cap = percentile99 === null ? "" : `, 99 % of positions below ${formatNumber(percentile99)}`;
  const floor = isBelowFloor ? ", below the noise floor" : "";
  return `${size}, mean KLD ${formatNumber(error.value)}${range}${cap}${floor}, ${standingWords(point)}`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
