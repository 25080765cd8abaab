import { formatNumber } from "../base/format.ts";
import { DELTA_P_PERCENTILES, KLD_PERCENTILES } from "../metrics/kl-statistics.ts";
import type { KlStatistics, UncertainValue } from "./measure-result.ts";

/** The parts of llama.cpp's table, in its order and words. */
export const STATISTICS_SECTIONS = ["Perplexity", "KL divergence", "Token probability"] as const;
export type StatisticsSection = (typeof STATISTICS_SECTIONS)[number];

/** One line of llama.cpp's table. */
export interface StatisticsLine {
  readonly section: StatisticsSection;
  readonly label: string;
  /** The value with its ± and unit, for people. */
  readonly text: string;
  /** That in its parts: the value, and what stands behind ± or an empty text. */
  readonly valueText: string;
  readonly uncertaintyText: string;
  readonly value: number;
  /** One standard error, null where there is none. In the unit of the value. */
  readonly uncertainty: number | null;
  /** Nothing for nats, ratios and perplexities. */
  readonly unit: "" | "%";
}

/** What llama.cpp calls each percentile. */
const PERCENTILE_WORDS: Readonly<Record<string, string>> = { max: "Maximum", min: "Minimum", median: "Median" };

/** The statistics of a divergence as llama.cpp prints them, in its order and words. Δp, same top p and the correlation in percent. */
export function statisticsLines(statistics: KlStatistics): readonly StatisticsLine[] {
  const { kldPercentiles, deltaPPercentiles } = statistics;
  const [perplexity, kld, probability] = STATISTICS_SECTIONS;
  return [
    line(perplexity, "Mean PPL(Q)", statistics.pplQ),
    line(perplexity, "Mean PPL(base)", statistics.pplBase),
    line(perplexity, "Cor(ln(PPL(Q)), ln(PPL(base)))", statistics.corLnPpl, "%"),
    line(perplexity, "Mean ln(PPL(Q)/PPL(base))", statistics.lnPplRatio),
    line(perplexity, "Mean PPL(Q)/PPL(base)", statistics.pplRatio),
    line(perplexity, "Mean PPL(Q)-PPL(base)", statistics.pplDifference),
    line(kld, "Mean KLD", statistics.kld),
    ...KLD_PERCENTILES.map((name) => line(kld, `${percentileWords(name)} KLD`, alone(kldPercentiles[name]))),
    line(probability, "Mean Δp", statistics.deltaP, "%"),
    ...DELTA_P_PERCENTILES.map((name) =>
      line(probability, `${percentileWords(name)} Δp`, alone(deltaPPercentiles[name]), "%"),
    ),
    line(probability, "RMS Δp", statistics.rmsDeltaP, "%"),
    line(probability, "Same top p", statistics.sameTopP, "%"),
  ];
}

/**
 * The statistics as `llama-perplexity --kl-divergence` ends, letter by letter, so that whatever reads its output reads this.
 * Source: llama.cpp `tools/perplexity/perplexity.cpp`, `kl_divergence`.
 */
export function llamaCppText(statistics: KlStatistics): string {
  return STATISTICS_SECTIONS.map((section) => {
    const own = statisticsLines(statistics).filter((candidate) => candidate.section === section);
    return [`====== ${section} statistics ======`, ...own.map(llamaCppLine)].join("\n");
  })
    .join("\n\n")
    .concat("\n");
}

/** Digits after the dot, and the width that llama.cpp fills up to. */
const PLAIN = { digits: 6, width: 10, errorWidth: 10 } as const;
const PERCENT = { digits: 3, width: 6, errorWidth: 5 } as const;
/** The correlation has two digits. */
const CORRELATION = { digits: 2, width: 6, errorWidth: 0 } as const;

function llamaCppLine({ section, label, value, uncertainty, unit }: StatisticsLine): string {
  const isPerplexity = section === "Perplexity";
  const { digits, width, errorWidth } = unit === "" ? PLAIN : isPerplexity ? CORRELATION : PERCENT;
  const figure = fixed(value, digits).padStart(width);
  const name = isPerplexity ? label.padEnd(30) : llamaCppName(label);
  if (uncertainty === null) return `${name}: ${figure}${unit}`;
  return `${name}: ${figure} ± ${fixed(uncertainty, digits).padStart(errorWidth)}${unit && ` ${unit}`}`;
}

/** `99.0 % KLD` as `99.0%   KLD`, `Mean Δp` as `Mean    Δp`: the quantity stands in one column. */
function llamaCppName(label: string): string {
  const [, head = "", quantity] = /^(.*) (KLD|Δp)$/.exec(label) ?? [];
  if (quantity === undefined) return label;
  if (head === "RMS") return "RMS Δp    ";
  const percentile = /^([\d.]+) %$/.exec(head)?.[1];
  return `${(percentile === undefined ? head : `${percentile.padStart(4)}%`).padEnd(7)} ${quantity}`;
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "nan";
}

function line(
  section: StatisticsSection,
  label: string,
  { value, uncertainty }: UncertainValue,
  unit: StatisticsLine["unit"] = "",
): StatisticsLine {
  const scale = unit === "%" ? 100 : 1;
  const own = value * scale;
  const error = uncertainty === null ? null : uncertainty * scale;
  const [valueText, uncertaintyText] = [formatNumber(own, 6), error === null ? "" : formatNumber(error, 3)];
  const plusMinus = uncertaintyText && ` ± ${uncertaintyText}`;
  return {
    section,
    label,
    value: own,
    uncertainty: error,
    unit,
    valueText,
    uncertaintyText,
    text: `${valueText}${plusMinus}${unit && ` ${unit}`}`,
  };
}

function alone(value: number): UncertainValue {
  return { value, uncertainty: null };
}

function percentileWords(name: string): string {
  return PERCENTILE_WORDS[name] ?? `${name.includes(".") ? name : `${name}.0`} %`;
}
