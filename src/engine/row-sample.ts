import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call, type KernelCall } from "../device/kernel.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { codeWords, elementsOf, type IntShape } from "../kernels/int-params.ts";
import { intDequantize } from "../kernels/quant/int_dequantize.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { HISTOGRAM_COPIES, histogramBins, levelHistogram, sumCopies } from "../kernels/stats/level_histogram.ts";
import { jensenShannon } from "../metrics/divergence.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import { type PlannedMatrix, weightBytes } from "./checkpoint-plan.ts";
import { qparamsRun } from "./qparams-run.ts";
import type { MatrixRanges } from "./range-search.ts";
import { groupSizeOf, rowBytesOf, type Tile } from "./tiles.ts";

/** Weights of a sample, as near as whole rows come: a histogram of some hundred bins needs no more. */
const SAMPLE_WEIGHTS = 2 ** 15;

/** The histogram of weights: 257 equal bins around zero, wide enough for the largest magnitude of the sample. */
const BINS = { bits: 8, binsPerLevel: 1, symmetric: true } as const;

/** Evenly spaced rows of a matrix, kept while its tiles go by. */
export interface RowSample {
  /** Their numbers in the matrix. */
  readonly rows: readonly number[];
  /** The file that they are of. */
  readonly source: ByteSource;
  /** Copies the rows that lie in a tile. A tile may be offered again. */
  take(tile: Tile, bytes: Uint8Array): void;
  bytes(): Uint8Array;
}

/** The same rows whatever the tiles. */
export function sampleRows(matrix: PlannedMatrix): RowSample {
  const rowBytes = rowBytesOf(matrix);
  const step = Math.max(1, Math.ceil((matrix.rows * matrix.cols) / SAMPLE_WEIGHTS));
  const rows = Array.from({ length: Math.ceil(matrix.rows / step) }, (_, index) => index * step);
  const kept = new Uint8Array(rows.length * rowBytes);
  return {
    rows,
    source: matrix.source,
    take(tile, bytes) {
      for (let index = Math.ceil(tile.row / step); index * step < tile.row + tile.rows; index++) {
        const start = (index * step - tile.row) * rowBytes;
        kept.set(bytes.subarray(start, start + rowBytes), index * rowBytes);
      }
    },
    bytes: () => kept,
  };
}

/** The same rows from another file, where the matrix stands at the same place. */
export async function readSampled(
  matrix: PlannedMatrix,
  source: ByteSource,
  rows: readonly number[],
): Promise<Uint8Array<ArrayBuffer>> {
  const rowBytes = rowBytesOf(matrix);
  const kept = new Uint8Array(rows.length * rowBytes);
  for (const [index, row] of rows.entries()) {
    const start = matrix.tensor.start + row * rowBytes;
    kept.set(await source.read(start, start + rowBytes), index * rowBytes);
  }
  return kept;
}

/** Sampled rows on a device. */
interface Piece {
  readonly matrix: PlannedMatrix;
  readonly rows: number;
  readonly original: DeviceBuffer;
  /** What is quantized: the same, or changed. */
  readonly target: DeviceBuffer;
  /** Whose scales it has; null: its own. */
  readonly scaled: DeviceBuffer | null;
  readonly ranges: MatrixRanges;
}

/**
 * Jensen–Shannon divergence between the histogram of the original rows and that of what each scheme makes of the target.
 * @param schemes null: the target itself
 * @param largest magnitude among the originals
 */
export async function shapeDivergence(
  bench: Bench,
  piece: Piece,
  schemes: readonly (Scheme | null)[],
  largest: number,
  arithmetic: Arithmetic,
): Promise<readonly (number | null)[]> {
  const { matrix, rows, original, target, scaled } = piece;
  const { device, scratch } = bench;
  const { element, cols } = matrix;
  const elements = rows * cols;
  const bins = histogramBins(BINS);
  const countBytes = bins * HISTOGRAM_COPIES * 4;
  const binWidth = scratch.filled("bin width", widthBits(element, largest));
  const noPoints = scratch.zeroed("no zero points", 16);
  const count = (weights: DeviceBuffer, name: string): [KernelCall<DeviceBuffer>, DeviceBuffer] => {
    const counts = scratch.zeroed(`histogram ${name}`, countBytes);
    const shape = { elements, groupSize: elements };
    return [call(levelHistogram, { element, ...BINS }, shape, [weights, binWidth, noPoints, counts]), counts];
  };
  const [countOriginal, originalCounts] = count(original, "original");
  const calls = [countOriginal];
  const results: DeviceBuffer[] = [];
  for (const [index, scheme] of schemes.entries()) {
    let weights = target;
    if (scheme) {
      // Each on its own, so that a scheme's groups begin at place 0.
      const run = qparamsRun(bench, matrix, [scheme], rows, scaled ?? target, piece.ranges, `sample ${index}`);
      const { bits, symmetric } = scheme.weights;
      const storage = { storedBits: bits, offset: 2 ** (bits - 1) };
      const shape: IntShape = { streams: rows, streamLength: cols, groupSize: groupSizeOf(scheme, cols, elements) };
      const codes = scratch.buffer(`sample codes ${index}`, codeWords(shape, bits) * 4);
      weights = scratch.buffer(`sample weights ${index}`, Math.ceil((elementsOf(shape) * weightBytes(matrix)) / 4) * 4);
      calls.push(
        ...run.calls,
        call(intQuantize, { element, bits, symmetric, arithmetic, ...storage }, shape, [
          target,
          run.scales,
          run.zeroPoints,
          codes,
        ]),
        call(intDequantize, { element, symmetric, ...storage }, shape, [codes, run.scales, run.zeroPoints, weights]),
      );
    }
    const [countIt, counts] = count(weights, `${index}`);
    calls.push(countIt);
    results.push(counts);
  }
  device.run(calls);
  const histograms = await Promise.all(
    [originalCounts, ...results].map(async (counts) =>
      sumCopies(new Uint32Array((await device.read(counts, countBytes)).buffer), bins),
    ),
  );
  const [own = [], ...others] = histograms;
  return others.map((histogram) => jensenShannon(own, histogram));
}

/** The smallest power of two that spreads 128 bins over the largest magnitude, as an element. */
function widthBits(element: FloatName, largest: number): Uint8Array {
  const format = FLOAT_FORMATS[element];
  const finite = Number.isFinite(largest) ? largest : format.fromBits(format.infinity - 1);
  const smallest = element === "f16" ? -24 : -126;
  let exponent = smallest;
  while (2 ** exponent * 128 < finite) exponent++;
  return new Uint8Array(new Uint32Array([format.toBits(2 ** exponent)]).buffer);
}
