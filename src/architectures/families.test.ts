import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hostileCases, readHostileFile } from "../../tests/support/hostile-cases.ts";
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

test.each(hostileCases("config"))("$id: $what", (item) => {
  const decide = () => {
    const value = parseJson(readHostileFile(item.file), "config.json");
    if (!isJsonObject(value)) throw new Error("refused earlier: not an object");
    return readArchitecture(value);
  };
  if (item.expect === "accept" && item.tier < 3) {
    expect(decide().kv.layers).toBeGreaterThan(0);
    return;
  }
  // Refused, or read to something bounded: the figure that needs the field is then off elsewhere.
  try {
    const { kv } = decide();
    expect(kv.layers * kv.kvHeads * kv.headDim).toBeLessThan(2 ** 53);
  } catch (error) {
    if (error instanceof LabError) expect(error.code).toMatch(/^(json|config)\//);
    else expect(String(error)).toContain("refused earlier");
  }
});
