import { expect, test } from "vitest";
import { DEFAULT_SCHEMES, findPreset, PRESETS, unknownScheme } from "./presets.ts";
import type { Scheme } from "./scheme.ts";

/** Name, weight bits, group size (0: a scale per row), activation bits (0: left alone), as LLM Compressor lists them. */
const LISTED = `
  W2A16 2 128 0   W3A16 3 128 0   W4A16 4 128 0   W5A16 5 128 0   W6A16 6 128 0   W7A16 7 128 0   W8A16 8 128 0
  W2A8 2 128 8    W3A8 3 128 8    W4A8 4 128 8    W5A8 5 128 8    W6A8 6 128 8    W7A8 7 128 8
  W2A4 2 128 4    W3A4 3 128 4    W4A4 4 128 4
  W4A16_ASYM 4 128 0              W8A8 8 0 8      INT8 8 0 8`;

const row = ({ name, weights: { bits, granularity }, inputActivations }: Scheme) =>
  [
    name,
    bits,
    granularity.strategy === "group" ? granularity.groupSize : granularity.strategy === "channel" ? 0 : "?",
    inputActivations?.bits ?? 0,
  ].join(" ");

test("the presets are LLM Compressor's, by name and by number", () => {
  const listed = LISTED.trim().split(/\s{2,}/);
  expect(listed).toHaveLength(19);
  expect(PRESETS.map(row).sort()).toEqual(listed.sort());
});

test("rounded activations mean a byte for each code, others packing", () => {
  for (const { format, inputActivations } of PRESETS) {
    expect(format).toBe(inputActivations ? "int-quantized" : "pack-quantized");
  }
});

test("presets round activations per token, symmetric, as they come", () => {
  for (const { inputActivations } of PRESETS) {
    if (!inputActivations) continue;
    const { bits: _bits, ...rest } = inputActivations;
    expect(rest).toEqual({
      type: "int",
      symmetric: true,
      granularity: { strategy: "token" },
      dynamic: true,
      observer: null,
    });
  }
});

test("one preset alone is asymmetric", () => {
  expect(PRESETS.filter(({ weights }) => !weights.symmetric).map(({ name }) => name)).toEqual(["W4A16_ASYM"]);
});

test("names are found in any letter case, and nothing else is", () => {
  expect(["w4a16_asym", "Int8", "W8A8"].map((name) => findPreset(name)?.name)).toEqual(["W4A16_ASYM", "INT8", "W8A8"]);
  expect(["W8A4", "W1A16", "", "W4A16 ", "constructor"].map(findPreset)).toEqual(Array(5).fill(undefined));
  expect(DEFAULT_SCHEMES.every((name) => findPreset(name)?.name === name)).toBe(true);
});

test("a name that LLM Compressor knows is told from one that nobody does", () => {
  expect(unknownScheme("fp8_dynamic").found).toContain("does not compute yet");
  expect(unknownScheme("W9A9").found).toBe('no scheme named "W9A9"');
  expect(unknownScheme("W9A9").allowed).toContain("W4A16_ASYM");
});
