import { describe, expect, test } from "vitest";
import { type ActivationSpectrumData, activationSpectrumChart, drawActivationSpectrum } from "./activation-spectrum.ts";
import { type ActivationStripData, activationStripChart, drawActivationStrip } from "./activation-strip.ts";
import type { Shape } from "./chart.ts";
import { MADE_THEME } from "./made-theme.cases.ts";
import { pixelOf } from "./pixels.ts";

const CAPTION = { strong: "", plain: "" };
const texts = (shapes: readonly Shape[]) => shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []));

describe("the spectrum of activations", () => {
  /** Two channels sixty-four times as loud as the other 254. */
  const planted: ActivationSpectrumData = {
    channels: [
      { channel: 30, value: 128, ratio: 64 },
      { channel: 83, value: 128, ratio: 64 },
      ...Array.from({ length: 254 }, (_, at) => ({ channel: 100 + at, value: 2, ratio: null })),
    ],
    ...{ median: 2, threshold: 16, caption: CAPTION },
  };
  const size = { width: 600, height: 300 };

  test("outliers stand apart, each with its number and how loud it is, the line from which on they are some below them", () => {
    const { shapes } = drawActivationSpectrum(planted, size, MADE_THEME);
    const dots = shapes.flatMap((shape) => (shape.kind === "circle" ? [shape] : []));
    expect(dots).toHaveLength(2);
    expect(texts(shapes)).toEqual(
      expect.arrayContaining(["channel 30", "channel 83", "64.0 × the median", "outlier: 8 × the median channel"]),
    );
    const named = shapes.flatMap((shape) => (shape.kind === "text" && /^channel/.test(shape.text) ? [shape.y] : []));
    expect(Math.abs((named[1] ?? 0) - (named[0] ?? 0))).toBeGreaterThanOrEqual(15);
    const line = shapes.find((shape) => shape.kind === "path" && shape.dash !== undefined);
    const height = line?.kind === "path" ? Number(/M\d+ ([\d.]+)H/.exec(line.d)?.[1]) : 0;
    for (const { y } of dots) expect(y).toBeLessThan(height);
  });

  test("more outliers than have room are counted", () => {
    const many = { ...planted, channels: planted.channels.map((own) => ({ ...own, value: 128, ratio: 64 })) };
    expect(texts(drawActivationSpectrum(many, size, MADE_THEME).shapes)).toContain("and 250 more");
  });

  test("the head is walked channel by channel; the table has all", () => {
    const { marks } = drawActivationSpectrum(planted, size, MADE_THEME);
    expect(marks).toHaveLength(24);
    expect(marks[0]?.sentence).toBe("input channel 30: largest 128, 64.0 times the median channel, the loudest of 256");
    expect(marks[2]?.sentence).toBe("input channel 100: largest 2.00, number 3 of 256");
    const { rows, columns } = activationSpectrumChart.table(planted);
    expect(rows).toHaveLength(256);
    expect(columns[2]?.unit).toBe("× the median channel, 2.00");
    expect(rows[2]?.map(({ text }) => text)).toEqual(["100", "2.00", "–"]);
  });

  test("nothing but zeros is an empty picture, no outlier no dot", () => {
    const zeros = { channels: [{ channel: 0, value: 0, ratio: null }], median: 0, threshold: 0, caption: CAPTION };
    expect(drawActivationSpectrum(zeros, size, MADE_THEME)).toEqual({ ...size, shapes: [], marks: [] });
    const calm = { ...planted, channels: planted.channels.slice(2) };
    const { shapes } = drawActivationSpectrum(calm, size, MADE_THEME);
    expect(shapes.some(({ kind }) => kind === "circle")).toBe(false);
    expect(JSON.stringify(shapes)).not.toMatch(/NaN|Infinity/);
  });
});

describe("the strip of tokens by channels", () => {
  const THEME = {
    ...MADE_THEME,
    magnitude: Array.from({ length: 10 }, (_, step) => `#0000${(step + 1).toString(16).padStart(2, "0")}`),
  };
  const strip = (tokens: number, channels: number, loud: number): ActivationStripData => {
    const columns = Array.from({ length: channels }, (_, start) => {
      const isLoud = start === loud;
      return { start, end: start + 1, largest: isLoud ? 64 : 1, token: 0, loudTokens: isLoud ? tokens : 0 };
    });
    return {
      ...{ tokens, columns, named: columns.filter(({ loudTokens }) => loudTokens > 0), caption: CAPTION },
      values: Float32Array.from({ length: tokens * channels }, (_, at) => (at % channels === loud ? 64 : 1)),
      ramp: { from: 1, to: 64 },
    };
  };
  const imageOf = (data: ActivationStripData, width: number) => {
    const [image] = drawActivationStrip(data, { width, height: 300 }, THEME).dense ?? [];
    if (image?.kind !== "image") throw new Error("no image");
    const words = new Uint32Array(image.pixels.buffer);
    const steps = Array.from({ length: image.columns }, (_, column) =>
      THEME.magnitude.map(pixelOf).indexOf(words[column] ?? 0),
    );
    return { image, steps };
  };

  test("a loud channel is the strongest column, what is ordinary is pale", () => {
    const { image, steps } = imageOf(strip(256, 256, 30), 1300);
    expect([image.rows, image.columns, image.height]).toEqual([256, 256, 256]);
    expect(steps.filter((step) => step === 9)).toHaveLength(1);
    expect(steps[30]).toBe(9);
    expect(steps[29]).toBe(0);
  });

  test("one loud channel among more than pixels is not lost", () => {
    for (const loud of [300, 301, 302, 303]) {
      const { image, steps } = imageOf(strip(64, 512, loud), 350);
      expect(image.columns).toBe(296);
      expect(steps.filter((step) => step === 9)).toHaveLength(1);
    }
    const { image: tall } = imageOf(strip(2000, 8, 1), 350);
    expect([tall.rows, tall.height]).toEqual([300, 300]);
  });

  test("loud channels are reached by their number, the rest in blocks", () => {
    const { marks, shapes } = drawActivationStrip(strip(256, 256, 30), { width: 1300, height: 300 }, THEME);
    expect(marks[0]).toMatchObject({ key: "column 30", width: 24, height: 24 });
    expect(marks[0]?.sentence).toBe("channel 30: loud at 256 of 256 tokens, largest 64.0 at token 0");
    expect(marks).toHaveLength(1 + 240);
    expect(marks[1]?.sentence).toBe("tokens 0 to 24, channels 0 to 9: largest 1.00");
    expect(marks.at(-1)?.sentence).toBe("tokens 230 to 255, channels 245 to 255: largest 1.00");
    expect(texts(shapes)).toEqual(expect.arrayContaining(["30", "token 0", "channel 0", "up to 1.00", "64.0"]));
  });

  test("numbers of neighbours stand beside each other; what has no room at the edge stands in the table alone", () => {
    const data = strip(4, 256, 0);
    const named = [250, 251, 252, 253].flatMap((at) => data.columns[at] ?? []);
    const { marks } = drawActivationStrip({ ...data, named }, { width: 350, height: 300 }, THEME);
    const own = marks.filter(({ key }) => key.startsWith("column"));
    expect(own).toHaveLength(1);
    const wide = [10, 11].flatMap((at) => data.columns[at] ?? []);
    const [one, other] = drawActivationStrip({ ...data, named: wide }, { width: 350, height: 300 }, THEME).marks;
    expect((other?.x ?? 0) - (one?.x ?? 0)).toBeGreaterThanOrEqual(14);
    expect(activationStripChart.table(data).rows).toHaveLength(256);
  });

  test("a strip of zeros is pale, and one of one token has a height", () => {
    const zeros = { ...strip(1, 4, 0), values: new Float32Array(4), ramp: null, named: [] };
    const { image, steps } = imageOf(zeros, 300);
    expect(new Set(steps)).toEqual(new Set([0]));
    expect(image.height).toBe(6);
    const drawing = drawActivationStrip(zeros, { width: 300, height: 300 }, THEME);
    expect(JSON.stringify(drawing.shapes)).not.toMatch(/NaN|Infinity/);
  });
});
