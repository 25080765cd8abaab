import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { CORNER_MAGNITUDES } from "./activation-inputs.ts";
import { joinRows } from "./join_rows.ts";

/** Lengths of windows; the first row of all has another place than 0 where the first window is the rest of one. */
const WINDOWS = [
  { lengths: [1], first: 0 },
  { lengths: [5, 3], first: 0 },
  { lengths: [4, 1, 1, 7], first: 9 },
  { lengths: Array.from({ length: 90 }, () => 1), first: 0 },
  { lengths: [255, 1, 256, 257, 2], first: 0 },
  { lengths: [700], first: 0 },
];

export const joinRowsCases: readonly KernelCase[] = WINDOWS.map(({ lengths, first }, seed) => {
  const random = new SeededRandom(seed);
  const positions = lengths.flatMap((length, window) =>
    Array.from({ length }, (_, place) => place + (window === 0 ? first : 0)),
  );
  const rows = positions.length;
  const largest = new Uint32Array(2 * rows).map((_, at) =>
    at % 11 === 0 ? (CORNER_MAGNITUDES[(at / 11) % CORNER_MAGNITUDES.length] ?? 0) : random.nextUint32() % 0x7f800000,
  );
  return kernelCase(joinRows, {
    name: `${rows} rows in ${lengths.length} windows`,
    source: {},
    shape: { rows },
    inputs: [largest, Uint32Array.from(positions), dirty(2 * rows)],
    outputWords: 2 * rows,
  });
});
