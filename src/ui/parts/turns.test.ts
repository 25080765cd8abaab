import { expect, test } from "vitest";
import { ownTurn } from "./turns.ts";

function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test("turns come one after the other; small ones share a task, after a long one another task comes first", async () => {
  const seen: string[] = [];
  const take = async (name: string, ms: number): Promise<void> => {
    await ownTurn();
    seen.push(name);
    busyFor(ms);
  };
  // Turns before have left a task of their own behind them.
  await take("before", 20);
  seen.length = 0;
  const all = [take("small", 0), take("also small", 0), take("long", 20), take("last", 0)];
  setTimeout(() => seen.push("another task"));
  await Promise.all(all);
  expect(seen.filter((name) => name !== "another task")).toEqual(["small", "also small", "long", "last"]);
  expect(seen.indexOf("long") - seen.indexOf("small")).toBe(2);
  expect(seen.indexOf("another task")).toBeLessThan(seen.indexOf("last"));
});
