import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { computed } from "../base/quantity.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import { createEngine } from "./engine.ts";
import { divergenceFrontier, type FrontierPoint, frontier } from "./frontier.ts";
import { sampleMeasurement, windowsAround } from "./measure-result.cases.ts";
import type { MeasureRow } from "./measure-result.ts";
import type { LayerResult, SchemeResult } from "./result.ts";

type Layer = Pick<LayerResult, "module" | "rows" | "cols" | "mse"> & Pick<Partial<LayerResult>, "meanSquare" | "error">;

/** One matrix of 10 weights whose mean square is 1. */
const layer = (module: string, mse: number | null, change: Partial<Layer> = {}): Layer => ({
  module,
  rows: 2,
  cols: 5,
  mse,
  meanSquare: 1,
  ...change,
});

const ERROR = { code: "scheme/x", doing: "", found: "", allowed: "", advice: "", message: "", fields: {} } as const;

/** A row of a comparison as far as the frontier looks at it. */
function row(
  scheme: string,
  bytes: number,
  layers: readonly Layer[],
  change: Partial<SchemeResult> = {},
): SchemeResult {
  const [fileBytes, bitsPerWeight] = [computed(bytes, "bytes", ""), computed(bytes / 10, "bits per weight", "")];
  return { scheme, fileBytes, bitsPerWeight, layers, modules: layers.length, ...change } as unknown as SchemeResult;
}

/** Recipes that change one matrix, by size and error. */
const rows = (...pairs: readonly (readonly [bytes: number, error: number])[]) =>
  pairs.map(([bytes, error], index) => row(`R${index}`, bytes, [layer("a", error)]));

const placesOf = (points: readonly FrontierPoint[]) => points.map(({ place, by }) => (by ? `${place} ${by}` : place));

test("what nothing beats is on the line; what something beats names the best of those no larger, and by how much", () => {
  const points = frontier(rows([200, 0.1], [100, 0.5], [164, 0.2], [200, 0.4], [300, 0.1]));
  expect(placesOf(points)).toEqual(["line", "line", "line", "beaten R0", "beaten R0"]);
  expect(points[3]).toMatchObject({ smallerBy: 0, errorRatio: 0.25 });
  expect(points[4]?.smallerBy).toBeCloseTo(1 / 3, 15);
  expect(points[4]?.errorRatio).toBe(1);
  expect(points[0]).toEqual({
    scheme: "R0",
    bits: computed(20, "bits per weight", ""),
    fileBytes: computed(200, "bytes", ""),
    error: { value: 0.1, unit: "ratio", kind: "measured", samples: 10 },
    place: "line",
    by: null,
    smallerBy: null,
    errorRatio: null,
    isPartial: false,
  });
});

test("of recipes with one size and one error the first given keeps the line", () => {
  expect(placesOf(frontier(rows([10, 0.1], [10, 0.1 + 5e-8], [10, 0.1 - 5e-8])))).toEqual([
    "line",
    "tied R0",
    "tied R0",
  ]);
  expect(placesOf(frontier(rows([10, 0.1 + 5e-8], [10, 0.1])))).toEqual(["line", "tied R0"]);
  expect(placesOf(frontier(rows([10, 0.1 + 5e-7], [10, 0.1])))).toEqual(["beaten R1", "line"]);
  // Only of one size: a larger file that errs as much is beaten.
  expect(placesOf(frontier(rows([11, 0.1], [10, 0.1])))).toEqual(["beaten R1", "line"]);
});

test("an error of 0 is an error like others", () => {
  const points = frontier(rows([10, 0], [10, 0], [5, 0.1], [20, 0]));
  expect(placesOf(points)).toEqual(["line", "tied R0", "line", "beaten R0"]);
  expect(points[0]?.error?.value).toBe(0);
  expect(points[3]).toMatchObject({ smallerBy: 0.5, errorRatio: null });
});

test("a recipe that leaves matrices alone loses nothing there, and is measured against all that any recipe changes", () => {
  const points = frontier([
    row("all", 10, [layer("a", 0.1), layer("b", 0.3)]),
    row("b alone", 15, [layer("b", 0.3)]),
    row("nothing", 20, []),
  ]);
  expect(points.map(({ error }) => error?.value)).toEqual([0.2, 0.15, 0]);
  expect(points.map(({ error }) => error?.samples)).toEqual([20, 20, 20]);
  expect(placesOf(points)).toEqual(["line", "line", "line"]);
});

test("while matrices are still to come, all stand on those measured so far, and say so", () => {
  const unfinished = row("all", 10, [layer("a", 0.1)], { modules: 2 });
  const points = frontier([unfinished, row("a alone", 15, [layer("a", 0.05)])]);
  expect(placesOf(points)).toEqual(["line", "line"]);
  expect(points.map(({ isPartial, error }) => [isPartial, error?.value, error?.samples])).toEqual([
    [true, 0.1, 10],
    [true, 0.05, 10],
  ]);
});

test("before the first matrix all of them wait", () => {
  const points = frontier([row("all", 10, [], { modules: 2 }), row("a alone", 15, [], { modules: 1 })]);
  expect(placesOf(points)).toEqual(["waiting", "waiting"]);
  expect(points.some((point) => "error" in point)).toBe(false);
});

test("what cannot be exported, what is not finite and what could not be measured has no place", () => {
  const refused = row("refused", 5, [layer("a", 0.01), layer("b", null, { meanSquare: null, error: ERROR })], {
    error: ERROR,
  });
  expect(placesOf(frontier([refused, ...rows([10, 0.1])]))).toEqual(["unknown", "line"]);
  expect(placesOf(frontier([row("odd", 5, [layer("a", null)]), ...rows([10, 0.1])]))).toEqual(["unknown", "line"]);
  const failed = row("failed", 5, [layer("a", 0.01), layer("c", null, { meanSquare: null, error: ERROR })]);
  expect(placesOf(frontier([failed, ...rows([10, 0.1])]))).toEqual(["unknown", "line"]);
  // Weights that are not finite have no sum of squares, whoever leaves them alone.
  const infinite = row("infinite", 5, [layer("a", 0.01), layer("c", null, { meanSquare: null })]);
  expect(placesOf(frontier([infinite, ...rows([10, 0.1])]))).toEqual(["unknown", "unknown"]);
  expect(frontier([])).toEqual([]);
});

test("no point on the line is beaten by any other, and every beaten or tied one names the one it is beaten by or tied with", () => {
  const near = fc.constantFrom(1, 1 + 1e-7, 1 - 1e-7, 1 + 9e-7, 1 + 2e-6);
  const error = fc.oneof(
    fc.constant(0),
    fc.tuple(fc.constantFrom(0.25, 0.5), near).map(([value, factor]) => value * factor),
    fc.double({ min: 1e-9, max: 2, noNaN: true }),
  );
  const pair = fc.tuple(fc.integer({ min: 1, max: 6 }), error);
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
      const points = frontier(rows(...pairs));
      const errorOf = (point: FrontierPoint | undefined) => point?.error?.value ?? Number.NaN;
      const sameError = (one: FrontierPoint, other: FrontierPoint) =>
        errorOf(one) === errorOf(other) ||
        Math.abs(errorOf(one) - errorOf(other)) < 1e-6 * Math.max(errorOf(one), errorOf(other));
      const beats = (one: FrontierPoint, other: FrontierPoint) =>
        one.fileBytes.value < other.fileBytes.value
          ? errorOf(one) <= errorOf(other) || sameError(one, other)
          : one.fileBytes.value === other.fileBytes.value && errorOf(one) < errorOf(other) && !sameError(one, other);
      const strictly = (one: FrontierPoint, other: FrontierPoint) =>
        one.fileBytes.value < other.fileBytes.value ? errorOf(one) <= errorOf(other) : beats(one, other);
      expect(points.some(({ place }) => place === "line")).toBe(true);
      for (const [index, point] of points.entries()) {
        const by = points.find(({ scheme }) => scheme === point.by);
        switch (point.place) {
          case "line":
            expect(points.filter((other) => strictly(other, point))).toEqual([]);
            break;
          case "beaten":
            expect(by?.place).toBe("line");
            expect(by && beats(by, point)).toBe(true);
            expect(point.smallerBy).toBe(1 - (by?.fileBytes.value ?? 0) / point.fileBytes.value);
            break;
          case "tied":
            expect(by?.place).toBe("line");
            expect(by && sameError(by, point) && by.fileBytes.value === point.fileBytes.value).toBe(true);
            if (errorOf(by) === errorOf(point)) expect(points.indexOf(by as FrontierPoint)).toBeLessThan(index);
            break;
          default:
            expect.unreachable();
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("a comparison of a model has what the frontier needs", async () => {
  const folder = "fixtures/models/quantlab-4m";
  const files = readdirSync(folder).map(
    (name) => [name, createBufferSource(name, readFileSync(`${folder}/${name}`))] as const,
  );
  const engine = createEngine({
    gpu: null,
    wasm: null,
    device: "reference",
    now: () => performance.now(),
    store: createMemoryStore(),
  });
  await engine.open({ name: "bundled", files: new Map(files) });
  const { schemes } = await engine.compare({
    schemes: ["W8A16", "W8A16@re:.*down_proj", "int8:channel"],
    arithmetic: "eager",
    ignore: ["lm_head", "re:.*embed_tokens", "re:model\\.layers\\.[1-3]"],
    plan: { gpu: "L4 24 GB", contextTokens: 512, sequences: 1 },
    throughput: false,
  });
  const [all, part, channel] = frontier(schemes);
  expect(all?.error?.value).toBeCloseTo(schemes[0]?.relativeMse?.value ?? 0, 12);
  expect(all?.error?.samples).toBe(schemes[0]?.relativeMse?.samples);
  expect(part?.error?.value).toBeLessThan(all?.error?.value ?? 0);
  expect(part?.error?.samples).toBe(all?.error?.samples);
  expect(schemes[1]?.relativeMse?.samples).toBeLessThan(all?.error?.samples ?? 0);
  expect(channel?.error).toBeDefined();
});

test("by divergence: beaten only where two differ for good, alike where they do not, and the noise floor is told", () => {
  const refusal = { error: ERROR } as Partial<MeasureRow>;
  const result = sampleMeasurement([
    { scheme: "small", bytes: 100, kld: windowsAround(0.1) },
    { scheme: "worse", bytes: 120, kld: windowsAround(0.3) },
    { scheme: "like", bytes: 130, kld: [...windowsAround(0.1005, 16, 0.5)].reverse() },
    { scheme: "hair", bytes: 140, kld: [...windowsAround(0.0995, 16, 0.5)].reverse() },
    { scheme: "fine", bytes: 200, kld: windowsAround(5e-5) },
    { scheme: "refused", bytes: 50, kld: windowsAround(1e-5), change: refusal },
    { scheme: "given", bytes: 300, kld: windowsAround(0.2), change: { method: "given" } },
  ]);
  const points = divergenceFrontier(result);
  expect(points.map(({ place, by, like }) => [place, by ?? like].filter(Boolean).join(" "))).toEqual([
    "line",
    "beaten small",
    "tied small",
    "line small",
    "line",
    "unknown",
    "beaten fine",
  ]);
  expect(points.map(({ isBelowFloor }) => isBelowFloor)).toEqual([false, false, false, false, true, true, false]);
  expect(points[1]).toMatchObject({ isGiven: false, isPartial: false });
  expect(points[1]?.errorRatio).toBeCloseTo(1 / 3, 12);
  expect(points[1]?.smallerBy).toBeCloseTo(1 / 6, 12);
  expect(points[6]?.isGiven).toBe(true);
  expect(points[0]?.error).toMatchObject({ kind: "measured", samples: 16 * 127 });
  expect(points[0]?.interval?.low).toBeLessThan(0.1);
  expect(points[0]?.percentile99).toBeCloseTo(0.6, 12);
});

test("by divergence: one window says nothing for good, none waits, a finished one without a figure has no place", () => {
  const rows = (kld: readonly number[]) => [{ scheme: "A", bytes: 1, kld }];
  expect(divergenceFrontier(sampleMeasurement(rows([0.1])))[0]).toMatchObject({
    place: "line",
    isPartial: true,
    interval: null,
  });
  const none = sampleMeasurement(rows([]), { finished: false });
  expect(divergenceFrontier(none)[0]?.place).toBe("waiting");
  expect(divergenceFrontier({ ...none, finished: true })[0]?.place).toBe("unknown");
  const odd = sampleMeasurement(rows([Number.NaN, 0.1]));
  expect(divergenceFrontier(odd)[0]?.place).toBe("unknown");
});
