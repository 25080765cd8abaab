import { expect, test } from "vitest";

// Bits that a float32 has more than bf16 and f16.
test.each([16, 13])(
  "Veltkamp's splitting drops %i bits of any mantissa as rounding to nearest, ties to even, does",
  (dropped) => {
    const value = new Float32Array(1);
    const bits = new Uint32Array(value.buffer);
    const unit = 2 ** dropped;
    const factor = unit + 1;
    let wrong = 0;
    for (let mantissa = 0; mantissa < 2 ** 23; mantissa++) {
      const own = 0x3f800000 + mantissa;
      bits[0] = own;
      const split = Math.fround((value[0] ?? 0) * factor);
      value[0] = Math.fround(split - Math.fround(split - (value[0] ?? 0)));
      const low = own % unit;
      const isUp = low > unit / 2 || (low === unit / 2 && Math.floor(own / unit) % 2 === 1);
      if (bits[0] !== own - low + (isUp ? unit : 0)) wrong++;
    }
    expect(wrong).toBe(0);
  },
);
