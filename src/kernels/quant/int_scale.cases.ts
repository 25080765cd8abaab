import { type KernelCase, kernelCase } from "../test-case.ts";
import { intScale } from "./int_scale.ts";
import { dirty, fillWeights, SHAPES } from "./int-inputs.ts";

export const intScaleCases: readonly KernelCase[] = ([4, 8] as const).flatMap((bits) =>
  SHAPES.map((shape, seed) =>
    kernelCase(intScale, {
      name: `int${bits} scales of ${shape.groups} groups of ${shape.groupSize}`,
      source: { bits },
      shape,
      inputs: [fillWeights(shape, seed), dirty(Math.ceil(shape.groups / 2))],
      outputWords: Math.ceil(shape.groups / 2),
    }),
  ),
);
