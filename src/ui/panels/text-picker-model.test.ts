import { describe, expect, test } from "vitest";
import { type AskedText, isSameText, textName } from "../parts/asked-text.ts";
import {
  countWords,
  measureVerb,
  planWords,
  readCount,
  textChoice,
  textFacts,
  textOfDrop,
  toggled,
} from "./text-picker-model.ts";

const BUNDLED: AskedText = { source: { kind: "bundled", names: ["scripture", "satire"] }, windows: 16, context: null };
const file = (name: string): File => new File(["x"], name);
const own = (name: string): AskedText => ({ source: { kind: "file", file: file(name) }, windows: 4, context: null });

describe("what will run, in words", () => {
  test.each([
    [BUNDLED, 5, null, 512, "16 windows × 256 tokens, 2\u2009032 positions; 5 schemes"],
    [
      { ...BUNDLED, windows: 1, context: 128 },
      1,
      "other",
      512,
      "1 window × 128 tokens, 63 positions; 1 scheme and other",
    ],
    [own("a.txt"), 2, null, 256, "4 windows × 256 tokens at most, 508 positions; 2 schemes"],
    [own("a.jsonl"), 2, null, null, "4 windows × 512 tokens at most, 1\u2009020 positions; 2 schemes"],
    [own("ids.json"), 2, null, 256, "4 windows of token ids at most; 2 schemes"],
  ] as const)("%#", (text, schemes, against, positions, words) => {
    expect(planWords(text, schemes, against, positions)).toBe(words);
  });

  test("a name of two hundred characters is cut", () => {
    expect(planWords(BUNDLED, 1, "x".repeat(200), null).length).toBeLessThan(120);
    expect(textName(own(`${"x".repeat(200)}.txt`)).length).toBeLessThan(60);
  });
});

test("texts are the same by their source and context, whatever the number of windows", () => {
  const one = own("a.txt");
  expect(isSameText(BUNDLED, { ...BUNDLED, windows: 99 })).toBe(true);
  expect(isSameText(BUNDLED, { ...BUNDLED, context: 64 })).toBe(false);
  expect(isSameText(BUNDLED, { ...BUNDLED, source: { kind: "bundled", names: ["satire"] } })).toBe(false);
  expect(isSameText(one, { ...one, windows: 8 })).toBe(true);
  // A file of the same name may have other contents.
  expect(isSameText(one, own("a.txt"))).toBe(false);
  const pasted = (text: string): AskedText => ({ ...one, source: { kind: "pasted", text } });
  expect([isSameText(pasted("a"), pasted("a")), isSameText(pasted("a"), pasted("b"))]).toEqual([true, false]);
});

test("the engine is asked for a context only where one was given", () => {
  expect(textChoice(BUNDLED)).toEqual({ source: BUNDLED.source, windows: 16 });
  expect(textChoice({ ...BUNDLED, context: 64 })).toMatchObject({ context: 64 });
});

test("ticking keeps the order of the texts, and the last one", () => {
  expect(toggled(["scripture", "satire"], "jargon")).toEqual(["scripture", "jargon", "satire"]);
  expect(toggled(["scripture", "satire"], "scripture")).toEqual(["satire"]);
  expect(toggled(["satire"], "satire")).toEqual(["satire"]);
});

test("numbers are read with their thin spaces, and only within bounds", () => {
  expect([readCount("1\u2009024", "context"), readCount(" 16 ", "windows"), readCount("1", "windows")]).toEqual([
    1024, 16, 1,
  ]);
  for (const text of ["", "0", "1.5", "-3", "x", "9999999999"]) expect(readCount(text, "windows")).toBeNull();
  expect([readCount("2", "context"), readCount("3", "context")]).toEqual([null, 3]);
  expect(countWords("context", 512)).toContain("from 3 to 512");
});

test("what misleads is read first, and BOS is text", () => {
  const finding = (severity: "note" | "warning", words: string) =>
    ({ code: "tokens", severity, count: 1, words }) as const;
  const facts = textFacts({
    windows: [],
    slices: [],
    source: "s",
    tokenizer: "t",
    bos: { id: 1, token: "<s>" },
    hash: "0123456789abcdef",
    windowHashes: [],
    textHashes: [],
    findings: [finding("note", "a"), finding("warning", "b"), finding("note", "c")],
  });
  expect(facts.findings.map(({ words }) => words)).toEqual(["b", "a", "c"]);
  expect([facts.bos, facts.hash]).toEqual(["<s> (1)", "0123456789"]);
});

test("one loose file of text is a text; parts of a checkpoint, folders and several files are not", () => {
  const drop = (...paths: readonly string[]) => textOfDrop(paths.map((path) => ({ path, file: file(path) })))?.name;
  expect([drop("notes.txt"), drop("/chat.jsonl"), drop("ids.json"), drop("A.TXT")]).toEqual(
    ["notes.txt", "/chat.jsonl", "ids.json", "A.TXT"].map((name) => file(name).name),
  );
  for (const path of [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "model.safetensors.index.json",
    "m/a.txt",
    "model.safetensors",
  ]) {
    expect(drop(path), path).toBeUndefined();
  }
  expect(drop("a.txt", "b.txt")).toBeUndefined();
});

test("the verb says what a press does", () => {
  expect((["first", "again", "go-on", "add"] as const).map(measureVerb)).toEqual([
    "Measure",
    "Measure again",
    "Go on measuring",
    "Add windows",
  ]);
});
