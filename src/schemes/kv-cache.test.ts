import fc from "fast-check";
import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import {
  describeKvCache,
  type KvCacheScheme,
  kvCacheName,
  kvCacheWords,
  kvNeedsCalibration,
  parseKvCache,
} from "./kv-cache.ts";
import { OBSERVERS } from "./scheme.ts";

const schemes = fc.constantFrom<KvCacheScheme>(
  ...OBSERVERS.flatMap((observer) =>
    (["tensor", "attn_head"] as const).map(
      (strategy) => ({ rule: "compressed-tensors", bits: 8, strategy, observer }) as const,
    ),
  ),
  { rule: "vllm", bits: 8, strategy: "token-head" },
);

test("what kvCacheName writes, parseKvCache reads", () => {
  fc.assert(
    fc.property(schemes, (scheme) => {
      expect(parseKvCache(kvCacheName(scheme))).toEqual(scheme);
    }),
  );
});

test.each([
  ["int8:tensor", "int8:tensor", "keys and values int8 per tensor, static (static_minmax)"],
  [" INT8:Attn_Head:static_minmax ", "int8:attn_head", "keys and values int8 per head, static (static_minmax)"],
  ["int8:tensor:minmax", "int8:tensor:minmax", "keys and values int8 per tensor, static (minmax)"],
  [
    "int8:attn_head:memoryless_minmax",
    "int8:attn_head:memoryless_minmax",
    "keys and values int8 per head, static (memoryless_minmax)",
  ],
  ["int8:Token-Head", "int8:token-head", "keys and values int8 per token and head, taken at run time (vLLM's rule)"],
])("%s is %s", (text, name, words) => {
  const scheme = parseKvCache(text);
  expect([kvCacheName(scheme), describeKvCache(scheme)]).toEqual([name, words]);
});

test("the words of a report are those of the conformance kit; only vLLM's rule needs no calibration text", () => {
  const all = ["int8:tensor:minmax", "int8:attn_head", "int8:token-head"].map(parseKvCache);
  expect(all.map(kvCacheWords)).toEqual([
    "KV cache: int 8 bit per tensor, static",
    "KV cache: int 8 bit per attn_head, static",
    "KV cache: int 8 bit per token and head, dynamic (vLLM's rule)",
  ]);
  expect(all.map(kvNeedsCalibration)).toEqual([true, true, false]);
});

test.each([
  ["", '"" where the bits belong'],
  ["int4:tensor", '"int4"'],
  ["fp8:tensor", '"fp8"'],
  ["int8", "nothing on what shares a scale"],
  ["int8:", 'one scale per ""'],
  ["int8:token", 'one scale per "token"'],
  ["int8:head", 'one scale per "head"'],
  ["int8:tensor:", 'the observer ""'],
  ["int8:tensor:mse", 'the observer "mse"'],
  ["int8:tensor:static_minmax:asym", "4 parts"],
  ["int8:token-head:minmax", '"minmax" beside ranges'],
])("%j is refused", (text, found) => {
  try {
    parseKvCache(text);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(LabError);
    expect((error as LabError).code).toBe("scheme/bad-kv-cache");
    expect((error as LabError).found).toContain(found);
  }
});

test("garbage is refused by name", () => {
  const pieces = fc.constantFrom("int8", ":", "tensor", "attn_head", "token-head", "minmax", "static_minmax", " ");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join("")),
      ),
      (text) => {
        try {
          expect(
            text
              .trim()
              .toLowerCase()
              .startsWith(kvCacheName(parseKvCache(text))),
          ).toBe(true);
        } catch (error) {
          expect((error as LabError).code).toBe("scheme/bad-kv-cache");
        }
      },
    ),
    { numRuns: 1000 },
  );
});
