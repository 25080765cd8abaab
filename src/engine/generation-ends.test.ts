import { expect, test } from "vitest";
import { type JsonValue, parseJson } from "../base/json.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { endTokensOf } from "./generation-ends.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What a checkpoint's files say. */
async function endsOf(config: string | null, generation: string | null): Promise<readonly number[]> {
  const parsed: JsonValue | null = config === null ? null : parseJson(encode(config), "config.json");
  const path = "generation_config.json";
  const sideFiles = generation === null ? [] : [{ path, source: createBufferSource(path, encode(generation)) }];
  return [...(await endTokensOf({ config: parsed, sideFiles } as unknown as Checkpoint))];
}

test("tokens that end a text are those of generation_config.json, else of config.json", async () => {
  expect(await endsOf('{"eos_token_id": 1}', null)).toEqual([1]);
  expect(await endsOf('{"eos_token_id": 1}', '{"eos_token_id": [7, 9]}')).toEqual([7, 9]);
  expect(await endsOf('{"text_config": {"eos_token_id": [4]}}', null)).toEqual([4]);
  expect(await endsOf('{"eos_token_id": null}', null)).toEqual([]);
  expect(await endsOf('{"eos_token_id": 1}', "{}")).toEqual([]);
  expect(await endsOf(null, null)).toEqual([]);
});

test.each(['{"eos_token_id": "1"}', '{"eos_token_id": [1, -1]}', '{"eos_token_id": 5e9}', "[]"])(
  "%s is refused by name",
  async (text) => {
    await expect(endsOf(null, text)).rejects.toMatchObject({
      code: "config/bad-end-token",
      fields: { file: "generation_config.json" },
    });
  },
);

test("broken JSON keeps its own error", async () => {
  await expect(endsOf(null, "{")).rejects.toMatchObject({ code: "json/syntax" });
});
