import { formatCount, formatNumber } from "../base/format.ts";
import { OUTLIER_RATIO } from "../metrics/activation-statistics.ts";
import type { ActivationStrip } from "./diagnosis-api.ts";

/** What one column of a strip amounts to: a channel, or some neighbouring ones. */
export interface StripCell {
  /** Its first channel, and the one after its last. */
  readonly start: number;
  readonly end: number;
  /** Its largest magnitude, and the token that it is at. */
  readonly largest: number;
  readonly token: number;
  /** Tokens at which it is at least eight times as loud as that token's median cell. */
  readonly loudTokens: number;
}

/** What a strip shows, as figures. */
export interface StripFindings {
  /** In the order of the channels. */
  readonly cells: readonly StripCell[];
  /** Those that are loud at one token at least; those that are so at most tokens first, then the loudest. */
  readonly loud: readonly StripCell[];
  /** Those worth a name: loud at half of the tokens or more; where none is, the loudest few of those that are loud at all. */
  readonly notable: readonly StripCell[];
  /**
   * Magnitudes at the ends of a logarithmic ramp: the median of all, so that what is ordinary is pale, and the largest, or 64
   * times the median where that is more, so that a calm layer looks calm. Null where nothing is louder than 0.
   */
  readonly ramp: { readonly from: number; readonly to: number } | null;
}

/** `1, 2 and 3`. */
const LIST = new Intl.ListFormat("en-GB");
/** More channels are counted, not named. */
const MOST_NAMED = 4;
/** At such a share of the tokens a channel is loud throughout, at that one nearly at every token. */
const THROUGHOUT = 0.5;
const NEARLY_ALL = 0.9;

/** A ramp spans at least so much: six doublings. */
const LEAST_SPAN = 64;

/** Finds the loud channels of a strip, token by token: one scale a token has to serve its loudest channel. */
export function stripFindings({ tokens, channels, channelsPerCell, values }: ActivationStrip): StripFindings {
  const count = Math.ceil(channels / channelsPerCell);
  const found = Array.from({ length: count }, (_, cell) => ({
    start: cell * channelsPerCell,
    end: Math.min(channels, (cell + 1) * channelsPerCell),
    largest: 0,
    token: 0,
    loudTokens: 0,
  }));
  for (let token = 0; token < tokens; token++) {
    const row = values.subarray(token * count, (token + 1) * count);
    const median = medianOf(row);
    for (const [at, cell] of found.entries()) {
      const value = row[at] ?? 0;
      if (value > cell.largest) {
        cell.largest = value;
        cell.token = token;
      }
      if (median > 0 && value >= OUTLIER_RATIO * median) cell.loudTokens++;
    }
  }
  const typical = medianOf(values);
  const largest = found.reduce((most, cell) => Math.max(most, cell.largest), 0);
  // Of a strip that is mostly 0 the largest value leads: a ratio to nothing is none.
  const from = typical > 0 ? typical : largest / LEAST_SPAN;
  const loud = found
    .filter(({ loudTokens }) => loudTokens > 0)
    .sort((a, b) => b.loudTokens - a.loudTokens || b.largest - a.largest);
  const hasRamp = Number.isFinite(largest) && largest > 0;
  const steady = loud.filter(({ loudTokens }) => loudTokens >= THROUGHOUT * tokens);
  const notable = steady.length > 0 ? steady : loud.toSorted((a, b) => b.largest - a.largest).slice(0, MOST_NAMED);
  return { cells: found, loud, notable, ramp: hasRamp ? { from, to: Math.max(largest, LEAST_SPAN * from) } : null };
}

/** Of an even number the mean of the middle two; 0 of none. */
function medianOf(values: Float32Array): number {
  const sorted = values.toSorted();
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** `channel 30`, or `channels 420 to 421` where a cell holds several. */
export function cellName({ start, end }: Pick<StripCell, "start" | "end">): string {
  return end - start <= 1
    ? `channel ${formatCount(start)}`
    : `channels ${formatCount(start)} to ${formatCount(end - 1)}`;
}

/** Who is loud, and when: `Channels 30 and 83 are loud at nearly every token: 243 and 240 of 256.` */
export function stripWords(
  { tokens, channelsPerCell }: ActivationStrip,
  { cells, loud }: StripFindings,
): { readonly strong: string; readonly plain: string } {
  const loudest = cells.reduce<StripCell | null>(
    (most, cell) => (cell.largest > (most?.largest ?? 0) ? cell : most),
    null,
  );
  if (loudest === null) return { strong: "Nothing goes into this layer but zeros.", plain: "" };
  const rule = `Loud is ${OUTLIER_RATIO} times the token's median channel or more.`;
  const top = `The largest is ${formatNumber(loudest.largest)}, in ${cellName(loudest)} at token ${formatCount(loudest.token)}.`;
  const plain = `${top} ${rule}`;
  const most = loud.filter(({ loudTokens }) => loudTokens >= THROUGHOUT * tokens);
  const steady = most.length > MOST_NAMED ? most : most.sort((a, b) => a.start - b.start);
  const counts = steady.map(({ loudTokens }) => loudTokens);
  const who = namesOf(steady, channelsPerCell);
  const verb = steady.length === 1 && channelsPerCell === 1 ? "is" : "are";
  const of = ` of ${formatCount(tokens)}`;
  if (steady.length > MOST_NAMED) return { strong: `${who} are loud at half of the tokens or more.`, plain };
  if (steady.length > 0 && counts.every((count) => count === tokens)) {
    return { strong: `${who} ${verb} loud at every token.`, plain };
  }
  if (steady.length > 0) {
    const isNearly = counts.every((count) => count >= NEARLY_ALL * tokens);
    const numbers = LIST.format(counts.map(formatCount));
    const when = isNearly ? `at nearly every token: ${numbers}${of}` : `at ${numbers}${of} tokens`;
    return { strong: `${who} ${verb} loud ${when}.`, plain };
  }
  const [only] = loud;
  if (only === undefined) return { strong: "No channel is loud at any token.", plain };
  if (loud.length === 1) {
    const when =
      only.loudTokens === 1
        ? `at token ${formatCount(only.token)} alone`
        : `at ${formatCount(only.loudTokens)}${of} tokens`;
    return { strong: `${namesOf(loud, channelsPerCell)} ${channelsPerCell === 1 ? "is" : "are"} loud ${when}.`, plain };
  }
  const places = loud.reduce((sum, { loudTokens }) => sum + loudTokens, 0);
  const units = channelsPerCell === 1 ? "channels" : `groups of ${channelsPerCell} channels`;
  const strong = `No channel is loud throughout: ${formatCount(loud.length)} of ${formatCount(cells.length)} ${units} are at ${formatCount(places)} places in all.`;
  return { strong, plain };
}

function namesOf(cells: readonly StripCell[], channelsPerCell: number): string {
  const named = cells.slice(0, MOST_NAMED);
  const rest = cells.length - named.length;
  const texts = named.map(({ start, end }) =>
    channelsPerCell === 1 ? formatCount(start) : `${formatCount(start)}–${formatCount(end - 1)}`,
  );
  const isOne = cells.length === 1 && channelsPerCell === 1;
  return `${isOne ? "Channel" : "Channels"} ${rest > 0 ? `${texts.join(", ")} and ${formatCount(rest)} more` : LIST.format(texts)}`;
}
