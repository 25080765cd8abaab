import { expect, test } from "vitest";
import { parseKvCache } from "../../schemes/kv-cache.ts";
import { kvAbout, kvOptions, roundingNotes } from "./rounding-switches-model.ts";

test("every way to round keys and values that can be chosen is one that the lab reads", () => {
  const named = kvOptions(null).flatMap(({ name }) => name ?? []);
  expect(named).toHaveLength(3);
  for (const name of named) expect(() => parseKvCache(name)).not.toThrow();
});

test("a way from elsewhere stands at the end, in words", () => {
  expect(kvOptions("int8:tensor")).toHaveLength(4);
  const own = kvOptions("int8:attn_head:minmax");
  expect(own.at(-1)).toEqual({ name: "int8:attn_head:minmax", words: "int8 per head, static (minmax)" });
});

test("says what each does and how sure the lab is", () => {
  expect(kvAbout(null)).toBe("Keys and values stay as the model computes them.");
  expect(kvAbout("int8:tensor")).toBe(
    "Keys and values int8 per tensor, static (static_minmax): the rounding of compressed-tensors 0.19, by ranges from a calibration text.",
  );
  expect(kvAbout("int8:token-head")).toContain("not compared with a run");
});

test("nothing rounded is said and allowed; ranges from a text are said", () => {
  const none = { weights: false, activations: false, kvCache: null };
  expect(roundingNotes({ roundings: none, needsText: false })).toEqual([
    "Nothing is rounded: every scheme is the original.",
  ]);
  expect(roundingNotes({ roundings: { ...none, kvCache: "int8:tensor" }, needsText: true })).toEqual([
    "Static ranges come from the calibration text.",
  ]);
});
