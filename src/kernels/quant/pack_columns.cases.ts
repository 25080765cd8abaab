import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { setByte } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { packColumns } from "./pack_columns.ts";

const SIZES = [
  { rows: 32, cols: 4 },
  { rows: 9, cols: 1 },
  { rows: 100, cols: 7 },
  { rows: 64, cols: 130 },
  { rows: 1, cols: 3 },
];

export const packColumnsCases: readonly KernelCase[] = [2, 3, 4, 5, 6, 7, 8].flatMap((bits) =>
  SIZES.map(({ rows, cols }) => {
    const random = new SeededRandom(bits * rows);
    const values = new Uint32Array(Math.ceil((rows * cols) / 4));
    for (let i = 0; i < rows * cols; i++)
      setByte(values, i, Math.floor(random.nextUniform() * 2 ** bits) - 2 ** (bits - 1));
    const outputWords = Math.ceil((rows * bits) / 32) * cols;
    return kernelCase(packColumns, {
      name: `${rows} × ${cols} of int${bits}`,
      source: { bits },
      shape: { rows, cols },
      inputs: [values, dirty(outputWords)],
      outputWords,
    });
  }),
);
