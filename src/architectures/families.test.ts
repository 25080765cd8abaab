import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hostileCases, readHostileFile } from "../../tests/support/hostile-cases.ts";
import { expectationOf } from "../../tests/support/hostile-expectations.ts";
import { LabError } from "../base/errors.ts";
import { isJsonObject, jsonFromPlain, parseJson } from "../base/json.ts";
import { readArchitecture } from "./families.ts";

function read(config: Parameters<typeof jsonFromPlain>[0]) {
  const value = jsonFromPlain(config);
  if (!isJsonObject(value)) throw new Error("not an object");
  return readArchitecture(value);
}

const LLAMA = { model_type: "llama", hidden_size: 64, num_attention_heads: 4, num_hidden_layers: 2 };

test("the bundled model's config is read", () => {
  const value = parseJson(readFileSync("fixtures/models/quantlab-4m/config.json"), "config.json");
  if (!isJsonObject(value)) throw new Error("not an object");
  expect(readArchitecture(value)).toEqual({
    modelType: "llama",
    kv: { layers: 4, kvHeads: 4, headDim: 32 },
    maxPositions: 512,
  });
});

test("older configs without KV heads and head size mean as many heads, of hidden size / heads", () => {
  expect(read(LLAMA).kv).toEqual({ layers: 2, kvHeads: 4, headDim: 16 });
});

test("a window that is on is refused, one that is off is not", () => {
  expect(() => read({ ...LLAMA, model_type: "mistral", sliding_window: 128 })).toThrow(LabError);
  expect(read({ ...LLAMA, model_type: "mistral", sliding_window: null }).kv.layers).toBe(2);
  expect(read({ ...LLAMA, model_type: "qwen2", sliding_window: 128, use_sliding_window: false }).kv.layers).toBe(2);
});

/** Config cases whose text is sound: those that are accepted, and those whose numbers are wrong. */
const SOUND = hostileCases("config").filter((hostile) => {
  const expected = expectationOf(hostile);
  return expected.outcome === "accept" || expected.rule === "C01";
});

test.each(SOUND)("$id: $what", (hostile) => {
  const value = parseJson(readHostileFile(hostile.file), "config.json");
  if (!isJsonObject(value)) throw new Error("not an object");
  const expected = expectationOf(hostile);
  if (expected.outcome === "accept") {
    expect(readArchitecture(value).kv).toEqual({ layers: 2, kvHeads: 2, headDim: 16 });
  } else {
    const { code, rule } = expected;
    expect(thrownBy(() => readArchitecture(value))).toMatchObject({ code, fields: { rule } });
  }
});

test("what the lab does not know is no fault of the file: its error has no rule", () => {
  for (const config of [
    {},
    { model_type: "bert", num_hidden_layers: null },
    { ...LLAMA, model_type: "mistral", sliding_window: 9 },
  ]) {
    const error = thrownBy(() => read(config));
    expect(error).toBeInstanceOf(LabError);
    expect(error).not.toHaveProperty("fields.rule");
  }
});

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
