import { scaleQuantize } from "d3-scale";
import fc from "fast-check";
import { expect, test } from "vitest";
import { colourSteps, pixelOf } from "./pixels.ts";

test("a colour is a word of an image's memory: red in the lowest byte, no transparency", () => {
  expect(pixelOf("#102030")).toBe(0xff302010);
});

test("steps of colours are those of a quantizing scale, with its ends beyond them", () => {
  const colours = [11, 22, 33, 44];
  fc.assert(
    fc.property(fc.integer({ min: -40, max: 40 }), (value) => {
      const scale = scaleQuantize<number>().domain([-8, 8]).range(colours);
      expect(colourSteps(-8, 8, colours)(value)).toBe(scale(value));
    }),
  );
});
