import { expect, test } from "vitest";
import { type CommandWords, findCommands } from "./command-palette-model.ts";

const COMMANDS: readonly CommandWords[] = [
  { id: "a", group: "Go to", words: "Layers: where it hurts", key: "g l" },
  { id: "b", group: "Matrices", words: "Open model.layers.12.mlp.down_proj", key: null },
  { id: "c", group: "Matrices", words: "Open model.layers.1.mlp.down_proj", key: null },
  { id: "d", group: "Schemes", words: "Choose W4A16", key: null },
];
const ids = (query: string): string[] => findCommands(COMMANDS, query).map(({ id }) => id);

test("without a query long lists of names stay away", () => {
  expect(ids("")).toEqual(["a", "d"]);
});

test("words are found in any order and case, whole words first", () => {
  expect(ids("DOWN_PROJ 7")).toEqual([]);
  expect(ids("down 1")).toEqual(["c", "b"]);
  expect(ids("proj open")).toEqual(["b", "c"]);
  expect(ids("layers")).toEqual(["a", "b", "c"]);
  expect(ids("4a")).toEqual(["d"]);
});
