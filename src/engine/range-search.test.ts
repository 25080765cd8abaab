import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryHost } from "../../tests/support/memory-host.ts";
import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import { openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { elementWords, setElement } from "../kernels/elements.ts";
import { byteAt } from "../kernels/int-params.ts";
import { rangeSteps } from "../kernels/quant/range-steps.ts";
import { parseRecipe } from "../schemes/recipe.ts";
import type { WeightObserver } from "../schemes/scheme.ts";
import { Bench } from "./bench.ts";
import { planCheckpoint, weightBytes } from "./checkpoint-plan.ts";
import { DeviceSet } from "./device-set.ts";
import { elementValues } from "./element-values.ts";
import { nodeWasm } from "./node-threads.ts";
import { rangesOf } from "./qparams-run.ts";
import { decideSearch, stepsTaken } from "./range-search.ts";
import { prepareMatrix, scaleTile } from "./restore-tile.ts";
import { madeCheckpoint } from "./sheet.cases.ts";

/** What LLM Compressor wrote: `fixtures/golden/observers/README.md`. */
interface Golden {
  readonly columns: number;
  readonly weights: Readonly<Record<FloatName, string>>;
  readonly cases: readonly {
    readonly observer: WeightObserver;
    readonly element: FloatName;
    readonly groupSize: number;
    readonly bits: number;
    readonly symmetric: boolean;
    readonly options: object;
    readonly importance: string | null;
    readonly scales: string;
    readonly zeroPoints: readonly number[];
  }[];
}

const GOLDEN: Golden = JSON.parse(readFileSync("fixtures/golden/observers/golden.json", "utf8"));

/** Schemes say no options of an observer. */
const CASES = GOLDEN.cases.filter(({ options }) => Object.keys(options).length === 0);

/** Little-endian float32. */
function floatsOf(hex: string): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
}

const devices = new DeviceSet(memoryHost({ device: "wasm", wasm: nodeWasm() }));
let bench: Bench;
beforeAll(async () => {
  bench = new Bench(devices, await devices.primary("measuring"), undefined, "measuring");
});
afterAll(async () => {
  await bench.close();
  devices.close();
});

/** A matrix of such values as a scheme plans it. */
async function planned(
  rows: number,
  cols: number,
  element: FloatName,
  valueAt: (row: number, column: number) => number,
  scheme: string,
) {
  const words = new Uint32Array(elementWords(rows * cols, element));
  for (let at = 0; at < rows * cols; at++) {
    setElement(words, at, FLOAT_FORMATS[element].toBits(valueAt(Math.floor(at / cols), at % cols)), element);
  }
  const checkpoint = await openCheckpoint(madeCheckpoint({ rows, cols, element, words }));
  const plan = planCheckpoint(checkpoint, parseRecipe(scheme), []);
  const [matrix] = plan.matrices;
  if (!matrix?.scheme) throw new Error("no matrix");
  return { plan, matrix, scheme: matrix.scheme };
}

describe("a recipe's scales are those of LLM Compressor's observers", () => {
  test("of every golden case that a scheme can say", () => expect(CASES.length).toBeGreaterThan(60));

  test.each(
    CASES.map((item) => ({
      ...item,
      name: `int${item.bits}:${item.groupSize === GOLDEN.columns ? "channel" : `group=${item.groupSize}`}:observer=${item.observer}${item.symmetric ? "" : ":asym"}`,
    })),
  )("$element $name", async ({ name, element, importance, scales, zeroPoints, symmetric }) => {
    const { columns } = GOLDEN;
    const values = floatsOf(GOLDEN.weights[element]);
    const rows = values.length / columns;
    const valueAt = (row: number, column: number) => values[row * columns + column] ?? 0;
    const { plan, matrix, scheme } = await planned(rows, columns, element, valueAt, name);
    const weighed = { ...matrix, importance: importance === null ? null : floatsOf(importance) };
    const recipe = await prepareMatrix(bench, plan, weighed, "eager");
    const found: number[] = [];
    const points: number[] = [];
    // In pieces, as if it were a long one: each of them takes the steps of the whole.
    for (const part of [
      { start: 0, end: 3 },
      { start: 3, end: rows },
    ]) {
      await bench.eachTile(
        matrix,
        1,
        async (tile, bytes) => {
          const run = scaleTile(bench, recipe, scheme, tile, bytes);
          const groups = run.places[0]?.groups ?? 0;
          found.push(...elementValues(await bench.device.read(run.scales, groups * weightBytes(matrix)), element));
          const own = new Uint32Array((await bench.device.read(run.zeroPoints, Math.ceil(groups / 4) * 4)).buffer);
          points.push(...Array.from({ length: groups }, (_, group) => (symmetric ? 0 : byteAt(own, group))));
        },
        part,
      );
    }
    expect(found).toEqual([...floatsOf(scales)]);
    expect(points).toEqual(zeroPoints);
  });
});

describe("a search ends when no group of the matrix improves for long enough", () => {
  /** Levels of int4 times 1/8, from the lowest to the highest: the whole range loses nothing, and no share of it is better. */
  const perfect = (_row: number, column: number) => ((column % 16) - 8) / 8;
  /** One weight that lies far out, which is worth cutting off again and again. */
  const lopsided = (_row: number, column: number) => (column === 0 ? 4 : Math.sin(column) / 4);
  const COLS = 256;
  const SCHEME = "int4:channel:observer=memoryless_mse:asym";
  const decide = async (rows: number, valueAt: (row: number, column: number) => number) => {
    const { matrix, scheme } = await planned(rows, COLS, "f32", valueAt, SCHEME);
    return (await decideSearch(bench, matrix, scheme, null))?.steps;
  };

  test("five steps after the last that did", async () => {
    expect(await decide(20, perfect)).toBe(6);
  });

  test("wherever in the matrix that group is", async () => {
    // More rows than the first look has.
    const rows = 300;
    const alone = await decide(1, lopsided);
    expect(alone).toBeGreaterThan(6);
    for (const odd of [0, rows - 1]) {
      expect(await decide(rows, (row, column) => (row === odd ? lopsided : perfect)(row, column))).toBe(alone);
    }
  });

  test("and is looked for once for each scheme of a family, by its own importance", async () => {
    const importance = new Float32Array(COLS).fill(1);
    const one = await planned(20, COLS, "f32", lopsided, "int4:channel:observer=imatrix_mse");
    const other = await planned(20, COLS, "f32", lopsided, SCHEME);
    const plain = await planned(20, COLS, "f32", lopsided, "int4:channel");
    const ranges = await rangesOf(bench, [{ ...one.matrix, importance }, other.matrix, plain.matrix], null);
    expect(ranges.extremes).toBeNull();
    expect([...ranges.searches.keys()]).toEqual([one.scheme.name, other.scheme.name]);
    expect(ranges.searches.get(one.scheme.name)?.importance).toBe(importance);
    expect(ranges.searches.get(other.scheme.name)?.importance).toBeNull();
  });

  test.each([
    [[], 5],
    [[true, false, false, false, false], 6],
    [[true, false, false, false, false, false, true], 6],
    [[true, false, false, false, false, true], 11],
    [Array.from({ length: 20 }, () => true), 20],
  ])("%j", (improved, taken) => {
    const all = Array.from({ length: 20 }, (_, step) => improved[step] ?? false);
    expect(stepsTaken(rangeSteps({ observer: "memoryless_mse" }), all)).toBe(taken);
  });
});
