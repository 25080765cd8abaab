import { describe, expect, test } from "vitest";
import type { ActivationStrip } from "./diagnosis-api.ts";
import { cellName, stripFindings, stripWords } from "./strip-words.ts";

/** A strip of [tokens, cells] magnitudes; 1 where nothing else is said. */
function strip(
  tokens: number,
  cells: number,
  value: (token: number, cell: number) => number | undefined,
  channelsPerCell = 1,
): ActivationStrip {
  return {
    ...{ module: "m", window: 0, tokens, channels: cells * channelsPerCell, channelsPerCell },
    values: Float32Array.from({ length: tokens * cells }, (_, at) => value(Math.floor(at / cells), at % cells) ?? 1),
  };
}

const said = (own: ActivationStrip) => stripWords(own, stripFindings(own));

describe("a strip in words", () => {
  test("the planted channels are loud at every token", () => {
    const own = strip(16, 256, (token, cell) => (cell === 83 ? 64 : cell === 30 ? 64 + token : undefined));
    expect(said(own)).toEqual({
      strong: "Channels 30 and 83 are loud at every token.",
      plain: "The largest is 79.0, in channel 30 at token 15. Loud is 8 times the token's median channel or more.",
    });
    expect(stripFindings(own).notable.map(({ start }) => start)).toEqual([30, 83]);
  });

  test("numbers stand in the order of the channels that they are of", () => {
    const own = strip(10, 20, (token, cell) =>
      (cell === 3 && token !== 4) || (cell === 1 && token < 6) ? 9 : undefined,
    );
    expect(said(own).strong).toBe("Channels 1 and 3 are loud at 6 and 9 of 10 tokens.");
    const one = strip(10, 20, (token, cell) => (cell === 3 && token !== 4 ? 9 : undefined));
    expect(said(one).strong).toBe("Channel 3 is loud at nearly every token: 9 of 10.");
  });

  test("a massive activation of one token is no loud channel", () => {
    const own = strip(10, 20, (token, cell) => (cell === 7 && token === 0 ? 400 : undefined));
    expect(said(own).strong).toBe("Channel 7 is loud at token 0 alone.");
    const twice = strip(10, 20, (token, cell) => (cell === 7 && token < 2 ? 400 : undefined));
    expect(said(twice).strong).toBe("Channel 7 is loud at 2 of 10 tokens.");
  });

  test("scattered ones are counted, and the loudest of them named on the picture", () => {
    const own = strip(10, 20, (token, cell) => (cell === token ? 10 + cell : undefined));
    expect(said(own).strong).toBe("No channel is loud throughout: 10 of 20 channels are at 10 places in all.");
    expect(stripFindings(own).notable.map(({ start }) => start)).toEqual([9, 8, 7, 6]);
  });

  test("many are counted", () => {
    const own = strip(4, 40, (_, cell) => (cell < 6 ? 20 : undefined));
    expect(said(own).strong).toBe("Channels 0, 1, 2, 3 and 2 more are loud at half of the tokens or more.");
  });

  test("cells of several channels say so", () => {
    const own = strip(4, 20, (_, cell) => (cell === 2 ? 20 : undefined), 3);
    expect(said(own).strong).toBe("Channels 6–8 are loud at every token.");
    expect(cellName({ start: 6, end: 9 })).toBe("channels 6 to 8");
  });

  test("a quiet layer, and one of zeros", () => {
    const quiet = strip(4, 20, (_, cell) => 1 + cell / 10);
    expect(said(quiet).strong).toBe("No channel is loud at any token.");
    const zeros = strip(4, 20, () => 0);
    expect(said(zeros).strong).toBe("Nothing goes into this layer but zeros.");
    expect(stripFindings(zeros).ramp).toBeNull();
  });
});

describe("the ramp of a strip", () => {
  test("begins at the median and spans at least six doublings, so that a calm layer looks calm", () => {
    expect(stripFindings(strip(4, 9, () => 2)).ramp).toEqual({ from: 2, to: 128 });
    expect(stripFindings(strip(4, 9, (_, cell) => (cell === 0 ? 1000 : 2))).ramp).toEqual({ from: 2, to: 1000 });
  });

  test("of mostly zeros hangs on the largest", () => {
    expect(stripFindings(strip(4, 9, (_, cell) => (cell === 0 ? 64 : 0))).ramp).toEqual({ from: 1, to: 64 });
  });

  test("loudness is of the token's own: a quiet token has loud channels too", () => {
    const own = strip(2, 9, (token, cell) => (token === 0 ? (cell === 0 ? 8 : 1) : cell === 1 ? 0.08 : 0.01));
    expect(stripFindings(own).loud.map(({ start }) => start)).toEqual([0, 1]);
  });
});
