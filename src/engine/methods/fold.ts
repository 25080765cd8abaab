import type { SmoothingMapping, SmoothNorm } from "../../architectures/smoothing/mappings.ts";
import { smoothedNorm } from "../../architectures/smoothing/mappings.ts";
import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { call } from "../../device/kernel.ts";
import { elementWords } from "../../kernels/elements.ts";
import { scaleLines } from "../../kernels/smoothing/scale_lines.ts";
import { floatNameOf } from "../../schemes/layout.ts";
import { elementBytes, elementValues } from "../element-values.ts";
import type { StageSetup } from "./stage.ts";

/** Bytes of rows that are scaled at a time. */
const MOST_BYTES = 8 * 2 ** 20;

/**
 * Moves factors from the inputs of a mapping's layers into their columns, and divides what makes those inputs by them. Each
 * product and quotient is rounded to the tensor's type.
 * @param factors float32, one for each channel
 */
export async function foldFactors(
  setup: StageSetup,
  { smooth, balance }: SmoothingMapping,
  factors: Float32Array<ArrayBuffer>,
): Promise<void> {
  for (const { weight, outFeatures } of balance) {
    const rows = { start: weight.firstRow, end: weight.firstRow + outFeatures };
    await scaleMatrix(setup, weight.tensor, rows, "columns", "times", factors);
  }
  if (smooth.kind === "norm") {
    await divideNorm(setup, smooth.weight, factors, smooth.offset);
  } else {
    const start = smooth.weight.firstRow + smooth.firstRow;
    await scaleMatrix(setup, smooth.weight.tensor, { start, end: start + factors.length }, "rows", "over", factors);
  }
  if (smooth.bias !== null) {
    await divideVector(setup, smooth.bias, smooth.kind === "linear" ? smooth.firstRow : 0, factors);
  }
}

async function divideNorm(
  { patched }: StageSetup,
  name: string,
  factors: Float32Array<ArrayBuffer>,
  offset: SmoothNorm["offset"],
): Promise<void> {
  const { dtype, start, end } = patched.tensor(name);
  const element = floatNameOf(dtype, name, "smoothing a norm");
  const { round } = FLOAT_FORMATS[element];
  const weights = elementValues(await patched.read(name, 0, end - start), element);
  const divided = weights.map((weight, channel) => smoothedNorm(weight, factors[channel] ?? 1, offset, round));
  await patched.write(name, 0, elementBytes(divided, element));
}

/** Elements of a vector over the factors, from `first` on. */
async function divideVector(
  { patched }: StageSetup,
  name: string,
  first: number,
  factors: Float32Array<ArrayBuffer>,
): Promise<void> {
  const element = floatNameOf(patched.tensor(name).dtype, name, "smoothing a bias");
  const { sizeBytes } = FLOAT_FORMATS[element];
  const values = elementValues(await patched.read(name, first * sizeBytes, factors.length * sizeBytes), element);
  const divided = values.map((value, channel) => value / (factors[channel] ?? 1));
  await patched.write(name, first * sizeBytes, elementBytes(divided, element));
}

async function scaleMatrix(
  { patched, walk }: StageSetup,
  name: string,
  rows: { readonly start: number; readonly end: number },
  axis: "rows" | "columns",
  operation: "times" | "over",
  factors: Float32Array<ArrayBuffer>,
): Promise<void> {
  const { device, scratch } = walk.setup.bench;
  const { dtype, shape } = patched.tensor(name);
  const element = floatNameOf(dtype, name, "smoothing a matrix");
  const cols = shape.at(-1) ?? 0;
  const rowBytes = cols * FLOAT_FORMATS[element].sizeBytes;
  // Halves of a word are read together: tiles begin at whole words.
  const step = Math.max(2, Math.floor(Math.min(MOST_BYTES, device.tileBytes) / rowBytes / 2) * 2);
  for (let row = rows.start; row < rows.end; row += step) {
    const count = Math.min(step, rows.end - row);
    const weights = scratch.filled("weights", await patched.read(name, row * rowBytes, count * rowBytes));
    const own = axis === "columns" ? factors : factors.slice(row - rows.start, row - rows.start + count);
    const lines = scratch.filled("line factors", new Uint8Array(own.buffer));
    const scaled = scratch.buffer("scaled", elementWords(count * cols, element) * 4);
    device.run([call(scaleLines, { element, axis, operation }, { rows: count, cols }, [weights, lines, scaled])]);
    await patched.write(name, row * rowBytes, await device.read(scaled, count * rowBytes));
  }
}
