import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { fitOnGpu } from "./fit.ts";
import { kvBytesPerToken, kvCacheBytes } from "./kv-cache.ts";

// Bytes per token in bf16, from the published configs.
test.each([
  ["Llama-2-7B", 32, 32, 128, 524_288],
  ["Llama-2-13B", 40, 40, 128, 819_200],
  ["Llama-3.1-70B", 80, 8, 128, 327_680],
  ["Llama-3.1-8B", 32, 8, 128, 131_072],
  ["Qwen2.5-0.5B", 24, 2, 64, 12_288],
  ["Qwen3-8B", 36, 8, 128, 147_456],
  ["TinyLlama", 22, 4, 64, 22_528],
  ["SmolLM2-135M", 30, 3, 64, 23_040],
])("%s keeps the published bytes per token", (_name, layers, kvHeads, headDim, bytes) => {
  expect(kvBytesPerToken({ layers, kvHeads, headDim, elementBytes: 2 })).toBe(bytes);
});

const SHAPE = { layers: 32, kvHeads: 8, headDim: 128, elementBytes: 2 };

test("a cache is kept in whole blocks of 16 tokens", () => {
  expect(kvCacheBytes(SHAPE, 1, 3)).toBe(3 * 16 * 131_072);
  expect(kvCacheBytes(SHAPE, 4096, 1)).toBe(4096 * 131_072);
});

test("weights and cache are held against 0.92 of the reported memory", () => {
  const fit = fitOnGpu(16_060_522_496, SHAPE, { gpu: "L4 24 GB", contextTokens: 4096, sequences: 24 });
  expect(fit.usableBytes.value).toBe(Math.floor(23_034 * 2 ** 20 * 0.92));
  expect(fit.kvCacheBytes?.value).toBe(24 * 4096 * 131_072);
  expect(fit.fits).toBe(false);
  expect(fit.freeBytes?.value).toBe(fit.usableBytes.value - 16_060_522_496 - 24 * 4096 * 131_072);
  expect(fitOnGpu(4.5e9, SHAPE, { gpu: "L4 24 GB", contextTokens: 4096, sequences: 24 }).fits).toBe(true);
});

test("without an architecture only a refusal is sure", () => {
  const plan = { gpu: "T4 16 GB", contextTokens: 4096, sequences: 1 };
  expect(fitOnGpu(1e9, null, plan).fits).toBeNull();
  expect(fitOnGpu(1e12, null, plan).fits).toBe(false);
});

test.each([
  { gpu: "Voodoo 2", contextTokens: 1, sequences: 1 },
  { gpu: "T4 16 GB", contextTokens: 0, sequences: 1 },
  { gpu: "T4 16 GB", contextTokens: 1.5, sequences: 1 },
  { gpu: "T4 16 GB", contextTokens: 1, sequences: 1e9 },
])("$gpu, $contextTokens tokens, $sequences sequences is refused", (plan) => {
  expect(() => fitOnGpu(1, SHAPE, plan)).toThrow(LabError);
});
