import { scaleLinear } from "d3-scale";
import { formatNumber } from "../../base/format.ts";
import type { Drawing, Shape } from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

// What pictures with a column for each part of a decoder layer share.

/** Where a column stands: its decoder layer, null outside of them, and a letter or two that tell it from its neighbours. */
export interface ColumnPlace {
  readonly layer: number | null;
  readonly letters: string;
}

/** Columns side by side, the axis at their left pinned. */
export interface ColumnFrame {
  readonly axis: number;
  readonly band: number;
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly bottom: number;
  /** The middle of a column. */
  readonly x: (at: number) => number;
}

export type LogScale = ((value: number) => number) & { ticks(): number[]; domain(): number[] };

const AXIS = 52;
const MARGIN = { top: 12, bottom: 38 } as const;
/** Narrower columns could not bear their letters: the picture pans instead. */
const BAND = { least: 14, most: 44 } as const;
/** Narrower columns bear one letter. */
const TWO_LETTERS = 20;
/** Room that a layer's name needs: its number alone, or the word before it. */
const NAME = { number: 20, word: 46 } as const;
/** An axis over less than the one factor bears even steps, over more than the other powers of ten alone. */
const [FEW, MANY] = [5, 300];
const EVEN_TICKS = 5;

/** Divides the room among columns; what does not fit is panned to. */
export function columnFrame(columns: number, { width, height }: { readonly width: number; readonly height: number }) {
  const band = Math.min(BAND.most, Math.max(BAND.least, (width - AXIS) / Math.max(1, columns)));
  const frame: ColumnFrame = {
    axis: AXIS,
    band,
    width: Math.max(width - AXIS, band * columns),
    height,
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
    x: (at) => (at + 0.5) * band,
  };
  return frame;
}

/** A drawing in such a frame: lines of the axis, the chosen column, the names below, and `shapes` upon them. */
export function columnDrawing(
  { columns, chosen, frame }: { columns: readonly ColumnPlace[]; chosen: number; frame: ColumnFrame },
  { y, tick }: { readonly y: LogScale; readonly tick: (value: number) => string },
  theme: ChartTheme,
  content: Pick<Drawing, "shapes" | "marks">,
): Drawing {
  const { axis, band, width, height, top, bottom } = frame;
  const right = band * columns.length;
  const ticks = shownTicks(y);
  const lines = ticks.map((value): Shape => ({ kind: "path", d: `M0 ${y(value)}H${right}`, stroke: theme.line }));
  const ground: Shape = {
    kind: "rect",
    x: chosen * band,
    y: top,
    width: band,
    height: bottom - top,
    fill: theme.beaten,
  };
  return {
    width,
    height,
    pinned: {
      width: axis,
      shapes: ticks.map((value): Shape => {
        const place = { x: axis - 8, y: y(value) + 4, anchor: "end" as const };
        return { kind: "text", ...place, text: tick(value), fill: theme.ink3, size: 11 };
      }),
    },
    shapes: [
      ...(chosen < 0 ? [] : [ground]),
      ...lines,
      { kind: "path", d: `M0 ${bottom + 0.5}H${right}`, stroke: theme.line2 },
      ...columnNames(columns, chosen, frame, theme),
      ...content.shapes,
    ],
    marks: content.marks,
  };
}

/** Ticks of a log axis that bear a line: even steps where it spans little, 1, 2 and 5 of a decade, then powers of ten alone. */
export function shownTicks(y: LogScale): readonly number[] {
  const [low = 1, high = 1] = y.domain();
  if (high / low < FEW) return scaleLinear().domain([low, high]).ticks(EVEN_TICKS);
  const steps = high / low > MANY ? /^1/ : /^[125]/;
  return y.ticks().filter((value) => steps.test(value.toExponential(0)));
}

/** A share as a percentage for an axis. */
export function percentTick(value: number): string {
  return `${formatNumber(value * 100, value >= 0.1 && value < 10 ? 3 : 1)} %`;
}

interface Group {
  readonly layer: number | null;
  readonly from: number;
  readonly end: number;
}

function groupsOf(columns: readonly ColumnPlace[]): readonly Group[] {
  const groups: Group[] = [];
  for (const [at, { layer }] of columns.entries()) {
    const last = groups.at(-1);
    if (last?.layer === layer) groups[groups.length - 1] = { ...last, end: at + 1 };
    else groups.push({ layer, from: at, end: at + 1 });
  }
  return groups;
}

function columnNames(
  columns: readonly ColumnPlace[],
  chosen: number,
  { band, top, bottom, x }: ColumnFrame,
  theme: ChartTheme,
): readonly Shape[] {
  const letters = columns.map(
    ({ letters }, at): Shape => ({
      ...{
        kind: "text",
        x: x(at),
        y: bottom + 14,
        text: letters.slice(0, band < TWO_LETTERS ? 1 : 2),
        size: 11,
        anchor: "middle",
      },
      ...{ fill: at === chosen ? theme.ink : theme.ink3, isBold: at === chosen },
    }),
  );
  const layers = groupsOf(columns).flatMap(({ layer, from, end }): readonly Shape[] => {
    const room = (end - from) * band;
    const text = layer === null ? "" : room >= NAME.word ? `layer ${layer}` : room >= NAME.number ? String(layer) : "";
    const place = { x: (from + end) * 0.5 * band, y: bottom + 30, anchor: "middle" as const };
    return [
      ...(from === 0
        ? []
        : [{ kind: "path" as const, d: `M${from * band} ${top}V${bottom + 20}`, stroke: theme.line }]),
      ...(text === "" ? [] : [{ kind: "text" as const, ...place, text, fill: theme.ink2, size: 11 }]),
    ];
  });
  return [...letters, ...layers];
}
