import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { registerOf, SPANS } from "./activation-inputs.ts";
import { extremes } from "./extremes.ts";

export const activationExtremesCases: readonly KernelCase[] = SPANS.map((shape, seed) => {
  const outputWords = 2 * shape.rows * shape.count;
  return kernelCase(extremes, {
    name: `${shape.rows} rows of ${shape.width}, ${shape.count} pieces of ${shape.dim} from ${shape.start} on`,
    source: {},
    shape,
    inputs: [registerOf(shape, seed), dirty(outputWords)],
    outputWords,
  });
});
