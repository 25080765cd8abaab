import { expect, test } from "vitest";
import type { TokenizerFacts } from "../tokenizer/open-tokenizer.ts";
import { type DoctorInput, examineText } from "./doctor.ts";
import { hashWindows } from "./windows.ts";

const [BOS, EOS, PAD, UNKNOWN] = ["<s>", "</s>", "<pad>", "<unk>"].map((token, id) => ({ id, token }));

const FACTS: TokenizerFacts = {
  idCount: 100,
  leading: BOS ?? null,
  trailing: [],
  bos: BOS ?? null,
  eos: EOS ?? null,
  padding: PAD ?? null,
  unknown: UNKNOWN ?? null,
  isBosSettingIgnored: false,
  hasChatTemplate: false,
  words: "",
};

async function found(windows: readonly (readonly number[])[], more: Partial<DoctorInput> = {}) {
  const windowHashes = await hashWindows(windows);
  const findings = examineText({
    ...{
      windows,
      windowHashes,
      sliceStarts: [0],
      droppedTokens: 0,
      tokenizer: FACTS,
      isTemplated: false,
      calibration: new Set(),
    },
    ...more,
  });
  return findings.map(({ code, severity, count }) => `${severity} ${code} ${count}`);
}

/** Windows with nothing wrong about them. */
const FINE = [
  [0, 10, 11, 12],
  [0, 13, 14, 15],
];

test("a sound text has its sizes told and nothing else", async () => {
  expect(await found(FINE)).toEqual(["note tokens 8", "note shortest-window 4"]);
});

test("the tail and uneven windows are told", async () => {
  expect(await found([...FINE, [0, 1, 9]], { droppedTokens: 3 })).toEqual([
    "note tokens 11",
    "note tail-dropped 3",
    "warning shortest-window 3",
  ]);
});

test("tokens after a chat template are called so", () => {
  const [first] = examineText({
    ...{
      windows: FINE,
      windowHashes: ["a", "b"],
      sliceStarts: [0],
      droppedTokens: 0,
      tokenizer: FACTS,
      calibration: new Set(),
    },
    isTemplated: true,
  });
  expect(first?.words).toContain("after the chat template");
});

test.each([
  ["a missing BOS", [...FINE, [7, 8, 9, 9]], "warning bos-missing 1"],
  ["a BOS twice", [...FINE, [0, 0, 9, 9]], "warning bos-doubled 1"],
  ["padding", [...FINE, [0, 8, 2, 2]], "warning padding-inside 2"],
  ["a window twice", [...FINE, [0, 10, 11, 12]], "warning duplicate-windows 1"],
  ["unknown tokens", [...FINE, [0, 3, 8, 3]], "warning unknown-tokens 2"],
])("%s is found", async (_, windows, finding) => {
  expect((await found(windows)).slice(2)).toEqual([finding]);
});

test("a document's start in a text's first window, or in few of many, is no doubled BOS to warn of", async () => {
  expect((await found([[0, 0, 9, 9]])).slice(2)).toEqual(["note bos-doubled 1"]);
  const many = Array.from({ length: 20 }, (_, at) => [0, at === 7 ? 0 : 10 + at, 40, 50 + at]);
  expect((await found(many)).slice(2)).toEqual(["note bos-doubled 1"]);
});

test("where the EOS pads, one of it is an end and a row of it is padding", async () => {
  const tokenizer = { ...FACTS, padding: EOS ?? null };
  expect((await found([[0, 5, 1, 6]], { tokenizer })).slice(2)).toEqual([]);
  expect((await found([[0, 5, 1, 1, 1]], { tokenizer })).slice(2)).toEqual(["warning padding-inside 2"]);
});

test("where the unknown token has other parts to play, it says nothing", async () => {
  expect((await found([[0, 5, 1, 6]], { tokenizer: { ...FACTS, unknown: EOS ?? null } })).slice(2)).toEqual([]);
});

test("a tokenizer that puts no BOS first misses none", async () => {
  expect((await found([[7, 8, 9]], { tokenizer: { ...FACTS, leading: null } })).slice(2)).toEqual([]);
});

test("a config that contradicts the post-processor is told", async () => {
  const tokenizer = { ...FACTS, isBosSettingIgnored: true };
  expect((await found(FINE, { tokenizer })).slice(2)).toEqual(["note bos-setting-ignored 2"]);
});

test("windows of the calibration are found", async () => {
  const [hash] = await hashWindows(FINE);
  expect((await found(FINE, { calibration: new Set([hash ?? ""]) })).slice(2)).toEqual(["warning shared-windows 1"]);
});

test("without a tokenizer nothing is claimed of special tokens", async () => {
  expect(await found([[7, 7, 2, 2]], { tokenizer: null })).toEqual([
    "note tokens 4",
    "note shortest-window 4",
    "warning no-tokenizer 1",
  ]);
});

test("a token's text cannot steer a terminal", () => {
  const leading = { id: 0, token: "\u001b[2J" };
  const findings = examineText({
    ...{
      windows: [[1, 2, 3]],
      windowHashes: ["a"],
      sliceStarts: [0],
      droppedTokens: 0,
      isTemplated: false,
      calibration: new Set(),
    },
    tokenizer: { ...FACTS, leading },
  });
  expect(JSON.stringify(findings)).not.toContain("\\u001b");
});
