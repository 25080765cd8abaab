import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BF16, F16, F32, type FloatFormat, roundHalfEven } from "./float-format.ts";

/** Every bit pattern, or as many random ones. */
const patterns = ({ sizeBytes }: FloatFormat) =>
  sizeBytes === 2 ? fc.integer({ min: 0, max: 0xffff }) : fc.integer({ min: 0, max: 0xffffffff });

describe.each([BF16, F16, F32])("$name", (format) => {
  const sign = 2 ** (8 * format.sizeBytes - 1);

  test("every value comes back from its bits", () => {
    fc.assert(
      fc.property(patterns(format), (bits) => {
        const isNaNBits = bits % sign > format.infinity;
        expect(format.toBits(format.fromBits(bits))).toBe(isNaNBits ? format.nan : bits);
      }),
      { numRuns: 20_000 },
    );
  });

  test("a number goes to the nearer neighbour, a tie to the even one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: format.infinity - 2 }), fc.double({ min: 0, max: 1 }), (lower, share) => {
        const [below, above] = [format.fromBits(lower), format.fromBits(lower + 1)];
        const value = Math.fround(below + (above - below) * share);
        const found = format.fromBits(format.toBits(value));
        if (value - below < above - value) expect(found).toBe(below);
        else if (value - below > above - value) expect(found).toBe(above);
        else expect(format.toBits(value) % 2).toBe(0);
      }),
      { numRuns: 20_000 },
    );
  });

  test("overflow becomes infinity and keeps its sign", () => {
    const beyond = format.fromBits(format.infinity - 1) * 1.0625;
    expect(format.toBits(beyond)).toBe(format.infinity);
    expect(format.toBits(-beyond)).toBe(format.infinity + sign);
  });

  test("epsilon is the distance from 1 to the next value", () => {
    expect(format.fromBits(format.toBits(1) + 1) - 1).toBe(format.epsilon);
  });
});

test("halves round to even", () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, 7.5].map(roundHalfEven)).toEqual([-2, -2, 0, 0, 2, 2, 0, 8]);
});
