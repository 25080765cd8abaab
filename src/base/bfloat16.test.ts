import fc from "fast-check";
import { expect, test } from "vitest";
import { BF16_NAN, fromBf16, roundHalfEven, toBf16 } from "./bfloat16.ts";

test("every bf16 value comes back from its float32", () => {
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const isNaNBits = (bits & 0x7fff) > 0x7f80;
    expect(toBf16(fromBf16(bits))).toBe(isNaNBits ? BF16_NAN : bits);
  }
});

test("a float32 goes to the nearer neighbour, a tie to the even one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7f7e }), fc.integer({ min: 0, max: 0xffff }), (upper, lower) => {
      const value = new Float32Array(new Uint32Array([upper * 65536 + lower]).buffer)[0] ?? 0;
      const [below, above] = [fromBf16(upper), fromBf16(upper + 1)];
      const found = fromBf16(toBf16(value));
      if (value - below < above - value) expect(found).toBe(below);
      else if (value - below > above - value) expect(found).toBe(above);
      else expect(toBf16(value) % 2).toBe(0);
    }),
  );
});

test("overflow becomes infinity and keeps its sign", () => {
  expect(toBf16(3.4e38)).toBe(0x7f80);
  expect(toBf16(-3.4e38)).toBe(0xff80);
});

test("halves round to even", () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, 7.5].map(roundHalfEven)).toEqual([-2, -2, 0, 0, 2, 2, 0, 8]);
});
