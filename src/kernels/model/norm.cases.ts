import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats, roundedSpread } from "./compare-floats.ts";
import { floatWords, normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";
import type { NormShape, NormSource } from "./norm.oracle.ts";
import { norm } from "./norm.ts";

/** Around the edges of vectors, blocks (64 numbers), workgroups and pieces of threads (8192 numbers); heads; wide rows. */
const SHAPES: readonly NormShape[] = [
  { pieces: 1, width: 1, epsilon: 1e-5, offset: 0 },
  { pieces: 5, width: 24, epsilon: 1e-6, offset: 1 },
  { pieces: 7, width: 33, epsilon: 1e-5, offset: 0 },
  { pieces: 66, width: 64, epsilon: 1e-6, offset: 0 },
  { pieces: 130, width: 127, epsilon: 1e-5, offset: 1 },
  { pieces: 17, width: 576, epsilon: 1e-5, offset: 0 },
  { pieces: 6, width: 8260, epsilon: 1e-6, offset: 0 },
];

const SOURCES: readonly NormSource[] = [
  { form: "rms", rounding: null },
  { form: "layer", rounding: null },
  { form: "rms", rounding: "bf16" },
  { form: "rms", rounding: "f16" },
];

export const normCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  SOURCES.flatMap((source) =>
    [streamRows(shape.pieces, shape.width, 1), nearlyConstant(shape)].map((inputs, which) => {
      const { pieces, width, offset } = shape;
      const weight = normalWords(width, width);
      return kernelCase(norm, {
        name: `${source.form}${source.rounding ? ` in ${source.rounding}` : ""} of ${pieces} pieces of ${width}, weights plus ${offset}, ${which === 0 ? "as in a stream" : "nearly constant"}`,
        source,
        shape,
        inputs: [inputs, weight, normalWords(width, 9), withSlack(new Uint32Array(pieces * width).fill(0xdeadbeef))],
        outputWords: pieces * width + SLACK_WORDS,
        compare: compareFloats(limits(source, shape, asFloats(inputs), asFloats(weight))),
      });
    }),
  ),
);

/** Numbers whose mean is far from 0, beside what they differ by; the last piece differs by nothing. */
function nearlyConstant({ pieces, width }: NormShape): Uint32Array<ArrayBuffer> {
  const noise = asFloats(normalWords(pieces * width, 4));
  return floatWords(noise.map((x, i) => (Math.floor(i / width) === pieces - 1 ? 3 : 5 + x / 16)));
}

/**
 * Each operation of WGSL loses at most 2⁻²³ of its result (additions and products may round either way), a division 2.5 and
 * an inverse root 2 times that. A number goes through the additions of its block of 64, at most, and one per block. Since
 * deviations from the exact mean add up to 0, a mean that is δ off makes the variance larger by δ² only. A normalized number
 * that is so much off may be rounded to the next one.
 */
function limits(
  { form, rounding }: NormSource,
  { pieces, width, epsilon, offset }: NormShape,
  inputs: Float32Array,
  weight: Float32Array,
): (index: number, expected: number) => number {
  const unit = 2 ** -23;
  const additions = Math.min(64, width) + Math.ceil(width / 64) + 4;
  const ofPieces = Array.from({ length: pieces }, (_, piece) => {
    const own = [...inputs.subarray(piece * width, (piece + 1) * width)];
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / width;
    const center = form === "layer" ? mean(own) : 0;
    const shift = form === "layer" ? unit * (additions + 4) * mean(own.map(Math.abs)) : 0;
    const energy = mean(own.map((x) => (x - center) ** 2)) + epsilon;
    return { center, shift, inverse: 1 / Math.sqrt(energy), relative: unit * (additions + 12) + shift ** 2 / energy };
  });
  return (index, expected) => {
    const piece = ofPieces[Math.floor(index / width)];
    if (!piece) return 0;
    const { center, shift, inverse, relative } = piece;
    const factor = Math.abs((weight[index % width] ?? 0) + offset) * inverse;
    const distance = (inputs[index] ?? 0) - center;
    const normal = factor * Math.abs(distance);
    if (rounding !== null) {
      const spread = roundedSpread(rounding, distance * inverse, relative * Math.abs(distance) * inverse);
      return (factor / inverse) * spread + 2 * unit * Math.abs(expected) + 2 ** -100;
    }
    return relative * normal + 2 * factor * shift + 2 * unit * (normal + Math.abs(expected)) + 2 ** -100;
  };
}
