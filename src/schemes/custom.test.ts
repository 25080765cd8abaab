import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { customName, isCustom, parseCustom } from "./custom.ts";
import type { Granularity, IntBits, WeightScheme } from "./scheme.ts";

const granularities = fc.oneof(
  fc.constantFrom<Granularity>({ strategy: "tensor" }, { strategy: "channel" }),
  fc.integer({ min: 1, max: 2 ** 24 }).map((groupSize): Granularity => ({ strategy: "group", groupSize })),
);
const schemes = fc.record<WeightScheme>({
  type: fc.constant("int" as const),
  bits: fc.constantFrom<IntBits>(2, 3, 4, 5, 6, 7, 8),
  symmetric: fc.boolean(),
  granularity: granularities,
});

test("what customName writes, parseCustom reads, and nothing else is rounded", () => {
  fc.assert(
    fc.property(schemes, (weights) => {
      const name = customName(weights);
      expect(parseCustom(name)).toEqual({ name, weights, inputActivations: null, format: "pack-quantized" });
      expect(isCustom(name)).toBe(true);
    }),
  );
});

test.each([
  ["int4", "int4:group=128"],
  ["INT4:Sym", "int4:group=128"],
  ["int4:asym:group=32", "int4:group=32:asym"],
  ["int8:sym:channel", "int8:channel"],
  [" int2:tensor:asym ", "int2:tensor:asym"],
  ["int7:group=1", "int7:group=1"],
  ["int7:group=16777216", "int7:group=16777216"],
])("%s is %s", (text, name) => expect(parseCustom(text).name).toBe(name));

describe("refuses", () => {
  test.each([
    ["int1", '"int1" in the first place'],
    ["int9:channel", '"int9"'],
    ["int04", '"int04"'],
    ["int", '"int"'],
    ["int4:", 'the part ""'],
    ["int4:row", 'the part "row"'],
    ["int4:group", 'the part "group"'],
    ["int4:group=0", 'a group size of "0"'],
    ["int4:group=032", '"032"'],
    ["int4:group=1.5", '"1.5"'],
    ["int4:group=-1", '"-1"'],
    ["int4:group=16777217", '"16777217"'],
    ["int4:group=99999999999999999999", '"99999999999999999999"'],
    ["int4:channel:tensor", '"tensor" beside "channel"'],
    ["int4:group=32:group=32", '"group=32" beside "group=32"'],
    ["int4:sym:asym", 'a second word on symmetry, "asym"'],
  ])("%s", (text, found) => {
    try {
      parseCustom(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LabError);
      expect((error as LabError).code).toBe("scheme/bad-custom");
      expect((error as LabError).found).toContain(found);
    }
  });
});
