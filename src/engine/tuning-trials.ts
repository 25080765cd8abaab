import { FLOAT_FORMATS } from "../base/float-format.ts";
import { type AnyKernel, call, type Kernel, type KernelCall } from "../device/kernel.ts";
import { codeWords } from "../kernels/int-params.ts";
import { wholeOutput } from "../kernels/linear/linear.oracle.ts";
import { linear } from "../kernels/linear/linear.ts";
import { intError, LEVEL_WORDS, sumWords } from "../kernels/quant/int_error.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { madeWeights } from "./probe.ts";

/** A run of a kernel on made input. */
export interface Trial {
  /** What its buffers hold before, in the order of the bindings; the last is the output. */
  readonly inputs: readonly Uint8Array[];
  callOn<Buffer>(buffers: readonly Buffer[]): KernelCall<Buffer>;
}

/** How the forms of a kernel are tried: they must agree on every trial to the bit, and the first is timed. */
export interface Tuning {
  readonly kernel: AnyKernel;
  /** Called only where there is something to choose. */
  trials(): readonly Trial[];
}

const SIDE = 1024;
const GROUP_SIZE = 128;
const INT4 = { element: "bf16", bits: 4, symmetric: true, arithmetic: "eager", storedBits: 4, offset: 8 } as const;

/** Sides of the product that is timed. */
const PRODUCT = 512;

/** The kernels that have several forms, those that matter most first; each timed on at most 1 Mi weights. */
export const TUNINGS: readonly Tuning[] = [
  tuning(intError, () => [errorTrial(SIDE * SIDE, GROUP_SIZE), errorTrial(9 * 61, 61)]),
  tuning(intQuantize, () => [
    // Scales of 2^-8.
    quantizeTrial(SIDE, SIDE, GROUP_SIZE, madeWeights(SIDE * SIDE), () => 0x3b80),
    // Rows that begin inside of a vector and end inside of a word, weights and scales of every kind.
    quantizeTrial(9, 61, 61, everyKind(9 * 61), (group) => 0x1000 * (group % 8)),
  ]),
  tuning(minMax, () => [
    minMaxTrial(SIDE * SIDE, GROUP_SIZE, madeWeights(SIDE * SIDE)),
    minMaxTrial(8191, 100, everyKind(8191)),
  ]),
  tuning(linear, () => [linearTrial(PRODUCT, PRODUCT, PRODUCT), linearTrial(67, 45, 20)]),
];

function tuning<Source, Shape>(kernel: Kernel<Source, Shape>, trials: Tuning["trials"]): Tuning {
  return { kernel: kernel as unknown as AnyKernel, trials };
}

function quantizeTrial(
  streams: number,
  streamLength: number,
  groupSize: number,
  weights: Uint8Array,
  scaleBits: (group: number) => number,
): Trial {
  const shape = { streams, streamLength, groupSize };
  const groups = Math.ceil((streams * streamLength) / groupSize);
  const scales = new Uint16Array(groups).map((_, group) => scaleBits(group));
  return {
    inputs: [weights, new Uint8Array(scales.buffer), new Uint8Array(groups), output(codeWords(shape, INT4.storedBits))],
    callOn: (buffers) => call(intQuantize, INT4, shape, buffers),
  };
}

/**
 * Sixteenths under scales of an eighth: squares of them and of their errors add up exactly in any order. All levels occur, or
 * they would be looked for to the end.
 */
function errorTrial(elements: number, groupSize: number): Trial {
  const { toBits } = FLOAT_FORMATS.bf16;
  const sixteenths = Array.from({ length: 31 }, (_, index) => toBits((index - 16) / 16));
  const weights = new Uint16Array(elements).map((_, index) => sixteenths[(index * 40_503) % 31] ?? 0);
  const groups = Math.ceil(elements / groupSize);
  const scales = new Uint16Array(groups).fill(toBits(1 / 8));
  const levels = new Uint8Array(LEVEL_WORDS * 4);
  const own = { ...INT4, isPruned: false };
  const schemes = [{ bits: INT4.bits, symmetric: true, groupSize, first: 0 }];
  const [weightBytes, scaleBytes] = [new Uint8Array(weights.buffer), new Uint8Array(scales.buffer)];
  return {
    inputs: [weightBytes, weightBytes, scaleBytes, new Uint8Array(groups), levels, output(sumWords(elements, 1))],
    callOn: (buffers) => call(intError, own, { elements, schemes }, buffers),
  };
}

function minMaxTrial(elements: number, groupSize: number, weights: Uint8Array): Trial {
  return {
    inputs: [weights, output(2 * Math.ceil(elements / groupSize))],
    callOn: (buffers) => call(minMax, INT4, { elements, groupSize }, buffers),
  };
}

/** Whole numbers, whose sums are exact in any order: then the forms of a kernel that is not exact agree to the bit too. */
function linearTrial(m: number, n: number, k: number): Trial {
  const whole = (count: number) => {
    return new Uint8Array(new Float32Array(count).map((_, index) => ((index * 40_503) % 17) - 8).buffer);
  };
  return {
    inputs: [whole(m * k), whole(n * k), output(m * n)],
    callOn: (buffers) => call(linear, {}, { m, n, k, ...wholeOutput(n) }, buffers),
  };
}

/** bf16 weights of every exponent and sign, infinities and NaN among them. */
function everyKind(elements: number): Uint8Array {
  return new Uint8Array(new Uint16Array(elements).map((_, index) => (index * 40_503) % 65_536).buffer);
}

/** An output that no form writes, so that a word left unwritten is seen. */
function output(words: number): Uint8Array {
  return new Uint8Array(words * 4).fill(0xd7);
}
