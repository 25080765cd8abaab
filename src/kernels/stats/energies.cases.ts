import { FLOAT_FORMATS, type FloatFormat, type FloatName, float32Of } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { energies } from "./energies.ts";

/** Bits of weight `index` of `length`. */
type Draw = (index: number, random: SeededRandom, format: FloatFormat) => number;

const negated = (bits: number, { sizeBytes }: FloatFormat) => bits + 2 ** (8 * sizeBytes - 1);
const usual = (random: SeededRandom, { toBits }: FloatFormat) => toBits(random.nextNormal() * 0.02);

/** One filling per row, or per column. */
const FILLINGS: readonly Draw[] = [
  (_, random, { toBits }) => toBits(random.nextNormal() * 0.02 * (random.nextUniform() < 0.01 ? 8 : 1)),
  () => 0,
  (index, _, format) => (index % 2 === 0 ? 0 : negated(0, format)),
  (_, _random, { toBits }) => toBits(-0.0273),
  // Subnormals of the format, and of all formats the smallest.
  (index, _, format) => (index % 3 === 0 ? negated(index % 5, format) : index % 7),
  (index, _, { precision }) => (index === 0 ? 2 ** (precision - 1) : 1),
  (index, random, format) => (index === 1 ? format.infinity - 1 : usual(random, format)),
  (_, _random, format) => negated(format.infinity - 1, format),
  (index, random, format) => (index === 2 ? format.infinity : usual(random, format)),
  (index, random, format) => (index === 2 ? negated(format.infinity, format) : usual(random, format)),
  (index, random, format) => (index === 0 ? format.nan : usual(random, format)),
  (index, random, format) => (index === 0 ? format.infinity + 1 : usual(random, format)),
  // Any finite number.
  (_, random, { infinity }) => random.nextUint32() % infinity,
];

/** Rows and columns at the edges of blocks (64 weights), words and workgroups. */
const SHAPES = [
  { rows: FILLINGS.length * 5 + 1, cols: 128 },
  { rows: FILLINGS.length, cols: 65 },
  { rows: FILLINGS.length, cols: 5001 },
  { rows: 65, cols: FILLINGS.length },
  { rows: 1, cols: 1 },
] as const;

/** The unit itself; units in which the smallest subnormals, usual weights and the largest are about one; and beyond. */
const EXPONENTS = [0, -149, -133, -24, -6, 15, 127, 300, -300];

/** Weights of one sum follow one filling. */
function fill(
  element: FloatName,
  { rows, cols }: { readonly rows: number; readonly cols: number },
  axis: "rows" | "columns",
): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(rows * cols);
  const words = new Uint32Array(elementWords(rows * cols, element)).fill(0x7f7f7f7f);
  for (let index = 0; index < rows * cols; index++) {
    const [row, column] = [Math.floor(index / cols), index % cols];
    const [line, place] = axis === "rows" ? [row, column] : [column, row];
    const draw = FILLINGS[line % FILLINGS.length] as Draw;
    setElement(words, index, draw(place, random, FLOAT_FORMATS[element]), element);
  }
  return words;
}

export const energiesCases: readonly KernelCase[] = (["bf16", "f16", "f32"] as const).flatMap((element) =>
  (["rows", "columns"] as const).flatMap((axis) =>
    SHAPES.flatMap((size, place) => {
      const weights = fill(element, size, axis);
      const { rows, cols } = size;
      const [outputs, length] = axis === "rows" ? [rows, cols] : [cols, rows];
      const strides = axis === "rows" ? { outputStride: cols, innerStride: 1 } : { outputStride: 1, innerStride: cols };
      return EXPONENTS.slice(0, place === 0 ? EXPONENTS.length : 3).map((exponent) =>
        kernelCase(energies, {
          name: `energies of the ${axis} of [${rows}, ${cols}] ${element} weights in units of 2^${exponent}`,
          source: { element },
          shape: { outputs, length, ...strides, exponent },
          inputs: [weights, new Uint32Array(outputs).fill(0xdeadbeef)],
          outputWords: outputs,
          compare: (actual, expected) => compareSums(actual, expected, length),
        }),
      );
    }),
  ),
);

/**
 * A WGSL addition may round either way, so it loses at most 2⁻²³ of a sum of positive numbers; a square as much. A weight
 * goes through the additions of its block of 64 and then through one per block. What is too small to be squared, below
 * 2⁻⁶³, is missed. Infinity is the same bits or wrong.
 */
function compareSums(actual: Uint32Array, expected: Uint32Array, length: number): string | null {
  const relative = (64 + Math.ceil(length / 64) + 1) * 2 ** -23;
  for (let at = 0; at < expected.length; at++) {
    const [found, wanted] = [float32Of(actual[at] ?? 0), float32Of(expected[at] ?? 0)];
    const isNear = Math.abs(found - wanted) <= relative * wanted + length * 2 ** -126;
    if (Number.isFinite(wanted) ? !isNear : found !== wanted) return `sum ${at}: ${found}, expected ${wanted}`;
  }
  return null;
}
