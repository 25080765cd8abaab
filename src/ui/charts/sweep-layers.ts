import { scaleLinear } from "d3-scale";
import { formatNumber, formatPercent } from "../../base/format.ts";
import { shapePath } from "../parts/scheme-mark.ts";
import { type Caption, type Chart, type ChartSize, type Drawing, figure, type Mark, type Shape } from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

/** The strength that a decoder layer would choose for itself. */
export interface SweepLayer {
  readonly layer: number;
  /** Null where none of its errors is finite. */
  readonly strength: number | null;
  /** Its errors of rounding at that strength, as shares of squares; null where there is none. */
  readonly weights: number | null;
  readonly activations: number | null;
}

/** Layers side by side. */
export interface SweepLayersData {
  readonly layers: readonly SweepLayer[];
  /** The strength that is best on the whole: a line. */
  readonly best: number | null;
  readonly family: string;
  readonly isHollow: boolean;
  readonly caption: Caption;
}

const AXIS = 40;
const MARGIN = { top: 12, bottom: 34 } as const;
/** Narrower columns could not be pressed: the picture pans instead. */
const BAND = { least: 24, most: 64 } as const;
/** Pixels that `layer 12` needs. */
const WORD_ROOM = 56;
const TARGET = 24;
const TICKS = [0, 0.5, 1] as const;

/** The strength with the least errors of rounding, layer by layer. */
export const sweepLayersChart: Chart<SweepLayersData> = {
  name: "strength-by-layer",
  draw: drawSweepLayers,
  caption: (data) => data.caption,
  table: ({ layers }) => ({
    columns: [
      { name: "layer", unit: "" },
      { name: "strength", unit: "" },
      { name: "error of weights", unit: "% of squares" },
      { name: "error of activations", unit: "% of squares" },
    ],
    rows: layers.map(({ layer, strength, weights, activations }) => [
      figure(layer, String),
      figure(strength, String),
      ...[weights, activations].map((share) => figure(share === null ? null : share * 100, formatNumber)),
    ]),
  }),
};

/** Lays out a mark for each layer. */
export function drawSweepLayers(
  { layers, best, family, isHollow }: SweepLayersData,
  size: ChartSize,
  theme: ChartTheme,
): Drawing {
  const known = layers.flatMap((own, at) => (own.strength === null ? [] : [{ ...own, strength: own.strength, at }]));
  if (known.length === 0) return { width: size.width, height: 0, shapes: [], marks: [] };
  const band = Math.min(BAND.most, Math.max(BAND.least, (size.width - AXIS) / layers.length));
  const right = band * layers.length;
  const bottom = size.height - MARGIN.bottom;
  const x = (at: number): number => (at + 0.5) * band;
  const y = scaleLinear()
    .domain([0, 1])
    .range([bottom - 8, MARGIN.top]);
  const stroke = theme.families[family] ?? theme.ink;
  const label = { kind: "text" as const, fill: theme.ink3, size: 11 };
  const names = layers.map(({ layer }, at): Shape => {
    const text = band >= WORD_ROOM ? `layer ${layer}` : String(layer);
    return { ...label, x: x(at), y: bottom + 15, text, anchor: "middle" };
  });
  const marks = known.map(({ at, strength }): Shape => {
    const d = shapePath("square", x(at), y(strength), 1.2);
    return { kind: "path", d, stroke, strokeWidth: 2, fill: isHollow ? theme.paper : stroke };
  });
  return {
    width: Math.max(size.width - AXIS, right),
    height: size.height,
    pinned: {
      width: AXIS,
      shapes: TICKS.map(
        (tick): Shape => ({ ...label, x: AXIS - 8, y: y(tick) + 4, text: String(tick), anchor: "end" }),
      ),
    },
    shapes: [
      ...TICKS.map((tick): Shape => ({ kind: "path", d: `M0 ${y(tick)}H${right}`, stroke: theme.line })),
      ...(best === null
        ? []
        : [{ kind: "path" as const, d: `M0 ${y(best)}H${right}`, stroke: theme.ink2, dash: [2, 3] }]),
      ...names,
      ...marks,
    ],
    marks: known.map((own, column): Mark => {
      const place = { x: x(own.at) - TARGET / 2, y: y(own.strength) - TARGET / 2, width: TARGET, height: TARGET };
      return {
        key: String(own.layer),
        ...place,
        sentence: sentenceOf(own),
        place: { row: 0, column },
        isPickable: false,
        isSelected: false,
      };
    }),
  };
}

function sentenceOf({ layer, strength, weights, activations }: SweepLayer): string {
  const parts = [
    ...(weights === null ? [] : [`${formatPercent(weights)} of the weights`]),
    ...(activations === null ? [] : [`${formatPercent(activations)} of the activations`]),
  ];
  const lost = parts.length === 0 ? "" : `: rounding takes ${parts.join(" and ")}`;
  return `layer ${layer} wants strength ${strength}${lost}`;
}
