import { HATCH, type Paint, type Shape } from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

/** Pixels between the lines of a hatching, and how wide they are. */
export const HATCHING = { step: 5, width: 1.1 } as const;

/** Paints shapes on a canvas, in the pixels of the drawing. */
export function paintShapes(pen: CanvasRenderingContext2D, shapes: readonly Shape[], theme: ChartTheme): void {
  const hatch = shapes.some((shape) => "fill" in shape && shape.fill === HATCH) ? hatching(pen, theme) : null;
  for (const shape of shapes) paintShape(pen, shape, theme, hatch);
}

function paintShape(pen: CanvasRenderingContext2D, shape: Shape, theme: ChartTheme, hatch: CanvasPattern | null): void {
  switch (shape.kind) {
    case "rect": {
      const { x, y, width, height, radius } = shape;
      const path = new Path2D();
      if (radius === undefined) path.rect(x, y, width, height);
      else path.roundRect(x, y, width, height, radius);
      paintPath(pen, path, shape, hatch);
      return;
    }
    case "circle": {
      const path = new Path2D();
      path.arc(shape.x, shape.y, shape.radius, 0, 2 * Math.PI);
      paintPath(pen, path, shape, hatch);
      return;
    }
    case "path":
      paintPath(pen, new Path2D(shape.d), shape, hatch);
      return;
    case "text": {
      pen.font = `${shape.isBold ? "600 " : ""}${shape.size ?? 12}px ${shape.isMono ? theme.mono : theme.sans}`;
      pen.textAlign = shape.anchor === "middle" ? "center" : shape.anchor === "end" ? "right" : "left";
      if (shape.halo !== undefined) {
        pen.strokeStyle = shape.halo;
        pen.lineWidth = 4;
        pen.lineJoin = "round";
        pen.strokeText(shape.text, shape.x, shape.y);
      }
      pen.fillStyle = shape.fill;
      pen.fillText(shape.text, shape.x, shape.y);
      return;
    }
    case "image": {
      pen.imageSmoothingEnabled = false;
      pen.drawImage(imageCanvas(shape), shape.x, shape.y, shape.width, shape.height);
    }
  }
}

/** An image as a canvas of its own size. */
export function imageCanvas({ columns, rows, pixels }: Extract<Shape, { kind: "image" }>): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, columns, rows), 0, 0);
  return canvas;
}

function paintPath(pen: CanvasRenderingContext2D, path: Path2D, paint: Paint, hatch: CanvasPattern | null): void {
  pen.globalAlpha = paint.opacity ?? 1;
  if (paint.fill !== undefined) {
    pen.fillStyle = paint.fill === HATCH ? (hatch ?? "transparent") : paint.fill;
    pen.fill(path);
  }
  if (paint.stroke !== undefined) {
    pen.strokeStyle = paint.stroke;
    pen.lineWidth = paint.strokeWidth ?? 1;
    pen.setLineDash([...(paint.dash ?? [])]);
    pen.lineJoin = "round";
    pen.stroke(path);
  }
  pen.globalAlpha = 1;
}

function hatching(pen: CanvasRenderingContext2D, theme: ChartTheme): CanvasPattern | null {
  const { step, width } = HATCHING;
  const tile = document.createElement("canvas");
  // Drawn twice as large, so that the lines stay fine on a dense screen.
  tile.width = step * 2;
  tile.height = step * 2;
  const line = tile.getContext("2d");
  if (line === null) return null;
  line.strokeStyle = theme.hatch;
  line.lineWidth = width * 2;
  for (const at of [-1, 0, 1]) {
    line.moveTo((at - 0.5) * step * 2, step * 3);
    line.lineTo((at + 1.5) * step * 2, -step);
  }
  line.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  pattern?.setTransform(new DOMMatrix().scale(0.5));
  return pattern;
}
