import { FLOAT_FORMATS, type FloatFormat, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { nOfM } from "./n_of_m.ts";

const ELEMENTS: readonly FloatName[] = ["bf16", "f16", "f32"];

/** From keeping all to keeping none; `m` even and odd, below and above the bits of half a mask. */
const STRUCTURES = [
  { n: 2, m: 4 },
  { n: 1, m: 4 },
  { n: 0, m: 4 },
  { n: 4, m: 4 },
  { n: 4, m: 8 },
  { n: 1, m: 2 },
  { n: 1, m: 1 },
  { n: 2, m: 3 },
  { n: 5, m: 31 },
  { n: 16, m: 32 },
  { n: 31, m: 32 },
] as const;

/** Groups at the edges of an invocation (16 groups) and of a workgroup (1024). */
const GROUPS = [1, 15, 17, 1024 + 33];

/** Zero, the smallest subnormals, the smallest normal, two usual ones, the largest, infinity, two NaN. */
function corners(format: FloatFormat): readonly number[] {
  const { infinity } = format;
  const normal = 2 ** (format.precision - 1);
  return [0, 1, 2, normal, format.toBits(0.03125), format.toBits(1), infinity - 1, infinity, format.nan, infinity + 1];
}

type Draw = (index: number, random: SeededRandom) => number;

/** Ways to fill a matrix, as bits. Corners alone make ties of every kind, of zeros and NaN too. */
function fillings(format: FloatFormat): Readonly<Record<string, Draw>> {
  const few = corners(format);
  const signBit = 2 ** (8 * format.sizeBytes - 1);
  const signed = (bits: number, random: SeededRandom) => bits + (random.nextUniform() < 0.5 ? signBit : 0);
  return {
    "heavy tails": (_, random) => format.toBits(random.nextNormal() * 0.02 * (random.nextUniform() < 0.01 ? 8 : 1)),
    constants: () => format.toBits(-0.0273),
    "signed zeros": (_, random) => signed(0, random),
    subnormals: (_, random) => signed(random.nextUint32() % 4, random),
    corners: (_, random) => signed(few[random.nextUint32() % few.length] ?? 0, random),
    "random bits": (_, random) => random.nextUint32() % (2 * signBit),
  };
}

/** One case. The half word after the last weight is not zero, and nobody may copy it. */
function nOfMCase(
  source: { readonly element: FloatName; readonly n: number; readonly m: number },
  elements: number,
  filling: string,
  draw: Draw,
): KernelCase {
  const { element, n, m } = source;
  const random = new SeededRandom(elements + n);
  const outputWords = elementWords(elements, element);
  const weights = new Uint32Array(outputWords).fill(0xbeefbeef);
  for (let index = 0; index < elements; index++) setElement(weights, index, draw(index, random), element);
  return kernelCase(nOfM, {
    name: `${n} of ${m} of ${elements} ${element} weights: ${filling}`,
    source,
    shape: { elements },
    inputs: [weights, new Uint32Array(outputWords).fill(0xdeadbeef)],
    outputWords,
  });
}

const FILLED_CASES = ELEMENTS.flatMap((element) =>
  STRUCTURES.flatMap((structure, at) =>
    Object.entries(fillings(FLOAT_FORMATS[element])).map(([filling, draw], other) => {
      const groups = GROUPS[(at + other) % GROUPS.length] ?? 1;
      return nOfMCase({ element, ...structure }, groups * structure.m, filling, draw);
    }),
  ),
);

/** Groups of four that hold every choice of four corners. */
const CHOICE_CASES = ELEMENTS.map((element) => {
  const few = corners(FLOAT_FORMATS[element]);
  const draw: Draw = (index) => few[Math.floor(Math.floor(index / 4) / few.length ** (index % 4)) % few.length] ?? 0;
  return nOfMCase({ element, n: 2, m: 4 }, few.length ** 4 * 4, "every choice of four corners", draw);
});

export const nOfMCases: readonly KernelCase[] = [...FILLED_CASES, ...CHOICE_CASES];
