import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { ROUND_INPUTS } from "./activation-inputs.ts";
import { round } from "./round.ts";

/** Columns that are nobody's stay as they are, and so does what lies behind the register. */
export const roundCases: readonly KernelCase[] = ROUND_INPUTS.map(
  ({ name, source, shape, values, scales, factors }) => {
    const outputWords = values.length + 5;
    return kernelCase(round, {
      name,
      source,
      shape,
      inputs: [values, scales, factors, dirty(outputWords)],
      outputWords,
    });
  },
);
