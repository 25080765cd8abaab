import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { parseJson } from "../../base/json.ts";
import { readTokenizerStructure } from "./tokenizer-file.ts";

const read = (value: unknown) => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return readTokenizerStructure(parseJson(new TextEncoder().encode(text), "tokenizer.json"));
};

const MODEL = { type: "BPE", unk_token: null, vocab: { a: 0, b: 1, ab: 2, "<s>": 3 }, merges: [["a", "b"]] };
const S = { id: 3, content: "<s>", special: true };
const FILE = { added_tokens: [S], normalizer: null, pre_tokenizer: null, post_processor: null, model: MODEL };

/** The post-processor that puts `<s>` first. */
const TEMPLATE = {
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  special_tokens: { "<s>": { id: "<s>", ids: [3], tokens: ["<s>"] } },
};

describe("a sound file", () => {
  test("gives ids, special tokens and what stands around a text", () => {
    const { ids, ...rest } = read({ ...FILE, post_processor: TEMPLATE });
    expect([...ids]).toEqual([
      ["a", 0],
      ["b", 1],
      ["ab", 2],
      ["<s>", 3],
    ]);
    expect(rest).toEqual({
      ...{ model: "BPE", idCount: 4, added: new Set([3]), special: new Set([3]), unknownId: null },
      template: { before: [3], after: [] },
    });
  });

  test("may leave out what the first files left out", () => {
    const { type: _, ...untyped } = MODEL;
    expect(read({ model: { ...untyped, unk_token: "" } })).toMatchObject({ model: "BPE", unknownId: null });
  });

  test("may add tokens after its vocabulary, with gaps", () => {
    expect(read({ ...FILE, added_tokens: [S, { id: 9, content: "<x>" }] })).toMatchObject({ idCount: 10 });
  });

  test("wraps a text once for each of several post-processors", () => {
    const roberta = { type: "RobertaProcessing", cls: ["a", 0], sep: ["b", 1] };
    const { template } = read({ ...FILE, post_processor: { type: "Sequence", processors: [TEMPLATE, roberta] } });
    expect(template).toEqual({ before: [0, 3], after: [1] });
  });

  test("of 300,000 merges is read in time", () => {
    const words = Array.from({ length: 300_000 }, (_, at) => `t${at}`);
    const vocab = Object.fromEntries(
      ["", ...words].flatMap((word, at) => [
        [word, 2 * at],
        [`${word}x`, 2 * at + 1],
      ]),
    );
    const merges = words.map((word) => [word, "x"]);
    const bytes = new TextEncoder().encode(JSON.stringify({ model: { type: "BPE", vocab, merges } }));
    const json = parseJson(bytes, "tokenizer.json");
    expect(readTokenizerStructure(json).ids.size).toBe(600_002);
  });
});

describe("is refused where it has", () => {
  const refuse = (code: string, rule: string, file: unknown) =>
    expect(() => read(file)).toThrow(expect.objectContaining({ code, fields: expect.objectContaining({ rule }) }));

  test.each([
    ["an id twice", "tokenizer/bad-id", "K06", { model: { ...MODEL, vocab: { ...MODEL.vocab, c: 1 } } }],
    ["an id too large", "tokenizer/bad-id", "K06", { added_tokens: [{ ...S, id: 2 ** 22, content: "x" }] }],
    ["an added token with another id", "tokenizer/bad-id", "K06", { added_tokens: [{ ...S, id: 7 }] }],
    ["an added token without text", "tokenizer/bad-structure", "K11", { added_tokens: [{ id: 7, content: "" }] }],
    [
      "a token of a book's length",
      "tokenizer/bad-structure",
      "K11",
      { added_tokens: [{ id: 7, content: "x".repeat(20_000) }] },
    ],
    ["a token that must stand alone", "tokenizer/unsupported", "K11", { added_tokens: [{ ...S, single_word: true }] }],
    ["a merge of nothing", "tokenizer/bad-merges", "K08", { model: { ...MODEL, merges: [["", "a"]] } }],
    ["merges of two kinds", "tokenizer/bad-merges", "K08", { model: { ...MODEL, merges: [["a", "b"], "a b"] } }],
    ["a merge to no token", "tokenizer/bad-merges", "K08", { model: { ...MODEL, merges: [["b", "a"]] } }],
    ["no merges", "tokenizer/bad-merges", "K08", { model: { ...MODEL, merges: undefined } }],
    ["dropout", "tokenizer/unsupported", "K11", { model: { ...MODEL, dropout: 0.1 } }],
    ["a prefix inside words", "tokenizer/unsupported", "K11", { model: { ...MODEL, continuing_subword_prefix: "##" } }],
    [
      "a charsmap",
      "tokenizer/unsupported",
      "K11",
      { normalizer: { type: "Precompiled", precompiled_charsmap: "AA==" } },
    ],
    ["an unknown normalizer", "tokenizer/unsupported", "K11", { normalizer: { type: "toString" } }],
    ["a normalizer without type", "tokenizer/bad-structure", "K11", { normalizer: {} }],
    [
      "a pattern of nothing",
      "tokenizer/bad-structure",
      "K11",
      { normalizer: { type: "Replace", pattern: { String: "" }, content: "a" } },
    ],
    [
      "an unknown behaviour",
      "tokenizer/bad-structure",
      "K11",
      { pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Other" } },
    ],
    ["an unknown pre-tokenizer", "tokenizer/unsupported", "K11", { pre_tokenizer: { type: "UnicodeScripts" } }],
    [
      "steps without end",
      "tokenizer/bad-structure",
      "K11",
      { pre_tokenizer: { type: "Sequence", pretokenizers: Array(70).fill({ type: "Digits" }) } },
    ],
    ["an unknown post-processor", "tokenizer/unsupported", "K11", { post_processor: { type: "Other" } }],
    [
      "a template without text",
      "tokenizer/bad-structure",
      "K11",
      { post_processor: { ...TEMPLATE, single: TEMPLATE.single.slice(0, 1) } },
    ],
    [
      "a template of a pair",
      "tokenizer/bad-structure",
      "K11",
      { post_processor: { ...TEMPLATE, single: [{ Sequence: { id: "B" } }] } },
    ],
    [
      "a template that lies about ids",
      "tokenizer/unsupported",
      "K11",
      { post_processor: { ...TEMPLATE, special_tokens: { "<s>": { ids: [1] } } } },
    ],
  ])("%s", (_, code, rule, change) => refuse(code, rule, { ...FILE, ...change }));

  test("no object, or no model", () => {
    refuse("tokenizer/bad-structure", "K11", []);
    refuse("tokenizer/bad-structure", "K11", {});
  });

  test("Unigram pieces that the lab cannot make as the reference does", () => {
    const model = {
      type: "Unigram",
      unk_id: 0,
      vocab: [
        ["<unk>", 0],
        ["a", -1],
      ],
    };
    expect(read({ model })).toMatchObject({ model: "Unigram", unknownId: 0 });
    refuse("tokenizer/unsupported", "K11", { model: { ...model, byte_fallback: true } });
    refuse("tokenizer/missing-token", "K11", { model: { ...model, unk_id: 2 } });
    refuse("tokenizer/unsupported", "K11", { model: { ...model, unk_id: null } });
  });
});

test("no change of one place in a file gives anything but a typed error", () => {
  const text = readFileSync(
    new URL("../../../fixtures/hostile/tokenizer/tok_ok/tokenizer.json", import.meta.url),
    "utf8",
  );
  const keys = Reflect.ownKeys(Object.prototype);
  const piece = fc.constantFrom("null", "[]", "{}", "-1", "1e9", '"__proto__"', '"x"', "true", ",", "}", '"', "");
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(12), piece, (at, length, put) => {
      try {
        read(text.slice(0, at) + put + text.slice(at + length));
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(LabError);
        expect((thrown as LabError).code).toMatch(/^(tokenizer|json)\//);
      }
    }),
    { numRuns: 3000 },
  );
  expect(Reflect.ownKeys(Object.prototype)).toEqual(keys);
});
