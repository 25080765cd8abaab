import { type Caption, type Drawing, HATCH, type Paint, type Shape, unpinned } from "./chart.ts";
import { HATCHING, imageCanvas, paintShapes } from "./scene-canvas.ts";
import type { ChartTheme } from "./theme.ts";

/** Room around a saved picture, in its pixels. */
const MARGIN = 16;
const LINE_HEIGHT = 18;
/** A letter of the caption is about this wide. */
const LETTER = 6.7;
/** Saved images are this much denser than the page, for print and dense screens. */
const PNG_SCALE = 2;

/** A drawing with its caption above it, as it is saved: whoever finds the file knows what it says. */
function framed(drawing: Drawing, caption: Caption, note: string, theme: ChartTheme) {
  const whole = unpinned(drawing);
  const lines = [...wrap(`${caption.strong} ${caption.plain}`.trim(), whole.width), ...(note === "" ? [] : [note])];
  const head = MARGIN + lines.length * LINE_HEIGHT + 4;
  const text = lines.map(
    (line, index): Shape => ({
      kind: "text",
      x: MARGIN,
      y: MARGIN + 12 + index * LINE_HEIGHT,
      text: line,
      fill: index === 0 ? theme.ink : theme.ink2,
      size: 13,
      isBold: index === 0,
    }),
  );
  return { width: whole.width + 2 * MARGIN, height: whole.height + head + MARGIN, head, text, parts: whole.parts };
}

function wrap(text: string, width: number): readonly string[] {
  const most = Math.max(20, Math.floor(width / LETTER));
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > most) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}

/** A drawing as the text of an SVG file that stands by itself. `note` says more below the caption, or is empty. */
export function svgFile(drawing: Drawing, caption: Caption, note: string, theme: ChartTheme): string {
  const { width, height, head, text, parts } = framed(drawing, caption, note, theme);
  const { step, width: stroke } = HATCHING;
  const shapes = (list: readonly Shape[]): string => list.map((shape) => shapeText(shape, theme)).join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${xmlText(theme.sans)}" role="img">
<title>${xmlText(`${caption.strong} ${caption.plain}`.trim())}</title>
<defs><pattern id="hatch" width="${step}" height="${step}" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v${step}" stroke="${theme.hatch}" stroke-width="${2 * stroke}"/></pattern></defs>
<rect width="${width}" height="${height}" fill="${theme.paper}"/>
${shapes(text)}
${parts.map((part) => `<g transform="translate(${MARGIN + part.x} ${head})">\n${shapes(part.shapes)}\n</g>`).join("\n")}
</svg>
`;
}

/** A drawing as a PNG image, twice as dense as the page. */
export async function pngFile(drawing: Drawing, caption: Caption, note: string, theme: ChartTheme): Promise<Blob> {
  const { width, height, head, text, parts } = framed(drawing, caption, note, theme);
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * PNG_SCALE);
  canvas.height = Math.ceil(height * PNG_SCALE);
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("a canvas without a pen");
  pen.scale(PNG_SCALE, PNG_SCALE);
  pen.fillStyle = theme.paper;
  pen.fillRect(0, 0, width, height);
  paintShapes(pen, text, theme);
  for (const part of parts) {
    pen.setTransform(PNG_SCALE, 0, 0, PNG_SCALE, PNG_SCALE * (MARGIN + part.x), PNG_SCALE * head);
    paintShapes(pen, part.shapes, theme);
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob === null) throw new Error("the browser made no image");
  return blob;
}

function shapeText(shape: Shape, theme: ChartTheme): string {
  switch (shape.kind) {
    case "rect":
      return `<rect x="${shape.x}" y="${shape.y}" width="${shape.width}" height="${shape.height}"${optional("rx", shape.radius)}${paintText(shape)}/>`;
    case "circle":
      return `<circle cx="${shape.x}" cy="${shape.y}" r="${shape.radius}"${paintText(shape)}/>`;
    case "path":
      return `<path d="${xmlText(shape.d)}" stroke-linejoin="round"${paintText(shape)}/>`;
    case "text": {
      const halo =
        shape.halo === undefined
          ? ""
          : ` stroke="${shape.halo}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"`;
      const family = shape.isMono ? ` font-family="${xmlText(theme.mono)}"` : "";
      return `<text x="${shape.x}" y="${shape.y}" font-size="${shape.size ?? 12}" fill="${shape.fill}"${optional("text-anchor", shape.anchor)}${shape.isBold ? ' font-weight="600"' : ""}${family}${halo}>${xmlText(shape.text)}</text>`;
    }
    case "image":
      return `<image x="${shape.x}" y="${shape.y}" width="${shape.width}" height="${shape.height}" preserveAspectRatio="none" style="image-rendering:pixelated" href="${imageCanvas(shape).toDataURL("image/png")}"/>`;
  }
}

function paintText({ fill, stroke, strokeWidth, dash, opacity }: Paint): string {
  const filled = fill === HATCH ? "url(#hatch)" : (fill ?? "none");
  return ` fill="${filled}"${optional("stroke", stroke)}${optional("stroke-width", strokeWidth)}${optional("stroke-dasharray", dash?.join(" "))}${optional("opacity", opacity)}`;
}

function optional(name: string, value: number | string | undefined): string {
  return value === undefined ? "" : ` ${name}="${value}"`;
}

/** Names in pictures come from files that anyone may have written. Characters that XML does not know go. */
function xmlText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "");
}
