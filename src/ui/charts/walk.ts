import type { Mark } from "./chart.ts";

/** Keys that walk from mark to mark. */
const WALKS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"] as const;
export type Walk = (typeof WALKS)[number];

/** Whether a key walks. */
export function isWalk(key: string): key is Walk {
  return (WALKS as readonly string[]).includes(key);
}

/**
 * The mark that a key leads to from `from`. In a grid: the next one in its direction, over gaps; Home and End reach the ends of
 * the row. Elsewhere left and right go by x, up and down by y. At an edge it stays.
 */
export function walkMarks(marks: readonly Mark[], from: string, key: Walk): string {
  const here = marks.find((mark) => mark.key === from) ?? marks[0];
  if (here === undefined) return from;
  const next = here.place === undefined ? walkFree(marks, here, key) : walkGrid(marks, here, here.place, key);
  return (next ?? here).key;
}

type Place = NonNullable<Mark["place"]>;

function walkGrid(marks: readonly Mark[], here: Mark, { row, column }: Place, key: Walk): Mark | undefined {
  const inRow = (mark: Mark): boolean => mark.place?.row === row;
  const inColumn = (mark: Mark): boolean => mark.place?.column === column;
  const columnOf = (mark: Mark): number => mark.place?.column ?? 0;
  const rowOf = (mark: Mark): number => mark.place?.row ?? 0;
  switch (key) {
    case "ArrowLeft":
    case "ArrowRight":
      return nearest(marks.filter(inRow), here, columnOf, key === "ArrowRight");
    case "ArrowUp":
    case "ArrowDown":
      return (
        nearest(marks.filter(inColumn), here, rowOf, key === "ArrowDown") ??
        nearestRow(marks, { row, column }, key === "ArrowDown")
      );
    case "Home":
    case "End":
      return farthest(marks.filter(inRow), columnOf, key === "End");
  }
}

/** Where no mark of the column lies that way: the one of the next row that is nearest across. */
function nearestRow(marks: readonly Mark[], here: Place, isDown: boolean): Mark | undefined {
  const distance = (mark: Mark): readonly [number, number] => {
    const { row = here.row, column = here.column } = mark.place ?? {};
    return [isDown ? row - here.row : here.row - row, Math.abs(column - here.column)];
  };
  return marks.reduce<Mark | undefined>((best, mark) => {
    const [rows, columns] = distance(mark);
    if (rows <= 0) return best;
    const [bestRows, bestColumns] = best === undefined ? [Number.POSITIVE_INFINITY, 0] : distance(best);
    return rows < bestRows || (rows === bestRows && columns < bestColumns) ? mark : best;
  }, undefined);
}

function walkFree(marks: readonly Mark[], here: Mark, key: Walk): Mark | undefined {
  const across = (mark: Mark): number => mark.x + mark.width / 2;
  const down = (mark: Mark): number => mark.y + mark.height / 2;
  switch (key) {
    case "ArrowLeft":
    case "ArrowRight":
      return nearest(marks, here, across, key === "ArrowRight");
    case "ArrowUp":
    case "ArrowDown":
      return nearest(marks, here, down, key === "ArrowDown");
    case "Home":
    case "End":
      return farthest(marks, across, key === "End");
  }
}

/**
 * The next one by `at`; those of equal value follow each other in reading order, so that none is out of reach. One pass, since
 * there may be a hundred thousand.
 */
function nearest(marks: readonly Mark[], here: Mark, at: (mark: Mark) => number, isForward: boolean): Mark | undefined {
  const from = { value: at(here), index: marks.indexOf(here) };
  let best: { readonly mark: Mark; readonly value: number; readonly index: number } | undefined;
  for (const [index, mark] of marks.entries()) {
    const found = { mark, value: at(mark), index };
    if (!isAfter(isForward ? found : from, isForward ? from : found)) continue;
    if (best === undefined || isAfter(isForward ? best : found, isForward ? found : best)) best = found;
  }
  return best?.mark;
}

interface Ordered {
  readonly value: number;
  readonly index: number;
}

function isAfter(one: Ordered, other: Ordered): boolean {
  return one.value > other.value || (one.value === other.value && one.index > other.index);
}

function farthest(marks: readonly Mark[], at: (mark: Mark) => number, isEnd: boolean): Mark | undefined {
  return marks.reduce<Mark | undefined>((best, mark) => {
    if (best === undefined) return mark;
    return (isEnd ? at(mark) > at(best) : at(mark) < at(best)) ? mark : best;
  }, undefined);
}
