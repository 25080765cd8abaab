import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { customName, isCustom, parseCustom } from "./custom.ts";
import {
  type ActivationGranularity,
  type ActivationScheme,
  type Granularity,
  type IntBits,
  OBSERVERS,
  rangeSearcher,
  WEIGHT_OBSERVERS,
  type WeightScheme,
} from "./scheme.ts";

const groups = fc
  .integer({ min: 1, max: 2 ** 24 })
  .map((groupSize) => ({ strategy: "group" as const, groupSize }) satisfies Granularity);
const weights = fc
  .record<WeightScheme>({
    type: fc.constant("int" as const),
    bits: fc.constantFrom<IntBits>(2, 3, 4, 5, 6, 7, 8),
    symmetric: fc.boolean(),
    granularity: fc.oneof(fc.constantFrom<Granularity>({ strategy: "tensor" }, { strategy: "channel" }), groups),
    observer: fc.constantFrom(null, ...WEIGHT_OBSERVERS),
  })
  .filter(({ granularity, observer }) => granularity.strategy !== "tensor" || rangeSearcher({ observer }) === null);
const dynamicOnes = fc.record<ActivationScheme>({
  type: fc.constant("int" as const),
  bits: fc.constantFrom(4, 8),
  symmetric: fc.boolean(),
  granularity: fc.oneof(fc.constantFrom<ActivationGranularity>({ strategy: "token" }, { strategy: "tensor" }), groups),
  dynamic: fc.constant(true),
  observer: fc.constant(null),
});
const staticOnes = fc.tuple(dynamicOnes, fc.constantFrom(null, ...OBSERVERS)).map(
  ([scheme, observer]): ActivationScheme => ({
    ...scheme,
    granularity: { strategy: "tensor" },
    dynamic: false,
    observer,
  }),
);
const schemes = fc.record({ weights, inputActivations: fc.oneof(fc.constant(null), dynamicOnes, staticOnes) });

test("what customName writes, parseCustom reads", () => {
  fc.assert(
    fc.property(schemes, (scheme) => {
      const name = customName(scheme);
      // compressed-tensors 0.19 packs integer codes only where no activation is rounded.
      const format = scheme.inputActivations ? "int-quantized" : "pack-quantized";
      expect(parseCustom(name)).toEqual({ name, ...scheme, format });
      expect(isCustom(name)).toBe(true);
    }),
  );
});

test("garbage is refused by name or read as its canonical spelling", () => {
  const pieces = fc.constantFrom(
    "int8",
    "int4",
    ":",
    "/",
    "token",
    "tensor",
    "channel",
    "group=",
    "32",
    "static",
    "observer=",
    "mse",
    "=",
    "minmax",
    "asym",
    "sym",
  );
  const garbage = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 12 }).map((parts) => `int8${parts.join("")}`),
  );
  fc.assert(
    fc.property(garbage, (text) => {
      try {
        const { name } = parseCustom(text);
        expect(parseCustom(name).name).toBe(name);
      } catch (error) {
        expect(error).toBeInstanceOf(LabError);
        expect((error as LabError).code).toBe("scheme/bad-custom");
      }
    }),
    { numRuns: 1000 },
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
  ["int8:channel/int8", "int8:channel/int8:token"],
  ["int8/int8:tensor", "int8:group=128/int8:tensor"],
  ["INT4 / Int4:Group=32:Sym", "int4:group=128/int4:group=32"],
  ["int8:channel/int8:asym:static:tensor", "int8:channel/int8:tensor:static:asym"],
  ["int4:Observer=MSE:asym:group=32", "int4:group=32:observer=mse:asym"],
  ["int8:tensor:observer=static_minmax", "int8:tensor:observer=static_minmax"],
  ["int8:observer=imatrix_mse/int8", "int8:group=128:observer=imatrix_mse/int8:token"],
  ["int8:asym/int8:static=Static_MinMax:tensor", "int8:group=128:asym/int8:tensor:static=static_minmax"],
])("%s is %s", (text, name) => expect(parseCustom(text).name).toBe(name));

describe("refuses", () => {
  test.each([
    ["int1", '"int1" where the bits belong'],
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
    ["int4:sym:asym", '"asym" beside "sym"'],
    ["int4:static", 'the part "static"'],
    ["int4:observer", 'the part "observer"'],
    ["int4:observer=", 'the observer of weights ""'],
    ["int4:observer=ema", 'the observer of weights "ema"'],
    ["int4:observer=mse:observer=mse", '"observer=mse" beside "observer=mse"'],
    ["int4:tensor:observer=memoryless_mse", '"observer=memoryless_mse" with one scale per tensor'],
    ["int4:observer=imatrix_mse:tensor", '"observer=imatrix_mse" with one scale per tensor'],
    ["int4/int8:observer=minmax", 'the part "observer=minmax"'],
    ["int4:token", 'the part "token"'],
    ["int4/", '"" where the bits belong'],
    ["int4/int6", '"int6" where the bits belong'],
    ["int4/token", '"token" where the bits belong'],
    ["int4/int8/int8", '2 signs "/"'],
    ["int4/int8:channel", 'the part "channel"'],
    ["int4/int8:dynamic", 'the part "dynamic"'],
    ["int4/int8:token:tensor", '"tensor" beside "token"'],
    ["int4/int8:group=0", 'a group size of "0"'],
    ["int4/int8:static", '"static" with one scale per token'],
    ["int4/int8:group=32:static=minmax", '"static=minmax" with one scale per group'],
    ["int4/int8:tensor:static=mse", 'the observer "mse"'],
    ["int4/int8:tensor:static=", 'the observer ""'],
    ["int4/int8:tensor:static:static", '"static" beside "static"'],
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
