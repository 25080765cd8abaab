import { formatCount, formatDuration, formatNumber } from "../../base/format.ts";
import {
  METHOD_NAMES,
  type MethodFamily,
  type MethodRanking,
  methodGainWords,
  methodTime,
  placeWords,
  type RankedMethod,
} from "../../engine/method-words.ts";
import { shortName } from "../parts/safe-name.ts";
import { METHOD_CARDS, type MethodCard } from "./method-cards-words.ts";

/** A row of a ranking as a card shows it. */
export interface CardRow {
  readonly scheme: string;
  /** `0.0279` nats. */
  readonly kld: string;
  /** `0.0191 … 0.0416`; empty where there is no interval. */
  readonly interval: string;
  /** The card is of a method that this row has. */
  readonly isOwn: boolean;
}

/** A method among the rows that share its schemes. */
export interface CardStanding {
  /** What the rows have in common. */
  readonly plain: string;
  /** One line for each row with the method: how it stands, what it buys, what it took. */
  readonly lines: readonly {
    readonly scheme: string;
    readonly place: string;
    readonly gain: string;
    readonly isLoss: boolean;
    readonly time: string;
  }[];
  readonly rows: readonly CardRow[];
  /** What the figures stand on. */
  readonly basis: string;
}

/** One method: what is known of it, and what was measured here. */
export interface CardView extends MethodCard {
  readonly name: string;
  /** Beside the name while the card is closed. */
  readonly summary: string;
  /** Empty where it was not measured. */
  readonly standings: readonly CardStanding[];
}

/** Most schemes that a closed card names. */
const MOST_SUMMED = 2;

/** All cards, each with what the rankings say of its method. */
export function cardViews(rankings: readonly MethodRanking[]): readonly CardView[] {
  return METHOD_CARDS.map((card) => {
    const own = rankings.filter(({ ranked }) => ranked.some((row) => row.families.includes(card.family)));
    const standings = own.map((ranking) => standingOf(ranking, card.family));
    return { ...card, name: METHOD_NAMES[card.family], summary: summaryOf(own, card.family), standings };
  });
}

function summaryOf(rankings: readonly MethodRanking[], family: MethodFamily): string {
  if (rankings.length === 0) return "not measured here";
  const shown = rankings.slice(0, MOST_SUMMED).map((ranking) => {
    // Of several rows the nearest: they come in that order.
    const best = ranking.ranked.find(({ families }) => families.includes(family));
    const place = best === undefined ? "" : shortPlace(best, ranking);
    return `${shortName(ranking.plain)}: ${place}`;
  });
  const rest = rankings.length - shown.length;
  return [...shown, ...(rest > 0 ? [`${formatCount(rest)} more`] : [])].join(" · ");
}

function shortPlace({ place, ties, isOpen }: RankedMethod, { ranked }: MethodRanking): string {
  if (ranked.length === 1) return "measured alone";
  if (isOpen) return "order open";
  return `place ${ties.length > 0 ? "≈ " : ""}${formatCount(place)} of ${formatCount(ranked.length)}`;
}

function standingOf(ranking: MethodRanking, family: MethodFamily): CardStanding {
  const own = ranking.ranked.filter(({ families }) => families.includes(family));
  return {
    plain: ranking.plain,
    lines: own.map((row) => ({
      scheme: row.scheme,
      place: placeWords(row, ranking),
      gain: row.gain === null ? "" : methodGainWords(row.gain),
      isLoss: row.gain?.verdict === "loses",
      time: timeWords(row, family),
    })),
    rows: ranking.ranked.map(({ scheme, kld, interval, families }) => ({
      scheme,
      kld: formatNumber(kld),
      interval: interval === null ? "" : `${formatNumber(interval.low)} … ${formatNumber(interval.high)}`,
      isOwn: families.includes(family),
    })),
    basis: `Measured here over ${formatCount(own[0]?.positions ?? 0)} positions; intervals at 95 %, by resampling windows`,
  };
}

function timeWords({ methodRun }: RankedMethod, family: MethodFamily): string {
  const own = methodTime(methodRun, family);
  return own === null
    ? ""
    : `${formatDuration(own.elapsedMs)} of ${METHOD_NAMES[family]} on ${formatCount(own.tokens)} tokens of calibration text`;
}
