import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { CORNER_MAGNITUDES } from "./activation-inputs.ts";
import { servedScales } from "./served_scales.ts";

/** Pairs of corners, around which the least scale of a token and head begins (127 · 10⁻⁶) and 127 / a ends, and random bits. */
function pairs(): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(3);
  const corners = CORNER_MAGNITUDES.flatMap((a) => CORNER_MAGNITUDES.flatMap((b) => [a, b]));
  const near = [0x3905_2ba3, 0x02fe_0000, 0x42fe_0000].flatMap((bits) =>
    Array.from({ length: 80 }, (_, step) => [bits + step - 40, 0]).flat(),
  );
  return Uint32Array.from([
    ...corners,
    ...near,
    ...Array.from({ length: 20_000 }, () => random.nextUint32() % 0x7f800000),
    ...Array.from({ length: 20_000 }, () => 0x3f000000 + (random.nextUint32() % 0x2000000)),
  ]);
}

export const servedScalesCases: readonly KernelCase[] = (["int8-token", "int8-token-head"] as const).flatMap((rule) =>
  [pairs(), pairs().slice(-2)].map((extremes) => {
    const pieces = extremes.length / 2;
    return kernelCase(servedScales, {
      name: `${rule} of ${pieces} pieces`,
      source: { rule },
      shape: { pieces },
      inputs: [extremes, dirty(pieces), dirty(pieces)],
      outputWords: pieces,
    });
  }),
);
