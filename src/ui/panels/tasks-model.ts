import { formatCount, formatNumber } from "../../base/format.ts";
import type { TaskResult, TaskRow } from "../../engine/diagnosis-api.ts";
import type { Caption } from "../charts/chart.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";

/** One model, as it stands in the table. */
export interface TaskLine {
  /** Null: the original. */
  readonly scheme: string | null;
  readonly accuracy: string;
  readonly difference: string;
  readonly interval: string;
  readonly lost: string;
  readonly won: string;
}

export function taskLines({ original, rows }: TaskResult): readonly TaskLine[] {
  const first: TaskLine = {
    scheme: null,
    accuracy: percent(original),
    difference: "",
    interval: "",
    lost: "",
    won: "",
  };
  return [
    first,
    ...rows.map(({ scheme, accuracy, difference, interval, lost, won }) => ({
      scheme,
      accuracy: percent(accuracy),
      difference: signed(difference),
      interval: interval === null ? "–" : `${signed(interval.low)} … ${signed(interval.high)}`,
      lost: formatCount(lost),
      won: formatCount(won),
    })),
  ];
}

function percent(share: number): string {
  return formatNumber(share * 100);
}

function signed(share: number): string {
  return share > 0 ? `+${percent(share)}` : percent(share);
}

/** Which schemes answer worse or better for good; all others are not told apart by so few items. */
export function tasksCaption(result: TaskResult): Caption {
  const { items, original, chance, rows, evidence } = result;
  const names = (own: readonly TaskRow[]): string =>
    listWords(
      own.map(({ scheme }) => shortName(scheme)),
      3,
    );
  const worse = rows.filter(({ interval }) => interval !== null && interval.high < 0);
  const better = rows.filter(({ interval }) => interval !== null && interval.low > 0);
  const found =
    worse.length + better.length === 0
      ? "no scheme can be told apart from it"
      : [
          ...(worse.length === 0 ? [] : [`${names(worse)} ${worse.length === 1 ? "is" : "are"} worse`]),
          ...(better.length === 0 ? [] : [`${names(better)} ${better.length === 1 ? "is" : "are"} better`]),
        ].join(", ");
  const strong = `The original answers ${percent(original)} % of ${formatCount(items)} items right; ${found}.`;
  return { strong, plain: `Guessing: ${percent(chance)} %. ${evidence}` };
}
