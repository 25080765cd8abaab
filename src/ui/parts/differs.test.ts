import { expect, test } from "vitest";
import { differs } from "./differs.ts";

test("lists and records put together anew from the same parts do not differ", () => {
  const part = { name: "q_proj" };
  expect(differs(["W4A16", "FP8"], ["W4A16", "FP8"])).toBe(false);
  expect(differs({ recipe: "W4A16", layer: part }, { recipe: "W4A16", layer: part })).toBe(false);
  expect(differs({ value: Number.NaN }, { value: Number.NaN })).toBe(false);
  expect(differs(null, null)).toBe(false);
});

test("another part, one more or one less, another name or nothing at all is a difference", () => {
  expect(differs(["a", "b"], ["b", "a"])).toBe(true);
  expect(differs(["a"], ["a", "b"])).toBe(true);
  expect(differs({ recipe: "a", layer: {} }, { recipe: "a", layer: {} })).toBe(true);
  expect(differs({ a: undefined }, { b: undefined })).toBe(true);
  expect(differs({ state: "none" }, undefined)).toBe(true);
  expect(differs(null, { state: "none" })).toBe(true);
});
