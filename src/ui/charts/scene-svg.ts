import { nothing, type SVGTemplateResult, svg } from "lit";
import { HATCH, type Paint, type Shape } from "./chart.ts";
import { HATCHING } from "./scene-canvas.ts";
import type { ChartTheme } from "./theme.ts";

/** Shapes as SVG for the page. `hatchId` names the pattern of `hatchTemplate` in the same tree. Images are for the canvas. */
export function svgTemplate(shapes: readonly Shape[], theme: ChartTheme, hatchId: string): SVGTemplateResult[] {
  return shapes.map((shape) => shapeTemplate(shape, theme, hatchId));
}

/** The hatching that shapes refer to. */
export function hatchTemplate(theme: ChartTheme, hatchId: string): SVGTemplateResult {
  const { step, width } = HATCHING;
  return svg`<defs><pattern id=${hatchId} width=${step} height=${step} patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v${step}" stroke=${theme.hatch} stroke-width=${2 * width}></path></pattern></defs>`;
}

function shapeTemplate(shape: Shape, theme: ChartTheme, hatchId: string): SVGTemplateResult {
  switch (shape.kind) {
    case "rect": {
      const { fill, stroke, strokeWidth, dash, opacity } = paintOf(shape, hatchId);
      return svg`<rect x=${shape.x} y=${shape.y} width=${shape.width} height=${shape.height} rx=${shape.radius ?? nothing}
        fill=${fill} stroke=${stroke} stroke-width=${strokeWidth} stroke-dasharray=${dash} opacity=${opacity}></rect>`;
    }
    case "circle": {
      const { fill, stroke, strokeWidth, dash, opacity } = paintOf(shape, hatchId);
      return svg`<circle cx=${shape.x} cy=${shape.y} r=${shape.radius}
        fill=${fill} stroke=${stroke} stroke-width=${strokeWidth} stroke-dasharray=${dash} opacity=${opacity}></circle>`;
    }
    case "path": {
      const { fill, stroke, strokeWidth, dash, opacity } = paintOf(shape, hatchId);
      return svg`<path d=${shape.d} stroke-linejoin="round"
        fill=${fill} stroke=${stroke} stroke-width=${strokeWidth} stroke-dasharray=${dash} opacity=${opacity}></path>`;
    }
    case "text":
      return svg`<text x=${shape.x} y=${shape.y} fill=${shape.fill} text-anchor=${shape.anchor ?? nothing}
        font-size=${shape.size ?? 12} font-weight=${shape.isBold ? 600 : nothing} font-family=${shape.isMono ? theme.mono : nothing}
        stroke=${shape.halo ?? nothing} stroke-width=${shape.halo === undefined ? nothing : 4}
        paint-order=${shape.halo === undefined ? nothing : "stroke"} stroke-linejoin="round">${shape.text}</text>`;
    case "image":
      return svg``;
  }
}

function paintOf({ fill, stroke, strokeWidth, dash, opacity }: Paint, hatchId: string) {
  return {
    fill: fill === HATCH ? `url(#${hatchId})` : (fill ?? "none"),
    stroke: stroke ?? nothing,
    strokeWidth: strokeWidth ?? nothing,
    dash: dash?.join(" ") ?? nothing,
    opacity: opacity ?? nothing,
  };
}
