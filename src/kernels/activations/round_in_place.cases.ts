import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { ROUND_INPUTS } from "./activation-inputs.ts";
import { roundInPlace } from "./round_in_place.ts";

/** Columns that are nobody's stay as they are, and so does what lies behind the register. */
export const roundInPlaceCases: readonly KernelCase[] = ROUND_INPUTS.map(
  ({ name, source, shape, values, scales, factors }) => {
    const outputWords = values.length + 5;
    const register = dirty(outputWords);
    register.set(values);
    return kernelCase(roundInPlace, { name, source, shape, inputs: [scales, factors, register], outputWords });
  },
);
