import { FLOAT_FORMATS, type FloatName, float32Bits } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords } from "../elements.ts";
import { dirty, ELEMENTS } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { intQparams } from "./int_qparams.ts";

const WIDTHS = [2, 3, 4, 5, 6, 7, 8];

/** The largest magnitude of every bf16 or f16, alone and beside a fixed one: all scales that can be, and their zero points. */
function everyMagnitude(element: "bf16" | "f16"): Uint32Array<ArrayBuffer> {
  const { fromBits } = FLOAT_FORMATS[element];
  const values = Array.from({ length: 2 ** 15 }, (_, bits) => float32Bits(fromBits(bits)));
  const fixed = float32Bits(0.8125);
  return new Uint32Array(values.flatMap((bits) => [bits, 0, 0, bits, bits, fixed, fixed, bits]));
}

/** Pairs of extremes: unrelated, near each other, and with either far smaller than the other. */
function randomExtremes(element: FloatName, groups: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(groups + element.length);
  const { round } = FLOAT_FORMATS[element];
  const words = new Uint32Array(2 * groups);
  for (let group = 0; group < groups; group++) {
    const spread = element === "f16" ? 12 : 100;
    const size = 2 ** Math.floor((random.nextUniform() - 0.5) * (group % 3 === 0 ? 2 * spread : 6));
    const ratio =
      [1, random.nextUniform(), 2 ** (-12 * random.nextUniform()), 1 + 2 ** -7 * random.nextUniform()][group % 4] ?? 1;
    const [a, b] = [round(size * (1 + random.nextUniform())), round(size * ratio * (1 + random.nextUniform()))];
    const isSwapped = random.nextUniform() < 0.5;
    words[2 * group] = float32Bits(isSwapped ? a : b);
    words[2 * group + 1] = float32Bits(isSwapped ? b : a);
  }
  return words;
}

/** Corners of float32, beside each other in all pairs. */
const FLOAT32_CORNERS = [
  0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0xffffff, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x7f7fffff,
].concat([0x7f800000, 0x7fc00000, 0x33800000, 0x34000000, 0x40f00000, 0x42ff0000]);

const PAIRS = new Uint32Array(FLOAT32_CORNERS.flatMap((a) => FLOAT32_CORNERS.flatMap((b) => [a, b])));

function inputsOf(
  element: FloatName,
): readonly { readonly name: string; readonly extremes: Uint32Array<ArrayBuffer> }[] {
  const random = { name: "random extremes", extremes: randomExtremes(element, 20_001) };
  if (element === "f32") return [random, { name: "corners in pairs", extremes: PAIRS }];
  return [random, { name: "every magnitude", extremes: everyMagnitude(element) }];
}

export const intQparamsCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  WIDTHS.flatMap((bits) =>
    [true, false].flatMap((symmetric) =>
      inputsOf(element).map(({ name, extremes }, index) => {
        const groups = extremes.length / 2;
        // A place after that of others, and before more.
        const first = 8 * index;
        return kernelCase(intQparams, {
          name: `${element} int${bits} ${symmetric ? "symmetric" : "asymmetric"}, ${name}`,
          source: { element, bits, symmetric },
          shape: { groups, first, slot: index },
          inputs: [
            extremes,
            dirty(elementWords(first + groups + 4, element)),
            dirty((first + groups) / 4 + 2),
            new Uint32Array(10),
          ],
          outputWords: 10,
        });
      }),
    ),
  ),
);
