import { dirty, fillWeights, SHAPES } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { intScale } from "./int_scale.ts";

/** Every bf16 there is, each a group of its own: all scales that can be. */
const EVERY_VALUE = new Uint32Array(2 ** 15).map((_, index) => (2 * index + 1) * 65536 + 2 * index);

export const intScaleCases: readonly KernelCase[] = ([4, 8] as const).flatMap((bits) => [
  kernelCase(intScale, {
    name: `int${bits} scales of every bf16 value`,
    source: { bits },
    shape: { groups: 2 ** 16, groupSize: 1 },
    inputs: [EVERY_VALUE, dirty(2 ** 15)],
    outputWords: 2 ** 15,
  }),
  ...SHAPES.map((shape, seed) =>
    kernelCase(intScale, {
      name: `int${bits} scales of ${shape.groups} groups of ${shape.groupSize}`,
      source: { bits },
      shape,
      inputs: [fillWeights(shape, seed), dirty(Math.ceil(shape.groups / 2))],
      outputWords: Math.ceil(shape.groups / 2),
    }),
  ),
]);
