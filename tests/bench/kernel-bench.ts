import { FLOAT_FORMATS } from "../../src/base/float-format.ts";
import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { call, type KernelCall } from "../../src/device/kernel.ts";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import { codeWords } from "../../src/kernels/int-params.ts";
import { copy } from "../../src/kernels/measure/copy.ts";
import { intDequantize } from "../../src/kernels/quant/int_dequantize.ts";
import { intError, LEVEL_WORDS, sumWords } from "../../src/kernels/quant/int_error.ts";
import { intQparams } from "../../src/kernels/quant/int_qparams.ts";
import { intQuantize } from "../../src/kernels/quant/int_quantize.ts";
import { minMax } from "../../src/kernels/stats/min_max.ts";
import { ReconstructionTotal } from "../../src/metrics/reconstruction.ts";
import { freshSeed, madeWeights } from "./made-weights.ts";

/** A scheme of integers in groups. */
export interface BenchScheme {
  readonly bits: number;
  readonly symmetric: boolean;
  readonly groupSize: number;
}

/** The eight schemes of the bench: INT4 and INT8, symmetric and asymmetric, groups of 32 and 128. */
export const EIGHT: readonly BenchScheme[] = [4, 8].flatMap((bits) =>
  [true, false].flatMap((symmetric) => [32, 128].map((groupSize) => ({ bits, symmetric, groupSize }))),
);
export const ONE: BenchScheme = { bits: 4, symmetric: true, groupSize: 128 };

const COLS = 1024;

type Element = "bf16" | "f32";

/** Calls that end in bytes worth a look. */
export interface Job {
  readonly calls: readonly KernelCall<DeviceBuffer>[];
  readonly result: DeviceBuffer;
  readonly bytes: number;
}

/** Kernels on `rows` × 1024 weights of a device, ready to run. */
export class KernelBench {
  readonly elements: number;
  readonly #device: Device;
  readonly #rows: number;
  readonly #seed: number;
  readonly #buffers = new Map<string, DeviceBuffer>();

  constructor(device: Device, rows: number, seed: number) {
    this.#device = device;
    this.#rows = rows;
    this.#seed = seed;
    this.elements = rows * COLS;
  }

  /** A buffer by its name, made when it is first asked for. */
  buffer(name: string, sizeBytes: number): DeviceBuffer {
    const known = this.#buffers.get(name) ?? this.#device.createBuffer(Math.max(sizeBytes, 16));
    this.#buffers.set(name, known);
    return known;
  }

  weights(element: Element): DeviceBuffer {
    const name = `weights ${element}`;
    const isNew = !this.#buffers.has(name);
    const buffer = this.buffer(name, this.elements * FLOAT_FORMATS[element].sizeBytes);
    if (isNew) this.#device.write(buffer, madeWeights(this.elements, element, this.#seed));
    return buffer;
  }

  copy(): Job {
    const result = this.buffer("copy", this.elements * 4);
    const calls = [call(copy, {}, { vectors: this.elements / 4 }, [this.weights("f32"), result])];
    return { calls, result, bytes: this.elements * 4 };
  }

  /** Scales and zero points of schemes: one look at the weights for each group size. */
  #params(element: Element, schemes: readonly BenchScheme[]) {
    const { sizeBytes } = FLOAT_FORMATS[element];
    const name = `${element} ${schemes.map(({ groupSize }) => groupSize).join(" ")}`;
    const total = schemes.reduce((sum, { groupSize }) => sum + this.elements / groupSize, 0);
    const scales = this.buffer(`scales ${name}`, total * sizeBytes);
    const points = this.buffer(`points ${name}`, total);
    const corners = this.buffer(`corners ${name}`, 8 * 20);
    const looks = new Map<number, DeviceBuffer>();
    const calls: KernelCall<DeviceBuffer>[] = [];
    let next = 0;
    const firsts = schemes.map(({ bits, symmetric, groupSize }, slot) => {
      const [first, groups] = [next, this.elements / groupSize];
      next += groups;
      const known = looks.get(groupSize);
      const extremes = known ?? this.buffer(`extremes ${name} ${groupSize}`, groups * 8);
      looks.set(groupSize, extremes);
      const shape = { elements: this.elements, groupSize };
      if (!known) calls.push(call(minMax, { element }, shape, [this.weights(element), extremes]));
      const source = { element, bits, symmetric };
      calls.push(call(intQparams, source, { groups, first, slot }, [extremes, scales, points, corners]));
      return first;
    });
    return { calls, scales, points, firsts };
  }

  /** INT4, symmetric: scales and packed codes. */
  quantize(element: Element, groupSize = 128): Job {
    const { calls, scales, points } = this.#params(element, [{ ...ONE, groupSize }]);
    const shape = { streams: this.#rows, streamLength: COLS, groupSize };
    const bytes = codeWords(shape, 4) * 4;
    const result = this.buffer(`codes ${element} ${groupSize}`, bytes);
    const source = { element, bits: 4, symmetric: true, arithmetic: "eager", storedBits: 4, offset: 8 } as const;
    const last = call(intQuantize, source, shape, [this.weights(element), scales, points, result]);
    return { calls: [...calls, last], result, bytes };
  }

  /** What the codes of `quantize("f32")` stand for; that must have run before. */
  dequantize(): Job {
    const { scales, points } = this.#params("f32", [ONE]);
    const shape = { streams: this.#rows, streamLength: COLS, groupSize: 128 };
    const bytes = this.elements * 4;
    const result = this.buffer("dequantized", bytes);
    const source = { element: "f32", symmetric: true, storedBits: 4, offset: 8 } as const;
    const codes = this.buffer("codes f32 128", codeWords(shape, 4) * 4);
    return { calls: [call(intDequantize, source, shape, [codes, scales, points, result])], result, bytes };
  }

  /** What schemes lose on bf16, in one pass. */
  error(schemes: readonly BenchScheme[]): Job {
    const element = "bf16";
    const { calls, scales, points, firsts } = this.#params(element, schemes);
    const bytes = sumWords(this.elements, schemes.length) * 4;
    const result = this.buffer(`sums ${schemes.length}`, bytes);
    const levels = this.buffer(`levels ${schemes.length}`, schemes.length * LEVEL_WORDS * 4);
    const placed = schemes.map((scheme, index) => ({ ...scheme, first: firsts[index] ?? 0 }));
    const weights = this.weights(element);
    const shape = { elements: this.elements, schemes: placed };
    const source = { element, arithmetic: "eager", isPruned: false } as const;
    const last = call(intError, source, shape, [weights, weights, scales, points, levels, result]);
    return { calls: [...calls, last], result, bytes };
  }

  /** The squared errors of `error(schemes)`, which must have run, and the relative ones. */
  async errorsOf(
    schemes: readonly BenchScheme[],
  ): Promise<readonly { readonly mse: number; readonly relative: number }[]> {
    const { result, bytes } = this.error(schemes);
    const sums = new Uint32Array((await this.#device.read(result, bytes)).buffer);
    return schemes.map((_, index) => {
      const total = new ReconstructionTotal();
      total.addBlocks(sums, index, schemes.length, this.elements, true);
      const { mse, relativeMse } = total.figures();
      return { mse: mse ?? Number.NaN, relative: relativeMse ?? Number.NaN };
    });
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}

const CHECKED_ROWS = 64;

/** How far float32 sums may be from the oracle's float64 ones, as a share. */
const SUM_TOLERANCE = 1e-5;

/**
 * Refuses to time kernels that are wrong: codes and weights bit for bit as the oracles have them, figures of all schemes
 * within 1e-5. Buffers are new, so that nothing can be right from before.
 * @throws Error that names what is wrong
 */
export async function requireRight(device: Device): Promise<void> {
  const seed = freshSeed();
  const reference = createReferenceDevice();
  const [own, oracle] = [new KernelBench(device, CHECKED_ROWS, seed), new KernelBench(reference, CHECKED_ROWS, seed)];
  const wrong = (name: string) => new Error(`${name} is wrong on ${device.adapter} (seed ${seed}): it is not timed`);
  const bytesOf = async (on: Device, { calls, result, bytes }: Job) => {
    on.run(calls);
    return on.read(result, bytes);
  };
  const jobs: Record<string, (bench: KernelBench) => Job> = {
    copy: (bench) => bench.copy(),
    "quantize bf16": (bench) => bench.quantize("bf16"),
    "quantize f32": (bench) => bench.quantize("f32"),
    "quantize f32 in groups of 32": (bench) => bench.quantize("f32", 32),
    dequantize: (bench) => bench.dequantize(),
  };
  for (const [name, make] of Object.entries(jobs)) {
    const [found, wanted] = [await bytesOf(device, make(own)), await bytesOf(reference, make(oracle))];
    if (!found.every((byte, index) => byte === wanted[index])) throw wrong(name);
  }
  for (const schemes of [[ONE], EIGHT]) {
    device.run(own.error(schemes).calls);
    reference.run(oracle.error(schemes).calls);
    const [found, wanted] = [await own.errorsOf(schemes), await oracle.errorsOf(schemes)];
    const isNear = found.every(({ mse }, index) => Math.abs(mse / (wanted[index]?.mse ?? 0) - 1) < SUM_TOLERANCE);
    if (!isNear) throw wrong(`the error of ${schemes.length}`);
  }
  own.destroy();
}
