import { call } from "../../device/kernel.ts";
import { wholeOutput } from "../../kernels/linear/linear.oracle.ts";
import { linear } from "../../kernels/linear/linear.ts";
import type { Bench } from "../bench.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import type { Tile } from "../tiles.ts";
import type { Hessian } from "./hessian.ts";
import type { OutputError } from "./method-report.ts";

/** Rows of a matrix whose outputs are looked at, at most: evenly spaced. */
const MOST_ROWS = 128;

/** Gathers some rows of a matrix, before and after, while its tiles go by. */
export class OutputErrorMeter {
  readonly #step: number;
  readonly #cols: number;
  readonly #original: Float32Array[] = [];
  readonly #plain: Float32Array[] = [];
  readonly #method: Float32Array[] = [];

  constructor({ rows, cols }: PlannedMatrix) {
    this.#cols = cols;
    this.#step = Math.max(1, Math.ceil(rows / MOST_ROWS));
  }

  /** Rows of a tile, float32 [rows, cols] each. */
  take({ row, rows }: Tile, original: Float32Array, plain: Float32Array, method: Float32Array): void {
    const cols = this.#cols;
    for (let at = Math.ceil(row / this.#step) * this.#step; at < row + rows; at += this.#step) {
      const [start, end] = [(at - row) * cols, (at - row + 1) * cols];
      for (const [kept, values] of [
        [this.#original, original],
        [this.#plain, plain],
        [this.#method, method],
      ] as const) {
        kept.push(values.slice(start, end));
      }
    }
  }

  async finish(bench: Bench, hessian: Hessian): Promise<OutputError> {
    const rows = this.#original.length;
    const size = rows * this.#cols;
    const together = new Float32Array(3 * size);
    for (const [row, original] of this.#original.entries()) {
      const at = row * this.#cols;
      together.set(original, at);
      for (const [part, changed] of [this.#plain, this.#method].entries()) {
        const [own, first] = [changed[row], (part + 1) * size + at];
        for (let column = 0; column < this.#cols; column++) {
          together[first + column] = (original[column] ?? 0) - (own?.[column] ?? 0);
        }
      }
    }
    const [whole = 0, plain = 0, method = 0] = await energies(bench, together, hessian, 3, rows);
    const share = (energy: number) => (Number.isFinite(energy / whole) ? Math.max(0, energy / whole) : null);
    return { plain: share(plain), method: share(method), rows };
  }
}

/** The sum of v H vᵀ over `rows` neighbouring vectors at a time, `parts` times. */
async function energies(
  { device, scratch }: Bench,
  vectors: Float32Array<ArrayBuffer>,
  { width, values }: Hessian,
  parts: number,
  rows: number,
): Promise<readonly number[]> {
  if (rows === 0) return Array.from({ length: parts }, () => 0);
  const count = parts * rows;
  const inputs = scratch.filled("vectors", new Uint8Array(vectors.buffer));
  const weights = scratch.filled("hessian", new Uint8Array(new Float32Array(values).buffer));
  const outputs = scratch.buffer("hessian times vectors", count * width * 4);
  const step = Math.max(4, Math.floor(device.productsPerRun / (width * width) / 4) * 4);
  for (let firstRow = 0; firstRow < count; firstRow += step) {
    const shape = { m: Math.min(step, count - firstRow), n: width, k: width, ...wholeOutput(width), firstRow };
    device.run([call(linear, {}, shape, [inputs, weights, outputs])]);
  }
  const found = new Float32Array((await device.read(outputs, count * width * 4)).buffer);
  return Array.from({ length: parts }, (_, part) => {
    let sum = 0;
    for (let at = part * rows * width; at < (part + 1) * rows * width; at++) {
      sum += (found[at] ?? 0) * (vectors[at] ?? 0);
    }
    return sum;
  });
}
