import { scaleLinear } from "d3-scale";
import { html, svg, type TemplateResult } from "lit";

/** Bytes of what has to fit, and of where. */
export interface FitBarData {
  readonly weights: number;
  /** Null where it is not known. */
  readonly cache: number | null;
  readonly usable: number;
}

/** One part of the memory bar. */
export interface FitPart {
  readonly name: "weights" | "cache";
  readonly x: number;
  readonly width: number;
}

/** Where everything lies. */
export interface FitBarDrawing {
  readonly width: number;
  readonly parts: readonly FitPart[];
  /** Where usable memory ends. */
  readonly capacity: number;
}

/** Thinner parts would not be seen at all. */
const THINNEST = 2;

/** Lays out weights and cache against usable memory; the bar ends at whichever is larger. */
export function drawFitBar(data: FitBarData, width: number): FitBarDrawing {
  const end = data.weights + (data.cache ?? 0);
  const x = scaleLinear()
    .domain([0, Math.max(end, data.usable)])
    .range([0, width]);
  const first = Math.max(THINNEST, x(data.weights));
  const parts: FitPart[] = [{ name: "weights", x: 0, width: first }];
  if (data.cache !== null) {
    parts.push({ name: "cache", x: first + 1, width: Math.max(THINNEST, x(end) - first - 1) });
  }
  return { width, parts, capacity: x(data.usable) };
}

/** The bar as a template; the figures stand beside it as text. */
export function fitBarTemplate(drawing: FitBarDrawing): TemplateResult {
  return html`<svg class="fit-bar" width=${drawing.width} height="18" aria-hidden="true">
    <rect class="usable" x="0" y="4" width=${drawing.capacity} height="10" rx="1"></rect>
    ${drawing.parts.map((part) => svg`<rect class=${part.name} x=${part.x} y="4" width=${part.width} height="10"></rect>`)}
    <path class="capacity" d="M${drawing.capacity - 0.5} 0v18"></path>
  </svg>`;
}
