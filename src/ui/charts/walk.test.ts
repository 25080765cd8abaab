import { describe, expect, test } from "vitest";
import type { Mark } from "./chart.ts";
import { walkMarks } from "./walk.ts";

function mark(key: string, x: number, y: number, place?: Mark["place"]): Mark {
  const box = { x, y, width: 10, height: 10 };
  const own = { key, ...box, sentence: key, isPickable: true, isSelected: false };
  return place === undefined ? own : { ...own, place };
}

describe("in a grid", () => {
  const marks: Mark[] = [];
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      if (row !== 1 || column !== 1) marks.push(mark(`${row}:${column}`, column * 10, row * 10, { row, column }));
    }
  }

  test.each([
    ["0:0", "ArrowRight", "0:1"],
    ["0:0", "ArrowDown", "1:0"],
    ["1:0", "ArrowRight", "1:2"],
    ["2:1", "ArrowUp", "0:1"],
    ["0:0", "ArrowLeft", "0:0"],
    ["2:2", "ArrowDown", "2:2"],
    ["2:1", "Home", "2:0"],
    ["2:1", "End", "2:2"],
    ["gone", "ArrowRight", "0:1"],
  ] as const)("from %s %s leads to %s", (from, key, to) => {
    expect(walkMarks(marks, from, key)).toBe(to);
  });
});

test("from a row to one with other columns, up and down go to the nearest", () => {
  const marks = [
    mark("top", 0, 0, { row: 0, column: 0 }),
    mark("far", 90, 0, { row: 0, column: 9 }),
    mark("low", 40, 30, { row: 1, column: 4 }),
  ];
  expect(walkMarks(marks, "low", "ArrowUp")).toBe("top");
  expect(walkMarks(marks, "far", "ArrowDown")).toBe("low");
  expect(walkMarks(marks, "low", "ArrowDown")).toBe("low");
});

describe("elsewhere", () => {
  const marks = [mark("a", 0, 50), mark("b", 40, 0), mark("c", 40, 0), mark("d", 20, 90)];

  test("left and right go by x, and those in one place follow each other", () => {
    const path = ["a"];
    for (let step = 0; step < 3; step++) path.push(walkMarks(marks, path.at(-1) ?? "", "ArrowRight"));
    expect(path).toEqual(["a", "d", "b", "c"]);
    expect(walkMarks(marks, "c", "ArrowLeft")).toBe("b");
  });

  test("up and down go by y", () => {
    expect(walkMarks(marks, "a", "ArrowDown")).toBe("d");
    expect(walkMarks(marks, "a", "ArrowUp")).toBe("c");
    expect(walkMarks(marks, "a", "End")).toBe("b");
  });

  test("without any mark nothing is reached", () => {
    expect(walkMarks([], "x", "Home")).toBe("x");
  });
});
