import { FLOAT_FORMATS, type FloatFormat } from "../base/float-format.ts";
import { SeededRandom } from "../base/random.ts";
import type { Device } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { elementAt, elementWords, setElement } from "../kernels/elements.ts";
import {
  byteAt,
  codeWords,
  elementsOf,
  groupsOf,
  type IntCodes,
  type IntShape,
  setByte,
} from "../kernels/int-params.ts";
import { intQparams } from "../kernels/quant/int_qparams.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { Scratch } from "./scratch.ts";
import { GOLDEN, GOLDEN_WEIGHTS } from "./self-test-golden.ts";

/** What a device must compute right before one of its results may say bit-exact. */
export interface SelfTestResult {
  readonly passed: boolean;
  /** The first difference, in words; null when it passed. */
  readonly difference: string | null;
  readonly elapsedMs: number;
}

/** Groups of the second part, and weights of each. */
const GROUPS = 128;

/** Programs are compiled without any. */
const NO_SHAPE: IntShape = { streams: 0, streamLength: 0, groupSize: 1 };

/**
 * Runs golden groups of the real tool, and 32,768 quotients for one format, width, symmetry and arithmetic: of bf16 under
 * eager every pair of mantissas at two exponents, else weights as near as they come to ties of the codes. What these should
 * become is worked out here on whole numbers, which shares nothing with the shader or its oracle.
 */
export async function selfTest(device: Device, codes: IntCodes, now: () => number): Promise<SelfTestResult> {
  const started = now();
  await device.prepare([
    call(minMax, codes, { elements: 0, groupSize: 1 }, []),
    call(intQparams, codes, { groups: 0, first: 0, slot: 0 }, []),
    call(intQuantize, packed(codes), NO_SHAPE, []),
  ]);
  const scratch = new Scratch(device);
  try {
    const difference =
      (await goldenDifference(device, scratch, codes)) ?? (await quotientDifference(device, scratch, codes));
    return { passed: difference === null, difference, elapsedMs: now() - started };
  } finally {
    scratch.destroy();
  }
}

function packed(codes: IntCodes) {
  return { ...codes, storedBits: codes.bits, offset: 2 ** (codes.bits - 1) };
}

async function goldenDifference(device: Device, scratch: Scratch, codes: IntCodes): Promise<string | null> {
  const { element, bits, symmetric } = codes;
  const golden = GOLDEN.find((row) => row[0] === element && row[1] === bits && row[2] === symmetric);
  if (!golden) return `no golden group of ${element} int${bits}`;
  const [, , , scales, zeroPoints, words] = golden;
  const shape: IntShape = { streams: GOLDEN_WEIGHTS.length, streamLength: 8, groupSize: 8 };
  const weights = new Uint32Array(elementWords(elementsOf(shape), element));
  for (const [index, value] of GOLDEN_WEIGHTS.flat().entries()) {
    setElement(weights, index, FLOAT_FORMATS[element].toBits(value), element);
  }
  const elements = elementsOf(shape);
  const weightBuffer = scratch.filled("weights", new Uint8Array(weights.buffer));
  const extremes = scratch.buffer("extremes", groupsOf(shape) * 8);
  const scaleBuffer = scratch.buffer("scales", 16);
  const pointBuffer = scratch.zeroed("zero points", 16);
  const cornerBuffer = scratch.zeroed("corners", 32);
  device.run([
    call(minMax, codes, { elements, groupSize: 8 }, [weightBuffer, extremes]),
    call(intQparams, codes, { groups: groupsOf(shape), first: 0, slot: 0 }, [
      extremes,
      scaleBuffer,
      pointBuffer,
      cornerBuffer,
    ]),
  ]);
  const found = await quantize(device, scratch, codes, shape);
  const ownScales = new Uint32Array((await device.read(scaleBuffer, 16)).buffer);
  const ownPoints = new Uint32Array((await device.read(pointBuffer, 16)).buffer);
  for (const group of GOLDEN_WEIGHTS.keys()) {
    const scale = elementAt(ownScales, group, element);
    if (scale !== scales[group]) return `a golden scale is ${hex(scale)}, the real tool's ${hex(scales[group])}`;
    if (!symmetric && byteAt(ownPoints, group) !== zeroPoints[group]) {
      return `a golden zero point is ${byteAt(ownPoints, group)}, the real tool's ${zeroPoints[group]}`;
    }
    // The real tool's codes are those of eager; triton's are held by the quotients.
    if (codes.arithmetic !== "eager") continue;
    const own = found.subarray((group * found.length) / 2, ((group + 1) * found.length) / 2);
    const wrong = words[group]?.findIndex((word, index) => word !== own[index]) ?? 0;
    if (wrong >= 0) return `golden codes are ${hex(own[wrong])}, the real tool's ${hex(words[group]?.[wrong])}`;
  }
  return null;
}

async function quotientDifference(device: Device, scratch: Scratch, codes: IntCodes): Promise<string | null> {
  const { element, bits } = codes;
  const isEveryPair = element === "bf16" && codes.arithmetic === "eager";
  const rows = isEveryPair ? everyPair(codes) : nearTies(codes);
  const groupSize = 256;
  const shape: IntShape = { streams: GROUPS, streamLength: groupSize, groupSize };
  const weights = new Uint32Array(elementWords(elementsOf(shape), element));
  const scales = new Uint32Array(elementWords(GROUPS, element));
  const points = new Uint32Array(GROUPS / 4);
  const { toBits } = FLOAT_FORMATS[element];
  for (const [group, row] of rows.entries()) {
    setElement(scales, group, toBits(row.scale), element);
    setByte(points, group, row.zeroPoint);
    for (const [at, weight] of row.weights.entries()) {
      setElement(weights, group * groupSize + at, toBits(weight), element);
    }
  }
  scratch.filled("weights", new Uint8Array(weights.buffer));
  scratch.filled("scales", new Uint8Array(scales.buffer));
  scratch.filled("zero points", new Uint8Array(points.buffer));
  const words = await quantize(device, scratch, codes, shape);
  for (const [group, { scale, zeroPoint, weights: values }] of rows.entries()) {
    for (const [at, weight] of values.entries()) {
      const found = codeAt(words, group * groupSize + at, bits);
      const expected = expectedCode(weight, scale, zeroPoint, codes);
      if (found !== expected) return `${weight} / ${scale} + ${zeroPoint} has code ${found}, should have ${expected}`;
    }
  }
  return null;
}

/** Weights of a group with its scale and zero point; all of them values of the format. */
interface QuotientRow {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly weights: readonly number[];
}

function zeroPointOf({ bits, symmetric }: IntCodes, group: number): number {
  return symmetric ? 0 : ((group * 37) % 2 ** bits) - 2 ** (bits - 1);
}

/** Every pair of bf16 mantissas, the quotient around 2^(bits−2) and around 1/2. */
function everyPair(codes: IntCodes): readonly QuotientRow[] {
  return Array.from({ length: GROUPS }, (_, group) => ({
    scale: 1 + group / 128,
    zeroPoint: zeroPointOf(codes, group),
    weights: [2 ** (codes.bits - 2), 0.5].flatMap((size) =>
      Array.from({ length: 128 }, (_, mantissa) => (group % 2 === 0 ? 1 : -1) * size * (1 + mantissa / 128)),
    ),
  }));
}

/** (k + 1/2 − zero point) · scale for codes k in turn, and the values next to it on either side. */
function nearTies(codes: IntCodes): readonly QuotientRow[] {
  const format = FLOAT_FORMATS[codes.element];
  const random = new SeededRandom(codes.bits);
  return Array.from({ length: GROUPS }, (_, group) => {
    const scale = format.round(1 + random.nextUniform());
    const zeroPoint = zeroPointOf(codes, group);
    const weights = Array.from({ length: 256 }, (_, at) => {
      const level = ((Math.floor(at / 3) * 7 + group) % 2 ** codes.bits) - 2 ** (codes.bits - 1);
      return neighbour(format, (level - 0.5 - zeroPoint) * scale, (at % 3) - 1);
    });
    return { scale, zeroPoint, weights };
  });
}

/** The value of a format nearest to a number, or one of its two neighbours. */
function neighbour(format: FloatFormat, value: number, step: number): number {
  const magnitude = format.toBits(Math.abs(value)) + step;
  return Math.sign(value) * format.fromBits(Math.max(magnitude, 0));
}

/** rint(R(R(weight / scale) + zero point)), cut off at the ends; R rounds to the bits that the arithmetic keeps. */
function expectedCode(weight: number, scale: number, zeroPoint: number, codes: IntCodes): number {
  const keptBits = codes.arithmetic === "triton" ? 24 : FLOAT_FORMATS[codes.element].precision;
  const limit = 2 ** (codes.bits - 1);
  if (weight === 0) return zeroPoint;
  const x = wholeParts(Math.abs(weight));
  const s = wholeParts(scale);
  // Two wholes of 24 bits: the quotient of 2^keptBits times one by the other has keptBits or keptBits + 1 bits.
  const isBelowOne = x.whole < s.whole;
  const quotient = roundQuotient(x.whole * 2 ** (keptBits - (isBelowOne ? 0 : 1)), s.whole);
  const size = quotient * 2 ** (x.exponent - s.exponent - keptBits + (isBelowOne ? 0 : 1));
  const sum = keepBits(Math.sign(weight) * size + zeroPoint, keptBits);
  return Math.min(Math.max(Math.sign(sum) * roundQuotient(Math.abs(sum) * 2 ** 20, 2 ** 20), -limit), limit - 1) + 0;
}

/** A positive float32 as a whole number of 24 bits and a power of two. */
function wholeParts(value: number): { readonly whole: number; readonly exponent: number } {
  let [whole, exponent] = [value, 0];
  while (whole < 2 ** 23) {
    whole *= 2;
    exponent--;
  }
  while (whole >= 2 ** 24) {
    whole /= 2;
    exponent++;
  }
  return { whole, exponent };
}

/** The number nearest to a sum that a float64 holds exactly, with at most `bits` significant bits; ties to even. */
function keepBits(value: number, bits: number): number {
  if (value === 0) return 0;
  let unit = 1;
  while (Math.abs(value) / unit >= 2 ** bits) unit *= 2;
  while (Math.abs(value) / unit < 2 ** (bits - 1)) unit /= 2;
  return Math.sign(value) * roundQuotient((Math.abs(value) / unit) * 2 ** 20, 2 ** 20) * unit;
}

/** The whole number nearest to top / bottom, ties to even; top below 2^53. */
function roundQuotient(top: number, bottom: number): number {
  const whole = Math.floor(top / bottom);
  const twice = 2 * (top - whole * bottom);
  return twice > bottom || (twice === bottom && whole % 2 === 1) ? whole + 1 : whole;
}

/** The packed codes of what lies in the buffers of weights, scales and zero points. */
async function quantize(device: Device, scratch: Scratch, codes: IntCodes, shape: IntShape): Promise<Uint32Array> {
  const words = codeWords(shape, codes.bits);
  const buffers = ["weights", "scales", "zero points"].map((name) => scratch.buffer(name, 16));
  const codeBuffer = scratch.buffer("codes", words * 4);
  device.run([call(intQuantize, packed(codes), shape, [...buffers, codeBuffer])]);
  return new Uint32Array((await device.read(codeBuffer, words * 4)).buffer);
}

/** A code of streams that fill whole words. */
function codeAt(words: Uint32Array, index: number, bits: number): number {
  const bit = index * bits;
  const [word, at] = [Math.floor(bit / 32), bit % 32];
  const both = (words[word] ?? 0) + ((words[word + 1] ?? 0) % 2 ** 7) * 2 ** 32;
  return (Math.floor(both / 2 ** at) % 2 ** bits) - 2 ** (bits - 1);
}

function hex(word: number | undefined): string {
  return `0x${(word ?? 0).toString(16)}`;
}
