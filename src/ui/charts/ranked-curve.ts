import { formatCount, formatNumber } from "../../base/format.ts";
import type { Shape } from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

// What pictures of channels, sorted by size on a log scale, share.

export const RANKED_MARGIN = { left: 46, right: 12, top: 12, bottom: 22 } as const;
/** Channels at the head of a curve that can be reached one by one. */
export const WALKED = 24;

type Scale = (value: number) => number;

/** Lines at the powers of ten, with their figures at the left. */
export function decadeLines(y: Scale & { ticks(): number[] }, end: number, theme: ChartTheme): readonly Shape[] {
  return y
    .ticks()
    .filter((value) => /^(10*|0\.0*1|1e-\d+)$/.test(String(value)))
    .flatMap((value): Shape[] => {
      const text = { kind: "text" as const, x: RANKED_MARGIN.left - 6, y: y(value) + 4, text: formatNumber(value, 1) };
      return [
        { kind: "path", d: `M${RANKED_MARGIN.left} ${y(value)}H${end}`, stroke: theme.line },
        { ...text, fill: theme.ink3, size: 11, anchor: "end" },
      ];
    });
}

/** The path through values in their order; zeros, which have no place on a log scale, are left out. */
export function rankedPath(channels: readonly { readonly value: number }[], x: Scale, y: Scale): string {
  const points = channels.flatMap(({ value }, rank) =>
    value > 0 ? [`${x(rank).toFixed(1)} ${y(value).toFixed(1)}`] : [],
  );
  return points.length === 0 ? "" : `M${points.join("L")}`;
}

/** What runs to the right: `largest first … 256 input channels`. */
export function rankWords(channels: number, end: number, baseline: number, theme: ChartTheme): readonly Shape[] {
  const line = { kind: "text" as const, y: baseline + 15, fill: theme.ink3, size: 11 };
  return [
    { ...line, x: RANKED_MARGIN.left, text: "largest first" },
    { ...line, x: end, text: `${formatCount(channels)} input channels`, anchor: "end" },
  ];
}
