import { expect, test } from "vitest";
import { createBufferSource } from "../sources/buffer-source.ts";
import { readTokenizerConfig } from "./tokenizer-config.ts";

const read = (files: Readonly<Record<string, string | Uint8Array>>) =>
  readTokenizerConfig({
    name: "model",
    files: new Map(
      Object.entries(files).map(([name, text]) => [
        name,
        createBufferSource(name, typeof text === "string" ? new TextEncoder().encode(text) : text),
      ]),
    ),
  });
const config = (value: unknown) => read({ "tokenizer_config.json": JSON.stringify(value) });

test("a folder without any has no names and no template", async () => {
  expect(await read({})).toEqual({ tokens: new Map(), addsBos: null, chatTemplate: null });
});

test("special tokens are texts, or objects with one", async () => {
  const { tokens, addsBos } = await config({
    ...{ bos_token: "<s>", eos_token: { content: "</s>", lstrip: false }, pad_token: null, add_bos_token: false },
    model_max_length: 1e30,
  });
  expect([[...tokens], addsBos]).toEqual([
    [
      ["bos_token", "<s>"],
      ["eos_token", "</s>"],
    ],
    false,
  ]);
  await expect(config({ bos_token: 1 })).rejects.toMatchObject({ code: "tokenizer/bad-structure" });
});

test("the template is a text, the default one of a list, or the file's own before both", async () => {
  expect((await config({ chat_template: "A" })).chatTemplate).toBe("A");
  const list = [
    { name: "tool_use", template: "T" },
    { name: "default", template: "D" },
  ];
  expect((await config({ chat_template: list })).chatTemplate).toBe("D");
  expect((await config({ chat_template: list.slice(0, 1) })).chatTemplate).toBeNull();
  const both = { "tokenizer_config.json": '{"chat_template": "A"}', "chat_template.jinja": "J\n" };
  expect((await read(both)).chatTemplate).toBe("J\n");
});

test.each([
  ["no object", { "tokenizer_config.json": "[]" }, "tokenizer/bad-structure", "K11"],
  ["a template that is none", { "tokenizer_config.json": '{"chat_template": 1}' }, "tokenizer/bad-structure", "K11"],
  ["a key twice", { "tokenizer_config.json": '{"a": 1, "a": 1}' }, "json/duplicate-key", "K11"],
  ["depth", { "tokenizer_config.json": "[".repeat(200) }, "json/too-deep", "K12"],
  ["a template in no UTF-8", { "chat_template.jinja": Uint8Array.of(0xff) }, "tokenizer/not-utf8", "K11"],
  ["a template of a book's length", { "chat_template.jinja": "x".repeat(1_000_001) }, "tokenizer/too-large", "K09"],
])("%s is refused", async (_, files, code, rule) => {
  await expect(read(files)).rejects.toMatchObject({ code, fields: { rule } });
});
