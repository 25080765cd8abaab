/** Pixels of one letter for each pixel of its size; a little more than the widest of the page's faces needs. */
const LETTER = { plain: 0.59, bold: 0.66 } as const;

/** About how wide a text is. */
export function textWidth(text: string, size: number, isBold = false): number {
  return text.length * size * (isBold ? LETTER.bold : LETTER.plain);
}

/**
 * Splits `room` pixels in proportion to `parts`, each at least `least` wide (less only where that many do not fit), and gives
 * the edges between them, whole pixels from 0 to `room`: one more than there are parts.
 */
export function edgesOf(parts: readonly number[], room: number, least: number): readonly number[] {
  const floor = Math.min(least, room / Math.max(1, parts.length));
  const isFloored = parts.map(() => false);
  let scale = 0;
  for (let again = true; again; ) {
    again = false;
    const floored = isFloored.filter(Boolean).length;
    const rest = parts.reduce((sum, part, at) => (isFloored[at] ? sum : sum + part), 0);
    scale = rest > 0 ? (room - floored * floor) / rest : 0;
    parts.forEach((part, at) => {
      if (isFloored[at] || part * scale >= floor) return;
      isFloored[at] = true;
      again = true;
    });
  }
  const edges = [0];
  let end = 0;
  parts.forEach((part, at) => {
    end += isFloored[at] ? floor : part * scale;
    edges.push(Math.round(end));
  });
  return edges;
}

/** Where a label that does not fit inside of its part stands: `row` 0 is the nearest to the strip. */
export interface PlacedLabel {
  readonly at: number;
  readonly row: number;
  readonly start: number;
  readonly end: number;
  /** The text ends at its leader line, or begins there. */
  readonly anchor: "start" | "end";
}

/** Between a label and its leader line, and between two labels. */
export const LABEL_GAP = 5;

/**
 * Puts labels in rows above the strip, so that no two overlap and no leader line runs through another's text, as long as there
 * is a way: else the label takes a row of its own.
 * @param labels where each leader line stands, and how wide the text is
 */
export function placeLabels(
  labels: readonly { readonly at: number; readonly width: number }[],
  room: number,
): readonly PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  const collides = (one: PlacedLabel): boolean =>
    placed.some((other) => {
      const isSameRow = one.row === other.row && one.start < other.end + LABEL_GAP && other.start < one.end + LABEL_GAP;
      const cuts = (upper: PlacedLabel, lower: PlacedLabel): boolean =>
        upper.row >= lower.row && upper.at > lower.start - 2 && upper.at < lower.end + 2;
      return isSameRow || cuts(one, other) || cuts(other, one);
    });
  for (const { at, width } of labels) {
    const ending = { at, start: at - LABEL_GAP - width, end: at - LABEL_GAP, anchor: "end" as const };
    const starting = { at, start: at + LABEL_GAP, end: at + LABEL_GAP + width, anchor: "start" as const };
    const sides = [ending, starting].filter(({ start, end }) => start >= 0 && end <= room);
    if (sides.length === 0) sides.push(at > room / 2 ? ending : starting);
    const tried = labels.flatMap((_, row) => sides.map((side): PlacedLabel => ({ ...side, row })));
    const free = tried.find((candidate) => !collides(candidate));
    placed.push(free ?? { ...(sides[0] ?? ending), row: placed.length });
  }
  return placed;
}

/** A text on the axis below the layers. */
export interface AxisLabel {
  readonly text: string;
  /** Its middle. */
  readonly x: number;
}

/** Between two texts of the axis. */
const AXIS_GAP = 10;

/** Keeps the texts that do not touch one kept before; each is moved to stand within `room`. */
export function spacedLabels(
  wanted: readonly (AxisLabel & { readonly size: number })[],
  room: number,
): readonly AxisLabel[] {
  const taken: { readonly start: number; readonly end: number }[] = [];
  return wanted.flatMap(({ text, x, size }) => {
    const width = textWidth(text, size);
    if (width > room) return [];
    const start = Math.min(Math.max(0, x - width / 2), room - width);
    const end = start + width;
    if (taken.some((other) => start < other.end + AXIS_GAP && other.start < end + AXIS_GAP)) return [];
    taken.push({ start, end });
    return [{ text, x: start + width / 2 }];
  });
}

/** The smallest of 1, 2, 5, 10, 20, 50 … that is at least `least`. */
export function roundStep(least: number): number {
  for (let decade = 1; ; decade *= 10) {
    for (const digit of [1, 2, 5]) if (digit * decade >= least) return digit * decade;
  }
}
