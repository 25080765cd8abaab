import type { FrontierPoint } from "./frontier.ts";

/** What the words of a verdict are made of. */
type Standing = Pick<FrontierPoint, "place" | "smallerBy" | "errorRatio" | "isPartial">;

const HALF_PERCENT = 0.005;

/** `18 % smaller`, `less than 1 % smaller`, `the same size`. */
function sizeWords(smallerBy: number): string {
  if (smallerBy <= 0) return "the same size";
  return smallerBy < 2 * HALF_PERCENT ? "less than 1 % smaller" : `${percent(smallerBy)} smaller`;
}

/** `45 % of its error`, of the one that is beaten. */
function errorWords(errorRatio: number): string {
  if (errorRatio <= 0) return "no error";
  if (errorRatio < 2 * HALF_PERCENT) return "less than 1 % of its error";
  if (errorRatio >= 1) return "the same error";
  return errorRatio > 1 - HALF_PERCENT ? "hardly less error" : `${percent(errorRatio)} of its error`;
}

/** What the better one is: `18 % smaller, 45 % of its error`. Empty where that is not known. */
export function gainWords({ smallerBy, errorRatio }: Standing): string {
  const size = smallerBy === null ? [] : [sizeWords(smallerBy)];
  const error = errorRatio === null || !Number.isFinite(errorRatio) ? [] : [errorWords(errorRatio)];
  return [...size, ...error].join(", ");
}

/** The verdict of a table: `beaten by W6A16, 18 % smaller`. Empty where there is none. `by` is shown as `name`. */
export function verdictWords(standing: Standing, name: string): string {
  const words = settledWords(standing, name);
  return standing.isPartial && words !== "" ? `${words} so far` : words;
}

function settledWords(standing: Standing, name: string): string {
  const { place, smallerBy, errorRatio } = standing;
  switch (place) {
    case "line":
      return "on the line";
    case "tied":
      return `≈ ${name}`;
    case "beaten": {
      if (smallerBy !== null && smallerBy >= HALF_PERCENT) return `beaten by ${name}, ${sizeWords(smallerBy)}`;
      return errorRatio === null ? `beaten by ${name}` : `beaten by ${name}, ${errorWords(errorRatio)}`;
    }
    case "waiting":
    case "unknown":
      return "";
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
