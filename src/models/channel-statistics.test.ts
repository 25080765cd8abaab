import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { decodeStatistics, encodeStatistics } from "../formats/statistics/statistics-file.ts";
import { type ChannelStatistics, mergeStatistics, StatisticsTap } from "./channel-statistics.ts";

const WIDTH = 3;

/** What a tap finds in rows of three numbers, handed to it in passes. */
async function tapped(passes: readonly (readonly number[])[]): Promise<ChannelStatistics> {
  const device = createReferenceDevice();
  const tap = new StatisticsTap(device);
  for (const numbers of passes) {
    const input = device.createBuffer(numbers.length * 4);
    device.write(input, new Uint8Array(Float32Array.from(numbers).buffer));
    await tap.take("layer", input, numbers.length / WIDTH, WIDTH);
    input.destroy();
  }
  const found = tap.statistics.get("layer");
  if (!found) throw new Error("no statistics");
  return found;
}

function expectNear(found: ChannelStatistics, wanted: ChannelStatistics): void {
  expect(found.rows).toBe(wanted.rows);
  for (const which of ["absMax", "min", "max"] as const) expect(found[which]).toEqual(wanted[which]);
  for (const which of ["meanAbs", "meanSquare", "mean", "meanCube", "meanFourth"] as const) {
    for (const [channel, value] of wanted[which].entries()) {
      expect(Math.abs((found[which][channel] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, value));
    }
  }
}

/** Rows of small whole numbers, whose powers and sums are exact in float32. */
const rows = fc
  .array(fc.tuple(...Array.from({ length: WIDTH }, () => fc.integer({ min: -8, max: 8 }))), {
    minLength: 1,
    maxLength: 150,
  })
  .map((each) => each.flat());

describe("a tap", () => {
  test("tells extremes and four moments of each channel, over all passes", async () => {
    const found = await tapped([
      [1, -2, 0, 3, -4, 0],
      [-5, 2, 0, 1, -8, 0],
    ]);
    expect(found).toEqual({
      rows: 4,
      absMax: Float64Array.of(5, 8, 0),
      min: Float64Array.of(-5, -8, 0),
      max: Float64Array.of(3, 2, 0),
      meanAbs: Float64Array.of(2.5, 4, 0),
      meanSquare: Float64Array.of(9, 22, 0),
      mean: Float64Array.of(0, -3, 0),
      meanCube: Float64Array.of((1 + 27 - 125 + 1) / 4, (-8 - 64 + 8 - 512) / 4, 0),
      meanFourth: Float64Array.of((1 + 81 + 625 + 1) / 4, (16 + 256 + 16 + 4096) / 4, 0),
    });
  });

  test("finds the same however rows are shared out among passes", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, async (one, other) => {
        expectNear(await tapped([one, other]), await tapped([[...one, ...other]]));
      }),
      { numRuns: 30 },
    );
  });
});

describe("a tap that knows who shares an input", () => {
  const leaders = new Map([
    ["q", "q"],
    ["k", "q"],
  ]);

  async function looked(modules: readonly string[]) {
    const device = createReferenceDevice();
    const tap = new StatisticsTap(device, leaders);
    const input = device.createBuffer(WIDTH * 4);
    device.write(input, new Uint8Array(Float32Array.of(1, -2, 3).buffer));
    let runs = 0;
    const run = device.run.bind(device);
    device.run = (calls) => {
      runs += calls.length;
      run(calls);
    };
    for (const module of modules) await tap.take(module, input, 1, WIDTH);
    return { tap, runs };
  }

  test("looks at the first alone, and finds the same for all, in the order of the run", async () => {
    const { tap, runs } = await looked(["q", "k", "o"]);
    expect([...tap.statistics.keys()]).toEqual(["q", "k", "o"]);
    expect(tap.statistics.get("k")).toEqual(tap.statistics.get("o"));
    expect(runs).toBe(2);
  });

  test("says so where the first was not looked at", async () => {
    const { tap } = await looked(["k"]);
    expect(() => tap.statistics).toThrow("q was not looked at, whose input k shares");
  });
});

describe("merging", () => {
  test("gives what the rows together would have given", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, async (one, other) => {
        const merged = mergeStatistics(await tapped([one]), await tapped([other]));
        expectNear(merged, await tapped([[...one, ...other]]));
      }),
      { numRuns: 30 },
    );
  });

  test("with nothing changes nothing", async () => {
    const some = await tapped([[1, 2, 3]]);
    const none = { ...some, rows: 0, mean: some.mean.map(() => Number.NaN) };
    expect(mergeStatistics(some, none)).toEqual(some);
    expect(mergeStatistics(none, some)).toEqual(some);
  });

  test("of layers of unequal width is refused", async () => {
    const some = await tapped([[1, 2, 3]]);
    expect(() => mergeStatistics(some, { ...some, absMax: some.absMax.slice(1) })).toThrow(
      "3 channels merged with those of 2",
    );
  });
});

test("a file of statistics takes and gives what a tap finds", async () => {
  const modules: ReadonlyMap<string, ChannelStatistics> = new Map([["layer", await tapped([[1, -2, 3, 0.5, 0, -7]])]]);
  const hash = "0".repeat(64);
  const bytes = encodeStatistics({ model: "m", modelSha256: hash, text: "t", textSha256: hash, tokens: 2, modules });
  const back: ReadonlyMap<string, ChannelStatistics> = (await decodeStatistics(createBufferSource("a", bytes))).modules;
  expect(back).toEqual(modules);
});
