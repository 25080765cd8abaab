import { expect, test } from "vitest";
import { sampleWords } from "../../../tests/support/measured-words.ts";
import { survivalOf } from "./survival-model.ts";

const { tokens } = sampleWords();

test("every measured model has a line; a checkpoint that was given cannot be chosen", () => {
  const data = survivalOf(tokens, ["W2A16", "W8A8"], "W8A8");
  expect(data?.lines.map(({ scheme, isChosen, isHollow }) => [scheme, isChosen, isHollow])).toEqual([
    ["W2A16", false, false],
    [null, false, false],
    ["W8A8", true, true],
  ]);
  for (const { points } of data?.lines ?? []) {
    const shares = points.map(({ share }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
  }
  expect(data?.caption.strong).toMatch(
    /^Under W8A8 one prediction in ten moves by [\d.e−]+ nats or more, one in a hundred by [\d.e−]+\.$/,
  );
});

test("the same scores are sorted once; without a position there is nothing to draw", () => {
  const [one, other] = [survivalOf(tokens, [], ""), survivalOf(tokens, [], "")];
  expect(one?.lines[0]?.points).toBe(other?.lines[0]?.points);
  expect(survivalOf(null, [], "")).toBeNull();
  expect(survivalOf({ ...tokens, windows: new Uint32Array() }, [], "")).toBeNull();
});
