import { fromBf16 } from "../base/bfloat16.ts";
import type { Device } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { setHalf } from "../kernels/halves.ts";
import type { IntShape, IntSource } from "../kernels/int-params.ts";
import { codeWords, intQuantize } from "../kernels/quant/int_quantize.ts";
import { intScale } from "../kernels/quant/int_scale.ts";

/** What a device must compute right before one of its results may say bit-exact. */
export interface SelfTestResult {
  readonly passed: boolean;
  /** The first difference, in words; null when it passed. */
  readonly difference: string | null;
  readonly elapsedMs: number;
}

/**
 * Groups of 8 weights with what the real tool made of them, bf16, symmetric.
 * Source: compressed-tensors 0.19 run on torch, CPU.
 */
const GOLDEN = [
  { bits: 4, weights: [0.5, -1, 0.25, 0.125, 0.9375, -0.0625, 0, 0.75], scale: 0x3e09, words: [0xe88f9a1c] },
  {
    bits: 8,
    weights: [0.5, -1, 0.25, 0.125, 0.9375, -0.0625, 0, 0.75],
    scale: 0x3c01,
    words: [0x90a001c0, 0xe08078f7],
  },
  { bits: 4, weights: [-3, 1, 0.2, -0.7, 2.9, -1.4, 0.05, -2.2], scale: 0x3ecd, words: [0x284f68a0] },
  { bits: 8, weights: [-3, 1, 0.2, -0.7, 2.9, -1.4, 0.05, -2.2], scale: 0x3cc1, words: [0x6288aa00, 0x228245fc] },
] as const;

/** Programs are compiled without any. */
const NO_SHAPE: IntShape = { groups: 0, groupSize: 0 };

/** Mantissas of bf16: 128 with the leading one in place. */
const MANTISSAS = 128;

/**
 * Runs the golden groups and all 16,384 pairs of mantissas, near the top of the range of codes and around the first tie,
 * for one width and arithmetic. About 15 ms where the programs are compiled; int4 and int8 side by side take 130 ms with
 * compiling, on a software adapter on two cores.
 */
export async function selfTest(device: Device, source: IntSource, now: () => number): Promise<SelfTestResult> {
  const started = now();
  const programs = [
    call(intScale, { bits: source.bits }, NO_SHAPE, []),
    call(intQuantize, { ...source, storage: "offset" }, NO_SHAPE, []),
  ];
  await device.prepare(programs);
  const difference = (await goldenDifference(device, source)) ?? (await mantissaDifference(device, source));
  return { passed: difference === null, difference, elapsedMs: now() - started };
}

async function goldenDifference(device: Device, source: IntSource): Promise<string | null> {
  for (const golden of GOLDEN) {
    if (golden.bits !== source.bits) continue;
    const weights = new Uint32Array(4);
    golden.weights.forEach((value, index) => {
      setHalf(weights, index, nearestBf16(value));
    });
    const shape = { groups: 1, groupSize: 8 };
    const { scales, codes } = await quantize(device, source, shape, weights, null);
    if (scales[0] !== golden.scale) return `a golden scale is ${hex(scales[0])}, the real tool's ${hex(golden.scale)}`;
    // Golden codes are eager's; on these groups triton's differ in one code of int8 and are held by the pairs below.
    if (source.arithmetic !== "eager") continue;
    const wrong = golden.words.findIndex((word, index) => word !== codes[index]);
    if (wrong >= 0) return `golden codes are ${hex(codes[wrong])}, the real tool's ${hex(golden.words[wrong])}`;
  }
  return null;
}

/**
 * Every quotient of two mantissas, times 2^(bits−2) and times 1/2, against integer arithmetic that shares nothing with the
 * shader: the quotient as a fraction, rounded to 8 bits first under `eager`.
 */
async function mantissaDifference(device: Device, source: IntSource): Promise<string | null> {
  for (const exponent of [source.bits - 2, -1]) {
    const shape = { groups: MANTISSAS, groupSize: MANTISSAS };
    const weights = new Uint32Array((MANTISSAS * MANTISSAS) / 2);
    const scales = new Uint32Array(MANTISSAS / 2);
    for (let s = 0; s < MANTISSAS; s++) {
      setHalf(scales, s, (127 << 7) | s);
      for (let x = 0; x < MANTISSAS; x++) setHalf(weights, s * MANTISSAS + x, ((127 + exponent) << 7) | x);
    }
    const { codes } = await quantize(device, source, shape, weights, scales);
    const perWord = 32 / source.bits;
    for (let index = 0; index < MANTISSAS * MANTISSAS; index++) {
      const word = codes[Math.floor(index / perWord)] ?? 0;
      const found = ((word >>> ((index % perWord) * source.bits)) & (2 ** source.bits - 1)) - 2 ** (source.bits - 1);
      const [x, s] = [128 + (index % MANTISSAS), 128 + Math.floor(index / MANTISSAS)];
      const expected = expectedCode(x, s, exponent, source);
      if (found !== expected) return `${x} · 2^${exponent} / ${s} has code ${found}, should have ${expected}`;
    }
  }
  return null;
}

/** round(x · 2^exponent / s) on integers; under `eager` the quotient is rounded to 8 significant bits first. */
function expectedCode(x: number, s: number, exponent: number, source: IntSource): number {
  let [top, bottom] = exponent >= 0 ? [x * 2 ** exponent, s] : [x, s * 2 ** -exponent];
  if (source.arithmetic === "eager") {
    // x / s lies in (1/2, 2): its last kept bit is worth 1/256 below 1 and 1/128 from 1 on.
    const unit = x < s ? 256 : 128;
    const kept = roundQuotient(x * unit, s);
    [top, bottom] = exponent >= 0 ? [kept * 2 ** exponent, unit] : [kept, unit * 2 ** -exponent];
  }
  return Math.min(roundQuotient(top, bottom), 2 ** (source.bits - 1) - 1);
}

/** The integer nearest to top / bottom, ties to even; both are whole and small. */
function roundQuotient(top: number, bottom: number): number {
  const whole = Math.floor(top / bottom);
  const twice = 2 * (top - whole * bottom);
  return twice > bottom || (twice === bottom && whole % 2 === 1) ? whole + 1 : whole;
}

async function quantize(
  device: Device,
  source: IntSource,
  shape: IntShape,
  weights: Uint32Array<ArrayBuffer>,
  scales: Uint32Array<ArrayBuffer> | null,
): Promise<{ scales: Uint32Array; codes: Uint32Array }> {
  const words = codeWords(shape.groups * shape.groupSize, source.bits);
  const scaleBytes = Math.ceil(shape.groups / 2) * 4;
  const buffers = [weights.byteLength, scaleBytes, words * 4].map((size) => device.createBuffer(size));
  const [weightBuffer, scaleBuffer, codeBuffer] = buffers as [
    (typeof buffers)[0],
    (typeof buffers)[0],
    (typeof buffers)[0],
  ];
  try {
    device.write(weightBuffer, new Uint8Array(weights.buffer));
    if (scales) device.write(scaleBuffer, new Uint8Array(scales.buffer));
    else device.run([call(intScale, { bits: source.bits }, shape, [weightBuffer, scaleBuffer])]);
    device.run([call(intQuantize, { ...source, storage: "offset" }, shape, [weightBuffer, scaleBuffer, codeBuffer])]);
    const read = await Promise.all([device.read(scaleBuffer, scaleBytes), device.read(codeBuffer, words * 4)]);
    return { scales: new Uint32Array(read[0].buffer), codes: new Uint32Array(read[1].buffer) };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** bf16 bits nearest to a value, by trying both neighbours: no code shared with what is tested. */
function nearestBf16(value: number): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0] ?? 0;
  const below = bits >>> 16;
  const distance = (candidate: number) => Math.abs(fromBf16(candidate) - value);
  return distance(below + 1) < distance(below) ? below + 1 : below;
}

function hex(word: number | undefined): string {
  return `0x${(word ?? 0).toString(16)}`;
}
