import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, elementWords, setElement } from "../elements.ts";
import { nOfMOracle } from "./n_of_m.oracle.ts";

/** Prunes groups of bits; a spare half word holds what must not stay. */
function prune(element: FloatName, n: number, m: number, bits: readonly number[]): readonly number[] {
  const weights = new Uint32Array(elementWords(bits.length, element)).fill(0xdeadbeef);
  const pruned = weights.slice();
  bits.forEach((value, index) => {
    setElement(weights, index, value, element);
  });
  nOfMOracle({ element, n, m }, { elements: bits.length }, [weights, pruned]);
  if (element !== "f32" && bits.length % 2 === 1) expect(elementAt(pruned, bits.length, element)).toBe(0);
  return bits.map((_, index) => elementAt(pruned, index, element));
}

/** Bits of few magnitudes, so that ties are many, or of any. One NaN, since float64 has no order among NaN. */
function magnitudes(element: FloatName) {
  const { infinity, nan, toBits } = FLOAT_FORMATS[element];
  const few = [1, 2, toBits(0.5), toBits(0.75), infinity - 1, infinity, nan];
  return fc.oneof(fc.constantFrom(...few), fc.integer({ min: 1, max: infinity }));
}

const structures = fc
  .integer({ min: 1, max: 32 })
  .chain((m) => fc.tuple(fc.integer({ min: 0, max: m }), fc.constant(m)));

describe.each(["bf16", "f16", "f32"] as const)("the N:M oracle on %s", (element) => {
  const { fromBits, sizeBytes } = FLOAT_FORMATS[element];
  const signBit = 2 ** (8 * sizeBytes - 1);
  /** Magnitude in float64, with infinity moved down to make room for NaN above it. */
  const size = (bits: number) => {
    const value = Math.abs(fromBits(bits));
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : Math.min(value, Number.MAX_VALUE);
  };

  test("prunes exactly n of each m, none larger than one it keeps, and of equals the later", () => {
    // Bits of -0 are not those of +0, so that what became +0 is what was pruned.
    const weight = fc
      .tuple(magnitudes(element), fc.boolean())
      .map(([bits, negative]) => bits + (negative ? signBit : 0));
    const inputs = structures.chain(([n, m]) =>
      fc.tuple(
        fc.constant(n),
        fc.constant(m),
        fc
          .array(fc.array(fc.oneof(weight, fc.constant(signBit)), { minLength: m, maxLength: m }), {
            minLength: 1,
            maxLength: 5,
          })
          .map((groups) => groups.flat()),
      ),
    );
    fc.assert(
      fc.property(inputs, ([n, m, bits]) => {
        const output = prune(element, n, m, bits);
        for (let first = 0; first < bits.length; first += m) {
          const places = Array.from({ length: m }, (_, place) => first + place);
          const gone = places.filter((index) => output[index] === 0);
          const kept = places.filter((index) => output[index] !== 0);
          expect(gone).toHaveLength(n);
          expect(kept.map((index) => output[index])).toEqual(kept.map((index) => bits[index]));
          for (const one of gone) {
            for (const other of kept) {
              const [small, large] = [size(bits[one] ?? 0), size(bits[other] ?? 0)];
              expect(small < large || (small === large && one > other)).toBe(true);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("leaves at least n zeros where zeros are among the weights, and takes those first", () => {
    const one = FLOAT_FORMATS[element].toBits(1);
    expect(prune(element, 2, 4, [one, 0, one + signBit, signBit])).toEqual([one, 0, one + signBit, 0]);
    expect(prune(element, 2, 4, [0, 0, 0, one])).toEqual([0, 0, 0, one]);
    expect(prune(element, 2, 4, [signBit, signBit, 0, 0])).toEqual([signBit, signBit, 0, 0]);
  });

  test("keeps NaN, bit for bit, before infinity", () => {
    const { infinity } = FLOAT_FORMATS[element];
    const odd = infinity + 1 + signBit;
    expect(prune(element, 1, 2, [odd, infinity])).toEqual([odd, 0]);
    expect(prune(element, 1, 3, [odd, infinity, infinity])).toEqual([odd, infinity, 0]);
  });
});
