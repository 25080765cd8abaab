import type { Device, DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { cholesky } from "../../kernels/linear/cholesky.ts";
import { gram } from "../../kernels/linear/gram.ts";
import { triangularInverse } from "../../kernels/linear/triangular_inverse.ts";
import type { InputTap } from "../../models/run-setup.ts";
import type { ActivationOrder } from "../../schemes/method.ts";
import type { HessianMeter } from "./method-report.ts";

/** Rows that the kernel sums up in float32 before they are added to the total. */
const ROW_BLOCK = 64;

/** Sums up XᵀX of what goes into some linear layers, on the device. */
export class HessianTap implements InputTap {
  readonly #device: Device;
  readonly #totals = new Map<string, DeviceBuffer>();
  readonly #rows = new Map<string, number>();

  /** @param widths by module, of each layer that is looked at */
  constructor(device: Device, widths: ReadonlyMap<string, number>) {
    this.#device = device;
    for (const [module, width] of widths) this.#totals.set(module, device.createBuffer(hessianBytes(width)));
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    const totals = this.#totals.get(module);
    if (!totals) return;
    const most = Math.max(1, Math.floor((2 * this.#device.productsPerRun) / (width * width) / ROW_BLOCK)) * ROW_BLOCK;
    for (let firstRow = 0; firstRow < rows; firstRow += most) {
      const shape = { rows: Math.min(most, rows - firstRow), width, firstRow };
      this.#device.run([call(gram, {}, shape, [input, totals])]);
    }
    this.#rows.set(module, (this.#rows.get(module) ?? 0) + rows);
    await this.#device.settle();
  }

  /** The mean of x xᵀ over all tokens, float64 [width, width]; nothing seen: zeros. */
  async read(module: string, width: number): Promise<Hessian> {
    const totals = this.#totals.get(module);
    if (!totals) throw new Error(`no Hessian of ${module}`);
    const sums = new Float32Array((await this.#device.read(totals, hessianBytes(width))).buffer);
    const tokens = this.#rows.get(module) ?? 0;
    const low = width * width;
    const values = new Float64Array(low);
    for (let row = 0; row < width; row++) {
      for (let column = 0; column <= row; column++) {
        const at = row * width + column;
        const mean = tokens === 0 ? 0 : ((sums[at] ?? 0) + (sums[low + at] ?? 0)) / tokens;
        values[at] = mean;
        values[column * width + row] = mean;
      }
    }
    return { width, tokens, values };
  }

  destroy(): void {
    for (const totals of this.#totals.values()) totals.destroy();
    this.#totals.clear();
  }
}

/** Bytes of the sums of a layer of that width on the device. */
export function hessianBytes(width: number): number {
  return 2 * width * width * 4;
}

/** The Hessian of a layer's squared output error, but for a factor that nothing depends on: the mean of x xᵀ. */
export interface Hessian {
  readonly width: number;
  readonly tokens: number;
  /** float64 [width, width], symmetric. */
  readonly values: Float64Array;
}

/** A Hessian as the column loops want it. */
export interface FactoredHessian {
  /** Column that is processed at each place. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** U [width, width] float32, upper triangular with H⁻¹ = Uᵀ U, rows and columns in that order. */
  readonly factor: Float32Array<ArrayBuffer>;
  /** float32, one for each column: 0 where no token ever reached it, else 1. Null where all are 1. */
  readonly alive: Float32Array<ArrayBuffer> | null;
  readonly meter: HessianMeter;
  /** Why it could not be inverted; U is the identity then, and no error is made up for. Else null. */
  readonly failure: string | null;
}

/**
 * Factors a dampened Hessian on a CPU, in float64: with J the reversal of rows and columns, J H J = L Lᵀ, and U = J L⁻¹ J.
 * That is the upper Cholesky factor of H⁻¹, which the tools form by inverting H first.
 * Source: LLM Compressor 0.14 `modifiers/gptq/helpers.py :: factorize_hessian, apply_activation_ordering`: the order is that of
 *   the diagonal before dead columns become 1; the dampening is a share of the diagonal's mean after that.
 */
export async function factorHessian(
  cpu: Device,
  { width, tokens, values }: Hessian,
  { actorder, dampening }: { readonly actorder: ActivationOrder; readonly dampening: number },
): Promise<FactoredHessian> {
  const diagonal = Float64Array.from({ length: width }, (_, at) => values[at * (width + 1)] ?? 0);
  const order = Uint32Array.from(columnOrder(diagonal, actorder));
  const isDead = diagonal.map((value) => (value === 0 ? 1 : 0));
  const deadChannels = isDead.reduce((sum, dead) => sum + dead, 0);
  const damp = (dampening * diagonal.reduce((sum, value) => sum + (value === 0 ? 1 : value), 0)) / width;
  const reversed = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    const from = (order[width - 1 - row] ?? 0) * width;
    for (let column = 0; column <= row; column++) {
      reversed[row * width + column] = values[from + (order[width - 1 - column] ?? 0)] ?? 0;
    }
    const own = order[width - 1 - row] ?? 0;
    reversed[row * (width + 1)] = (isDead[own] ? 1 : (diagonal[own] ?? 0)) + damp;
  }
  const { inverse, pivots, failure } = await invertFactor(cpu, width, reversed);
  const factor = new Float32Array(width * width);
  if (inverse) {
    for (let row = 0; row < width; row++) {
      const from = (width - 1 - row) * width + width - 1;
      for (let column = row; column < width; column++) factor[row * width + column] = inverse[from - column] ?? 0;
    }
  } else {
    for (let at = 0; at < width; at++) factor[at * (width + 1)] = 1;
  }
  return {
    order,
    factor,
    alive: deadChannels === 0 ? null : Float32Array.from(isDead, (dead) => 1 - dead),
    meter: { channels: width, deadChannels, tokens, condition: pivots },
    failure,
  };
}

function columnOrder(diagonal: Float64Array, actorder: ActivationOrder): readonly number[] {
  const natural = [...diagonal.keys()];
  return actorder === "none" ? natural : natural.sort((a, b) => (diagonal[b] ?? 0) - (diagonal[a] ?? 0));
}

/** Numbers beyond this are not sure to be finite in float32. */
const MOST_FLOAT32 = 3.4e38;

interface InvertedFactor {
  /** L⁻¹; null where there is none. */
  readonly inverse: Float64Array | null;
  /** The squared ratio of the extremes of L's diagonal. */
  readonly pivots: number | null;
  readonly failure: string | null;
}

async function invertFactor(cpu: Device, n: number, matrix: Float64Array<ArrayBuffer>): Promise<InvertedFactor> {
  if (!areWithin(matrix, Number.MAX_VALUE))
    return { inverse: null, pivots: null, failure: "a Hessian that is not finite" };
  const status = cpu.createBuffer(16);
  const buffer = cpu.createBuffer(matrix.byteLength);
  try {
    cpu.write(buffer, new Uint8Array(matrix.buffer));
    cpu.run([call(cholesky, {}, { n }, [status, buffer])]);
    const [minor = 0] = new Uint32Array((await cpu.read(status, 4)).buffer);
    if (minor !== 0) {
      return {
        inverse: null,
        pivots: null,
        failure: `a Hessian whose leading minor of order ${minor} is not positive`,
      };
    }
    cpu.run([call(triangularInverse, {}, { n }, [buffer])]);
    const inverse = new Float64Array((await cpu.read(buffer, matrix.byteLength)).buffer);
    const diagonal = Array.from({ length: n }, (_, at) => inverse[at * (n + 1)] ?? 0);
    const most = diagonal.reduce((largest, value) => Math.max(largest, value), 0);
    const least = diagonal.reduce((smallest, value) => Math.min(smallest, value), Number.POSITIVE_INFINITY);
    if (!areWithin(inverse, MOST_FLOAT32))
      return { inverse: null, pivots: null, failure: "a Hessian whose inverse leaves float32" };
    return { inverse, pivots: (most / least) ** 2, failure: null };
  } finally {
    status.destroy();
    buffer.destroy();
  }
}

/** Whether no number is beyond a magnitude, nor NaN. A plain loop: there are millions of them. */
function areWithin(values: Float64Array, most: number): boolean {
  for (let at = 0; at < values.length; at++) {
    if (!(Math.abs(values[at] ?? Number.NaN) <= most)) return false;
  }
  return true;
}
