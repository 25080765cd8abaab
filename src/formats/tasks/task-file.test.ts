import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { createBufferSource } from "../sources/buffer-source.ts";
import { MAX_CHOICE, MAX_CONTEXT, MAX_ITEMS, readTaskFile } from "./task-file.ts";

const read = (bytes: Uint8Array<ArrayBuffer>) => readTaskFile(createBufferSource("tasks.jsonl", bytes));
const readText = (text: string) => read(new TextEncoder().encode(text));
const ITEM = { context: "Two and two make", choices: [" four", " five"], answer: 0 };
const lineOf = (changes: object) => JSON.stringify({ ...ITEM, ...changes });

test("a task file gives its items, blank lines passed over", async () => {
  const other = { context: "A\u00e9\n", choices: ["b", "c", " d"], answer: 2 };
  const text = `${JSON.stringify(ITEM)}\r\n\n  \n${JSON.stringify(other)}`;
  expect(await readText(text)).toEqual([ITEM, other]);
});

describe("a line is refused by its number", () => {
  test.each([
    ["that is no JSON", "{"],
    ["of another kind", "[1]"],
    ["with a key that means nothing", lineOf({ label: 1 })],
    ["without a context", lineOf({ context: undefined })],
    ["with a blank context", lineOf({ context: " \n" })],
    ["with a context that is too long", lineOf({ context: "x".repeat(MAX_CONTEXT + 1) })],
    ["with one choice", lineOf({ choices: ["a"] })],
    ["with too many choices", lineOf({ choices: Array.from({ length: 11 }, (_, at) => `${at}`) })],
    ["with an empty choice", lineOf({ choices: ["a", ""] })],
    ["with a choice that is too long", lineOf({ choices: ["a", "x".repeat(MAX_CHOICE + 1)] })],
    ["with a choice twice", lineOf({ choices: ["a", "b", "a"] })],
    ["with an answer beyond its choices", lineOf({ answer: 2 })],
    ["with an answer before them", lineOf({ answer: -1 })],
    ["with half an answer", lineOf({ answer: 0.5 })],
    ["with an answer in letters", lineOf({ answer: "0" })],
    ["with a key twice", '{"context":"a","context":"b","choices":["a","b"],"answer":0}'],
  ])("%s", async (_, line) => {
    const text = `${JSON.stringify(ITEM)}\n\n${line}\n`;
    await expect(readText(text)).rejects.toMatchObject({ code: "tasks/bad-line", fields: { line: 3 } });
  });

  test("whose bytes are no UTF-8", async () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode('{"context":"'), 0xff, 0x22, 0x7d]);
    await expect(read(bytes)).rejects.toMatchObject({ code: "tasks/bad-line", fields: { line: 1 } });
  });
});

test("files of no item and of too many are refused", async () => {
  await expect(readText(" \n\n")).rejects.toMatchObject({ code: "tasks/empty" });
  await expect(readText(`${JSON.stringify(ITEM)}\n`.repeat(MAX_ITEMS + 1))).rejects.toMatchObject({
    code: "tasks/too-many-items",
  });
  expect(await readText(`${JSON.stringify(ITEM)}\n`.repeat(MAX_ITEMS))).toHaveLength(MAX_ITEMS);
  const large = { name: "tasks.jsonl", sizeBytes: 2 ** 40, read: () => Promise.reject(new Error("it was read")) };
  await expect(readTaskFile(large)).rejects.toMatchObject({ code: "tasks/too-large" });
});

test("whatever comes, items that keep the rules or an error of the lab come out", async () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.array(fc.string()), fc.constant(null));
  const line = fc
    .record({ context: value, choices: value, answer: value }, { requiredKeys: [] })
    .map((own) => JSON.stringify(own));
  const junk = fc.oneof(line, fc.json(), fc.string()).map((text) => new TextEncoder().encode(text));
  const file = fc.array(fc.oneof(junk, fc.uint8Array({ maxLength: 30 })), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(file, async (lines) => {
      const bytes = Uint8Array.from(lines.flatMap((own) => [...own, 0x0a]));
      try {
        for (const { context, choices, answer } of await read(bytes)) {
          expect(context.trim()).not.toBe("");
          expect(choices[answer]).toBeTypeOf("string");
        }
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(LabError);
        expect((thrown as LabError).code).toMatch(/^tasks\//);
      }
    }),
  );
});
