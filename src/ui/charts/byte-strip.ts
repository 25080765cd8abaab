import { formatBytes } from "../../base/format.ts";
import type { ByteStripColumn, ByteStripData, ByteStripPlace, ByteStripRole } from "./byte-strip-data.ts";
import { edgesOf, LABEL_GAP, placeLabels, roundStep, spacedLabels, textWidth } from "./byte-strip-layout.ts";
import { type Box, type Role, roleName, roleShapes, roleText, roleWord, shareWords } from "./byte-strip-looks.ts";
import { byteStripCaption, byteStripTable, placeSentence, roleSentence } from "./byte-strip-words.ts";
import type { Chart, ChartSize, Drawing, Mark, Shape } from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

/** The parts, and below them the same bytes in the order of the layers: as wide as its bytes, as high as a role's share in it. */
export const byteStripChart: Chart<ByteStripData> = {
  name: "bytes-by-role",
  draw: drawByteStrip,
  caption: byteStripCaption,
  table: byteStripTable,
};

/** Size of text, and of the rows of labels above the strip: they are pressed, too. */
const TEXT = 12;
const SMALL = 11;
const LABEL_ROW = 24;
const STRIP = { height: 56, gap: 2, least: 3, pad: 8 } as const;
const LAYERS = { head: 36, axis: 20, least: 3, lowest: 72, highest: 160 } as const;
/** Narrower columns stand without a gap, or the gaps would be most of the picture. */
const LEAST_WITH_GAP = 6;
/** Layers may fill this much of the width with a pixel each; more are merged. */
const MOST_THIN = 0.9;
/** A column as wide as that has room for the word "layer" below it. */
const LEAST_WORDED = 60;
/** A part as small as that is pressed by its label. */
const LEAST_TARGET = 24;

function drawByteStrip(data: ByteStripData, { width, height }: ChartSize, theme: ChartTheme): Drawing {
  const roles = drawRoles(data, width, theme);
  const hasLayers = data.places.some(({ layer }) => layer !== null);
  if (!hasLayers) return { width, height: roles.bottom + 4, shapes: roles.shapes, marks: roles.marks(() => 0) };
  const top = roles.bottom + LAYERS.head;
  const high = Math.min(Math.max(LAYERS.lowest, height - top - LAYERS.axis), LAYERS.highest);
  const layers = drawLayers(data, { x: 0, y: top, width, height: high }, theme);
  return {
    width,
    height: top + high + LAYERS.axis,
    dense: layers.dense,
    shapes: [...roles.shapes, ...layers.shapes],
    marks: [...roles.marks(layers.columnAt), ...layers.marks],
  };
}

function drawRoles({ roles, chosen }: ByteStripData, width: number, theme: ChartTheme) {
  const edges = edgesOf(
    roles.map(({ bytes }) => bytes),
    width + STRIP.gap,
    STRIP.least + STRIP.gap,
  );
  const parts = roles.map((role, at) => {
    const [start = 0, end = 0] = edges.slice(at, at + 2);
    const room = end - start - STRIP.gap;
    return { role, start, width: room, lines: linesInside(role, room) };
  });
  const outside = parts.filter(({ lines }) => lines === null);
  const labels = placeLabels(
    outside.map((part) => ({ at: part.start + part.width / 2, width: textWidth(labelOf(part.role), TEXT) })),
    width,
  );
  const rows = Math.max(0, ...labels.map(({ row }) => row + 1));
  const top = rows * LABEL_ROW + 4;
  const rowTop = (row: number): number => (rows - 1 - row) * LABEL_ROW;
  const boxes = parts.map((part): Box => ({ x: part.start, y: top, width: part.width, height: STRIP.height }));

  const shapes: Shape[] = [];
  outside.forEach(({ role }, at) => {
    const label = labels[at];
    if (label === undefined) return;
    const y = rowTop(label.row);
    shapes.push(
      { kind: "path", d: `M${label.at} ${y + 6}V${top}`, stroke: theme.line3, strokeWidth: 1 },
      {
        kind: "text",
        x: label.at + (label.anchor === "end" ? -LABEL_GAP : LABEL_GAP),
        y: y + 16,
        text: labelOf(role),
        fill: chosen === null || chosen === role.role ? theme.ink : theme.ink2,
        anchor: label.anchor,
        isBold: chosen === role.role,
        halo: theme.paper,
      },
    );
  });
  parts.forEach(({ role, lines }, at) => {
    const box = boxes[at];
    if (box === undefined) return;
    const isFaded = chosen !== null && chosen !== role.role;
    shapes.push(...roleShapes(role.role, box, theme, isFaded));
    const first = box.y + box.height / 2 - ((lines?.length ?? 0) - 1) * 8 + 4;
    lines?.forEach((text, line) => {
      shapes.push({
        kind: "text",
        x: box.x + STRIP.pad,
        y: first + line * 16,
        text,
        isBold: line === 0,
        ...roleText(role.role, theme, isFaded),
      });
    });
    if (chosen === role.role) shapes.push(ring(box, theme));
  });

  const marks = (columnAt: (x: number) => number): readonly Mark[] => {
    let last = -1;
    return parts.map(({ role, start }, at): Mark => {
      last = Math.max(last + 1, columnAt(start));
      const box = boxes[at] as Box;
      const label = labels[outside.findIndex((part) => part.role === role)];
      const byLabel = label !== undefined && box.width < LEAST_TARGET;
      return {
        key: role.role,
        ...(byLabel
          ? {
              x: Math.max(0, Math.min(label.start, label.at)),
              y: rowTop(label.row),
              width: label.end - label.start + LABEL_GAP,
              height: LABEL_ROW,
            }
          : box),
        sentence: roleSentence(role),
        place: { row: 0, column: last },
        isPickable: true,
        isSelected: chosen === role.role,
      };
    });
  };
  return { shapes, marks, bottom: top + STRIP.height };
}

/** Lines of a label that stands in its part, or null where there is no room for it. */
function linesInside(role: ByteStripRole, room: number): readonly string[] | null {
  const name = roleName(role.role);
  const [share, bytes] = [shareWords(role.share), formatBytes(role.bytes)];
  for (const lines of [
    [name, `${share} · ${bytes}`],
    [name, share, bytes],
  ]) {
    const widest = Math.max(...lines.map((line, at) => textWidth(line, TEXT, at === 0)));
    if (widest + 2 * STRIP.pad <= room) return lines;
  }
  return null;
}

function labelOf(role: ByteStripRole): string {
  return `${roleName(role.role)} ${shareWords(role.share)} · ${formatBytes(role.bytes)}`;
}

function ring({ x, y, width, height }: Box, theme: ChartTheme): Shape {
  return {
    kind: "rect",
    x: x - 3,
    y: y - 3,
    width: width + 6,
    height: height + 6,
    radius: 4,
    stroke: theme.ink,
    strokeWidth: 2,
  };
}

function drawLayers({ bytes, roles, places, chosen }: ByteStripData, area: Box, theme: ChartTheme) {
  const { y: top, width, height } = area;
  const columns = mergedColumns(places, Math.max(1, Math.floor(MOST_THIN * width)));
  const thin = columns.filter(({ layer }) => layer !== null).length;
  const least = Math.min(LAYERS.least, Math.max(1, (width * MOST_THIN) / thin));
  const edges = edgesOf(
    columns.map((column) => column.bytes),
    width,
    least,
  );
  const boxes = columns.map((_, at): Box => {
    const [start = 0, end = 0] = edges.slice(at, at + 2);
    const isLast = at === columns.length - 1;
    const gap = end - start >= LEAST_WITH_GAP && !isLast ? 1 : 0;
    return { x: start, y: top, width: end - start - gap, height };
  });
  const order = roles.map(({ role }) => role);
  const dense = columns.flatMap((column, at) => stack(column, boxes[at] as Box, order, chosen, theme));
  const marks = columns.map(
    (column, at): Mark => ({
      key: `place-${at}`,
      ...(boxes[at] as Box),
      sentence: placeSentence(column, bytes),
      place: { row: 1, column: at },
      isPickable: false,
      isSelected: false,
    }),
  );
  const head: Shape = {
    kind: "text",
    x: 0,
    y: top - 8,
    text:
      width < 480 ? "layer by layer · height: share within" : "layer by layer · width: bytes · height: share within it",
    fill: theme.ink3,
    size: SMALL,
  };
  const axis = axisLabels(columns, boxes, width).map(
    ({ text, x }): Shape => ({
      kind: "text",
      x,
      y: top + height + 15,
      text,
      fill: theme.ink2,
      size: SMALL,
      anchor: "middle",
    }),
  );
  const columnAt = (x: number): number =>
    Math.max(
      0,
      boxes.findIndex((box) => box.x + box.width > x),
    );
  return { dense, shapes: [head, ...axis], marks, columnAt };
}

function mergedColumns(places: readonly ByteStripPlace[], most: number): readonly ByteStripColumn[] {
  const layers = places.filter(({ layer }) => layer !== null).length;
  const size = Math.ceil(layers / most);
  const columns: ByteStripColumn[] = [];
  let inLast = 0;
  for (const place of places) {
    const last = columns.at(-1);
    if (place.layer !== null && last !== undefined && last.layer !== null && inLast < size) {
      columns[columns.length - 1] = {
        layer: last.layer,
        last: place.layer,
        bytes: last.bytes + place.bytes,
        parts: [...last.parts, ...place.parts],
      };
      inLast++;
    } else {
      columns.push({ ...place, last: place.layer });
      inLast = 1;
    }
  }
  return columns;
}

/** The roles of a column on top of each other, most bytes of all at the bottom. A chosen one is seen however small it is. */
function stack(
  column: ByteStripColumn,
  box: Box,
  order: readonly Role[],
  chosen: Role | null,
  theme: ChartTheme,
): readonly Shape[] {
  const sums = order.map((role) =>
    column.parts.reduce((sum, part) => (part.role === role ? sum + part.bytes : sum), 0),
  );
  const edges = edgesOf(sums, box.height, 0);
  const bottom = box.y + box.height;
  return order.flatMap((role, at) => {
    const [from = 0, to = 0] = edges.slice(at, at + 2);
    const isChosen = role === chosen;
    const isThere = column.parts.some((part) => part.role === role);
    const height = isChosen && isThere ? Math.max(3, to - from) : to - from;
    if (height === 0) return [];
    const y = Math.max(box.y, bottom - from - height);
    return roleShapes(role, { ...box, y, height }, theme, chosen !== null && !isChosen);
  });
}

/** What stands below the columns: first what is large, then where the layers begin and end, then what else has room. */
function axisLabels(columns: readonly ByteStripColumn[], boxes: readonly Box[], width: number) {
  const label = (text: string, at: number) => {
    const { x = 0, width: own = 0 } = boxes[at] ?? {};
    return { text, x: x + own / 2, size: SMALL, isLarge: own >= LEAST_TARGET };
  };
  const lone = columns.flatMap(({ layer, parts }, at) =>
    layer === null ? [label(roleWord(parts[0]?.role ?? "other"), at)] : [],
  );
  const layers = columns.flatMap(({ layer }, at) => (layer === null ? [] : [{ layer, at }]));
  const widest = Math.max(...layers.map(({ layer }) => textWidth(String(layer), SMALL)));
  const mean = layers.reduce((sum, { at }) => sum + (boxes[at]?.width ?? 0), 0) / layers.length;
  const step = roundStep((widest + 14) / Math.max(1, mean));
  const word = mean >= LEAST_WORDED ? "layer " : "";
  const ends = layers.filter((_, ordinal) => ordinal === 0 || ordinal === layers.length - 1);
  const ticks = layers.filter((_, ordinal) => ordinal % step === 0 && ordinal + step < layers.length);
  return spacedLabels(
    [
      ...lone.filter(({ isLarge }) => isLarge),
      ...[...ends, ...ticks].map(({ layer, at }) => label(`${word}${layer}`, at)),
      ...lone.filter(({ isLarge }) => !isLarge),
    ],
    width,
  );
}
