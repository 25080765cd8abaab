import { expect, test } from "vitest";
import { sampleTasks } from "../../../tests/support/measured-words.ts";
import { taskLines, tasksCaption } from "./tasks-model.ts";

const result = sampleTasks();

test("the original comes first, then each scheme with its paired difference", () => {
  const [original, four] = taskLines(result);
  expect(original).toMatchObject({ scheme: null, accuracy: "61.0", difference: "" });
  expect(four).toEqual({
    scheme: "W4A16",
    accuracy: "60.0",
    difference: "−1.00",
    interval: "−5.00 … +3.00",
    lost: "3",
    won: "2",
  });
  const [only] = result.rows;
  const one = { ...result, rows: only === undefined ? [] : [{ ...only, interval: null }] };
  expect(taskLines(one)[1]?.interval).toBe("–");
});

test("the caption calls only those worse or better whose interval leaves nothing out", () => {
  expect(tasksCaption(result).strong).toBe("The original answers 61.0 % of 100 items right; W2A16 is worse.");
  expect(tasksCaption(result).plain).toContain(result.evidence);
  const tied = { ...result, rows: result.rows.slice(0, 1) };
  expect(tasksCaption(tied).strong).toContain("no scheme can be told apart from it");
  const better = result.rows.map((row) => ({ ...row, interval: { low: 0.01, high: 0.1 } }));
  expect(tasksCaption({ ...result, rows: better }).strong).toContain("W4A16 and W2A16 are better");
});
