import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { copy } from "./copy.ts";

export const copyCases: readonly KernelCase[] = [1, 7, 8, 513, 4099].map((vectors) => {
  const random = new SeededRandom(vectors);
  return kernelCase(copy, {
    name: `copies ${vectors} vectors`,
    source: {},
    shape: { vectors },
    inputs: [new Uint32Array(vectors * 4).map(() => random.nextUint32()), dirty(vectors * 4)],
    outputWords: vectors * 4,
  });
});
