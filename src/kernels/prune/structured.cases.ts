import { SeededRandom } from "../../base/random.ts";
import { elementWords } from "../elements.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { doomedWords, structured } from "./structured.ts";

/** Around the edges of words of elements, words of bits, invocations (128 weights) and workgroups. */
const SHAPES = [
  { rows: 64, cols: 128 },
  { rows: 33, cols: 257 },
  { rows: 65, cols: 31 },
  { rows: 3, cols: 3 },
  { rows: 1, cols: 1 },
  { rows: 1, cols: 4099 },
  { rows: 4099, cols: 1 },
] as const;

/** Which rows or columns go: words of bits, from a random word. */
const CHOICES: Readonly<Record<string, (word: number) => number>> = {
  none: () => 0,
  all: () => 0xffffffff,
  some: (word) => word,
};

export const structuredCases: readonly KernelCase[] = (["bf16", "f16", "f32"] as const).flatMap((element) =>
  (["rows", "columns"] as const).flatMap((axis) =>
    SHAPES.flatMap(({ rows, cols }) =>
      Object.entries(CHOICES).map(([choice, bits]) => {
        const random = new SeededRandom(rows + cols);
        const outputWords = elementWords(rows * cols, element);
        // Copying knows no numbers: random bits hold NaN and -0 as well as any other.
        const weights = new Uint32Array(outputWords).map(() => random.nextUint32());
        const lines = axis === "rows" ? rows : cols;
        return kernelCase(structured, {
          name: `${choice} of the ${axis} of [${rows}, ${cols}] ${element} weights`,
          source: { element, axis },
          shape: { elements: rows * cols, cols },
          inputs: [
            weights,
            new Uint32Array(doomedWords(lines)).map(() => bits(random.nextUint32())),
            new Uint32Array(outputWords).fill(0xdeadbeef),
          ],
          outputWords,
        });
      }),
    ),
  ),
);
