import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { SLACK_WORDS } from "./model-inputs.ts";
import { scatterRows } from "./scatter_rows.ts";

/** Around the edges of chunks (32 columns) and pieces (8192 numbers); destinations with as many rows, and with more. */
const SHAPES = [
  { rows: 1, width: 4, height: 1 },
  { rows: 3, width: 12, height: 9 },
  { rows: 5, width: 32, height: 5 },
  { rows: 8, width: 36, height: 100 },
  { rows: 70, width: 64, height: 71 },
  { rows: 300, width: 68, height: 400 },
  { rows: 4, width: 8260, height: 6 },
];

export const scatterRowsCases: readonly KernelCase[] = SHAPES.map(({ rows, width, height }) => {
  const random = new SeededRandom(rows + width);
  // Any bits: those of NaNs and of subnormal numbers must arrive too.
  const source = new Uint32Array(rows * width).map(() => random.nextUint32());
  return kernelCase(scatterRows, {
    name: `puts ${rows} rows of ${width} among ${height}`,
    source: {},
    shape: { rows, width },
    inputs: [Uint32Array.from(shuffled(height, random).slice(0, rows)), source, dirty(height * width + SLACK_WORDS)],
    outputWords: height * width + SLACK_WORDS,
  });
});

/** 0 to `count` in a random order. */
function shuffled(count: number, random: SeededRandom): readonly number[] {
  const keys = Array.from({ length: count }, (_, value) => ({ value, key: random.nextUint32() }));
  return keys.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
