import { formatCount, formatNumber } from "../../base/format.ts";
import type { GenerationResult, GenerationRow } from "../../engine/diagnosis-api.ts";
import type { Caption } from "../charts/chart.ts";
import { shortName } from "../parts/safe-name.ts";

/** What the fields take. A prompt is half a window; each token is a pass over every model. */
export const GENERATION_LIMITS = { prompts: 1024, tokens: 4096 } as const;

/** A number as it is typed; null where it is none, or out of bounds. */
export function readAsk(text: string, of: keyof typeof GENERATION_LIMITS): number | null {
  const digits = text.replace(/[\s\u2009]/g, "");
  const value = /^\d{1,6}$/.test(digits) ? Number(digits) : 0;
  return value >= 1 && value <= GENERATION_LIMITS[of] ? value : null;
}

/** One scheme, as it stands in the table. */
export interface GenerationLine {
  readonly scheme: string;
  /** `41`, or `over 64` where half of the prompts or more never differ. */
  readonly median: string;
  readonly interval: string;
  readonly same: string;
  /** Tokens until each prompt differs; null: it never did. Ascending, so that the strip reads as a curve. */
  readonly dots: readonly (number | null)[];
  /** The strip, spoken. */
  readonly sentence: string;
}

export function generationLines({ rows, prompts, tokens }: GenerationResult): readonly GenerationLine[] {
  return rows.map((row) => {
    const same = `${formatCount(row.same)} of ${formatCount(prompts)}`;
    return {
      scheme: row.scheme,
      median: medianWords(row, tokens),
      interval: `${endWords(row.interval.low, tokens)} … ${endWords(row.interval.high, tokens)}`,
      same,
      dots: [...row.firstDifference].sort((a, b) => (a ?? tokens + 1) - (b ?? tokens + 1)),
      sentence: `${shortName(row.scheme)}: differs after ${medianWords(row, tokens)} tokens in the median; ${same} prompts never differ`,
    };
  });
}

function medianWords({ median }: GenerationRow, tokens: number): string {
  return endWords(median, tokens);
}

function endWords(value: number | null, tokens: number): string {
  return value === null ? `over ${formatCount(tokens)}` : tokenWords(value);
}

/** A median of whole numbers: whole, or half way between two. */
function tokenWords(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : formatNumber(value, 3);
}

/** Who says the same for longest, and who for shortest. */
export function generationCaption(result: GenerationResult): Caption {
  const { rows, prompts, promptTokens, tokens } = result;
  const reach = (row: GenerationRow): number => row.median ?? tokens + 1 + row.same;
  const ranked = [...rows].sort((a, b) => reach(b) - reach(a));
  const [best, worst] = [ranked[0], ranked.at(-1)];
  const plain = `${formatCount(prompts)} prompts of ${formatCount(promptTokens)} tokens, ${formatCount(tokens)} tokens at most; original and scheme both always take the most likely token. Interval at 95 %.`;
  if (best === undefined || worst === undefined) return { strong: "No scheme was run.", plain };
  const kept = (row: GenerationRow): string =>
    row.median === null
      ? `${shortName(row.scheme)} says the same as the original for all ${formatCount(tokens)} tokens at ${formatCount(row.same)} of ${formatCount(prompts)} prompts`
      : `${shortName(row.scheme)} for ${tokenWords(row.median)} ${row.median === 1 ? "token" : "tokens"}`;
  const first = best.median === null ? kept(best) : `In the median ${kept(best)} the same as the original`;
  return { strong: best === worst ? `${first}.` : `${first}; ${kept(worst)}.`, plain };
}
