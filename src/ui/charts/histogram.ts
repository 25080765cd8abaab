import { scaleLinear, scaleLog } from "d3-scale";
import { html, svg, type TemplateResult } from "lit";
import { formatCount } from "../../base/format.ts";

/** Where weights lie between the levels of a scheme, and how often each level is taken. */
export interface HistogramData {
  /** Counts, `binsPerLevel` to a level, from half a level below the lowest. */
  readonly weights: readonly number[];
  readonly binsPerLevel: number;
  readonly firstLevel: number;
  readonly codes: readonly number[];
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Where everything lies. */
export interface HistogramDrawing extends PictureSize {
  /** The weights, as one stepped outline. */
  readonly outline: string;
  readonly comb: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number }[];
  readonly xTicks: readonly { readonly text: string; readonly x: number }[];
  readonly yTicks: readonly { readonly text: string; readonly y: number }[];
  readonly baseline: number;
  /** The level taken most often. */
  readonly peak: { readonly text: string; readonly x: number; readonly y: number } | null;
}

const MARGIN = { left: 44, right: 12, top: 22, bottom: 22 } as const;
/** Of the room between two levels, so that a comb stays a comb. */
const TOOTH_SHARE = 0.32;

/** Lays out a histogram with a logarithmic count: outline of the weights, comb of the codes. */
export function drawHistogram(data: HistogramData, size: PictureSize): HistogramDrawing {
  const levels = data.codes.length;
  const most = Math.max(1, ...data.codes, ...data.weights);
  const baseline = size.height - MARGIN.bottom;
  const x = scaleLinear()
    .domain([data.firstLevel - 0.5, data.firstLevel - 0.5 + Math.max(levels, data.weights.length / data.binsPerLevel)])
    .range([MARGIN.left, size.width - MARGIN.right]);
  // Half a count is the floor: an empty bin lies on the line, a single weight above it.
  const y = scaleLog().domain([0.5, most]).range([baseline, MARGIN.top]);
  const heightOf = (count: number): number => (count > 0 ? y(count) : baseline);
  const tooth = Math.max(1, (x(1) - x(0)) * TOOTH_SHARE);
  const comb = data.codes.flatMap((count, index) =>
    count === 0
      ? []
      : [{ x: x(data.firstLevel + index) - tooth / 2, y: y(count), width: tooth, height: baseline - y(count) }],
  );
  const steps = data.weights.map((count, bin) => {
    const right = x(data.firstLevel - 0.5 + (bin + 1) / data.binsPerLevel);
    return `V${heightOf(count).toFixed(1)}H${right.toFixed(1)}`;
  });
  const powers = y.ticks().filter((value) => /^10*$/.test(String(value)));
  const highest = Math.max(...data.codes, 0);
  const at = data.codes.indexOf(highest);
  return {
    ...size,
    outline: `M${MARGIN.left} ${baseline}${steps.join("")}V${baseline}`,
    comb,
    xTicks: x
      .ticks(8)
      .filter(Number.isInteger)
      .map((value) => ({ text: formatLevel(value), x: x(value) })),
    yTicks: powers.map((value) => ({ text: formatCount(value), y: y(value) })),
    baseline,
    peak:
      highest === 0
        ? null
        : {
            text: `level ${formatLevel(data.firstLevel + at)}: ${formatCount(highest)}`,
            x: x(data.firstLevel + at),
            y: y(highest),
          },
  };
}

function formatLevel(value: number): string {
  return String(value).replace("-", "−");
}

/** The picture as a template. `family` is a class that sets `--family`, the colour of the comb. */
export function histogramTemplate(drawing: HistogramDrawing, name: string, family: string): TemplateResult {
  return html`<svg class="histogram ${family}" width=${drawing.width} height=${drawing.height} role="img" aria-label=${name}>
    ${drawing.yTicks.map(
      (tick) =>
        svg`<path class="grid" d="M44 ${tick.y}H${drawing.width - 12}"></path><text class="axis end" x="38" y=${tick.y + 4}>${tick.text}</text>`,
    )}
    ${drawing.comb.map((tooth) => svg`<rect class="tooth" x=${tooth.x} y=${tooth.y} width=${tooth.width} height=${tooth.height}></rect>`)}
    <path class="outline" d=${drawing.outline}></path>
    <path class="floor" d="M44 ${drawing.baseline}H${drawing.width - 12}"></path>
    ${drawing.xTicks.map((tick) => svg`<text class="axis" x=${tick.x} y=${drawing.baseline + 15}>${tick.text}</text>`)}
    ${drawing.peak === null ? "" : svg`<text class="peak" x=${drawing.peak.x} y=${drawing.peak.y - 6}>${drawing.peak.text}</text>`}
  </svg>`;
}
