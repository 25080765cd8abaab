import { scaleLog } from "d3-scale";
import { formatCount, formatNumber } from "../../base/format.ts";
import {
  type Caption,
  type Chart,
  type ChartSize,
  type Drawing,
  figure,
  type Mark,
  type Shape,
  words,
} from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

/** Share of the positions that diverge by at least so many nats. */
export interface SurvivalPoint {
  readonly kld: number;
  readonly share: number;
}

/** One model's curve. */
export interface SurvivalLine {
  /** Key of its marks; null where it cannot be chosen. */
  readonly scheme: string | null;
  readonly name: string;
  readonly family: string;
  /** Activations are rounded too: broken. */
  readonly isHollow: boolean;
  readonly isChosen: boolean;
  /** Falling. */
  readonly points: readonly SurvivalPoint[];
  /** The share at each of the data's levels; null where nothing is known. */
  readonly shares: readonly (number | null)[];
}

/** Curves of several models over the same positions. */
export interface SurvivalData {
  readonly lines: readonly SurvivalLine[];
  /** Nats at which the curves are read out. */
  readonly levels: readonly number[];
  readonly positions: number;
  readonly caption: Caption;
}

const MARGIN = { left: 66, right: 16, top: 10, bottom: 40 } as const;
/** The chosen line bears its name where so many positions are left. */
const NAME_SHARE = 0.2;
/** A share that is as good as all. */
const FLAT = 0.99;
const MARK = 20;
/** Narrower, the axis is named in fewer words. */
const NARROW = 460;
/** Pixels that a number on the x axis needs. */
const TICK_ROOM = 44;

/** How many positions diverge at least so far, both axes logarithmic: where a line ends early, nothing hurts much. */
export const survivalChart: Chart<SurvivalData> = {
  name: "survival-curve",
  draw: drawSurvival,
  caption: (data) => data.caption,
  table: ({ lines, levels }) => ({
    columns: [
      { name: "KL divergence at least", unit: "nats" },
      ...lines.map(({ name }) => ({ name, unit: "% of positions" })),
    ],
    rows: levels.map((level, at) => [
      words(formatNumber(level, 1)),
      ...lines.map(({ shares }) => figure(shares[at], (share) => formatNumber(share * 100))),
    ]),
  }),
};

/** Lays out the curves. */
export function drawSurvival(data: SurvivalData, size: ChartSize, theme: ChartTheme): Drawing {
  const points = data.lines.flatMap((line) => line.points);
  if (points.length === 0) return { ...size, shapes: [], marks: [] };
  const bottom = size.height - MARGIN.bottom;
  const right = size.width - MARGIN.right;
  const low = Math.min(...data.lines.flatMap(fallsFrom));
  const high = Math.max(...points.map(({ kld }) => kld));
  const least = Math.min(...points.map(({ share }) => share));
  const x = scaleLog()
    .domain(low < high ? [low, high] : [low / 2, high * 2])
    .range([MARGIN.left, right]);
  const y = scaleLog()
    .domain([Math.min(least, 0.5), 1])
    .range([bottom, MARGIN.top]);
  const lines = [...data.lines].sort((one, other) => Number(one.isChosen) - Number(other.isChosen));
  return {
    ...size,
    shapes: [
      ...shareGrid(y, right, theme),
      ...levelTicks(x, bottom, theme),
      { kind: "path", d: `M${MARGIN.left} ${bottom + 0.5}H${right}`, stroke: theme.line2 },
      ...lines.flatMap((line) => curve({ ...line, points: line.points.filter(({ kld }) => kld >= low) }, x, y, theme)),
      ...lines.flatMap((line) => nameOf(line, x, y, theme)),
      {
        kind: "text",
        x: MARGIN.left,
        y: size.height - 4,
        text:
          size.width < NARROW
            ? "KL at least this, nats · log"
            : "KL of one prediction at least this, nats · both axes log",
        fill: theme.ink3,
        size: 11,
      },
    ],
    marks: data.lines.flatMap((line, row) => marksOf(line, row, data, low, x, y)),
  };
}

/** Where a line leaves the top: what is flat before that would fill half of a picture. */
function fallsFrom({ points }: SurvivalLine): readonly number[] {
  const [first] = points;
  const last = points.findLast(({ share }) => share >= FLAT) ?? first;
  return last === undefined ? [] : [last.kld];
}

type Scale = (value: number) => number;

function isPowerOfTen(value: number): boolean {
  return /^(10*|0\.0*1|1e-\d+)$/.test(String(value));
}

/** `all`, `1 in 10`, `1 in 100`. */
function shareGrid(y: Scale & { ticks(): number[] }, right: number, theme: ChartTheme): readonly Shape[] {
  return y
    .ticks()
    .filter(isPowerOfTen)
    .flatMap((share): Shape[] => {
      const text = share === 1 ? "all" : `1 in ${formatCount(1 / share)}`;
      return [
        { kind: "path", d: `M${MARGIN.left} ${y(share)}H${right}`, stroke: theme.line },
        { kind: "text", x: MARGIN.left - 8, y: y(share) + 4, text, fill: theme.ink3, size: 11, anchor: "end" },
      ];
    });
}

function levelTicks(x: Scale & { ticks(): number[] }, bottom: number, theme: ChartTheme): readonly Shape[] {
  let last = Number.NEGATIVE_INFINITY;
  return x
    .ticks()
    .filter(isPowerOfTen)
    .flatMap((level): Shape[] => {
      const at = x(level);
      const tick: Shape = { kind: "path", d: `M${at} ${bottom}v4`, stroke: theme.line3 };
      if (at - last < TICK_ROOM) return [tick];
      last = at;
      const text = level < 1e-3 ? formatNumber(level, 1) : String(level);
      return [tick, { kind: "text", x: at, y: bottom + 16, text, fill: theme.ink3, size: 11, anchor: "middle" }];
    });
}

function curve(line: SurvivalLine, x: Scale, y: Scale, theme: ChartTheme): readonly Shape[] {
  const { points, family, isHollow, isChosen } = line;
  if (points.length === 0) return [];
  const d = `M${points.map(({ kld, share }) => `${x(kld).toFixed(1)} ${y(share).toFixed(1)}`).join("L")}`;
  const stroke = theme.families[family] ?? theme.ink;
  const own = { kind: "path" as const, d, stroke, ...(isHollow && { dash: [6, 3] }) };
  return isChosen
    ? [
        { kind: "path", d, stroke: theme.paper, strokeWidth: 6 },
        { ...own, strokeWidth: 3 },
      ]
    : [{ ...own, strokeWidth: 1.25 }];
}

/** The name of the chosen line, left of where it falls. */
function nameOf(
  { points, name, isChosen, family }: SurvivalLine,
  x: Scale,
  y: Scale,
  theme: ChartTheme,
): readonly Shape[] {
  if (!isChosen) return [];
  const at = points.find(({ share }) => share <= NAME_SHARE) ?? points.at(-1);
  if (at === undefined) return [];
  const isLeft = x(at.kld) - MARGIN.left > 7 * name.length + 16;
  const fill = theme.families[family] ?? theme.ink;
  const place = {
    x: x(at.kld) + (isLeft ? -10 : 10),
    y: y(at.share) + 4,
    anchor: isLeft ? ("end" as const) : ("start" as const),
  };
  return [{ kind: "text", ...place, text: name, fill, size: 12, isBold: true, halo: theme.paper }];
}

function marksOf(
  line: SurvivalLine,
  row: number,
  { levels }: SurvivalData,
  low: number,
  x: Scale,
  y: Scale,
): readonly Mark[] {
  return levels.flatMap((level, column): Mark[] => {
    const share = line.shares[column] ?? null;
    const [first, last] = [line.points[0], line.points.at(-1)];
    if (share === null || share <= 0 || first === undefined || last === undefined) return [];
    if (level < Math.max(low, first.kld) || level > last.kld) return [];
    return [
      {
        key: `${row} ${column}`,
        x: x(level) - MARK / 2,
        y: y(share) - MARK / 2,
        width: MARK,
        height: MARK,
        sentence: `${line.name}: ${formatNumber(share * 100)} % of positions diverge by ${formatNumber(level, 1)} nats or more`,
        place: { row, column },
        isPickable: line.scheme !== null,
        isSelected: false,
      },
    ];
  });
}
