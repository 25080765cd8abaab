import { describe, expect, test } from "vitest";
import { readProjectFile } from "../../../tests/support/project-files.ts";
import type { FloatName } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { wandaOracle } from "./wanda.oracle.ts";

/** What LLM Compressor wrote: `fixtures/golden/smoothing/README.md`. */
interface Golden {
  readonly rows: number;
  readonly cols: number;
  readonly cases: readonly {
    readonly element: FloatName;
    readonly weights: string;
    readonly importance: string;
    readonly wanda: { readonly share: string; readonly twoOfFour: string };
  }[];
}

const { rows, cols, cases }: Golden = JSON.parse(readProjectFile("fixtures/golden/smoothing/golden.json"));

/** Rows of zeros, of equal weights, and of some that f16 makes zero or equal: topk may take any of equals. */
const ROWS_OF_TIES = [1, 2, 4];

/** Little-endian words. */
function wordsOf(hex: string): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
}

/** Bits of each row. */
function rowsOf(words: Uint32Array, element: FloatName): readonly (readonly number[])[] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: cols }, (_, column) => elementAt(words, row * cols + column, element)),
  );
}

describe.each(cases)("Wanda of $element weights", ({ element, weights, importance, wanda: expected }) => {
  const run = (structure: Parameters<typeof wandaOracle>[0]["structure"]) => {
    const pruned = wordsOf(weights).fill(0xdeadbeef);
    const shape = { rows, cols, perRow: cols / 2 };
    wandaOracle({ element, structure }, shape, [wordsOf(weights), wordsOf(importance), pruned]);
    return rowsOf(pruned, element);
  };

  test("takes the half of each row that the tool takes, of equals the earlier", () => {
    expect(run({ kind: "share" })).toEqual(rowsOf(wordsOf(expected.share), element));
  });

  test("takes the 2 of 4 that the tool takes, but where scores are equal", () => {
    const found = run({ kind: "n-of-m", n: 2, m: 4 });
    const own = rowsOf(wordsOf(expected.twoOfFour), element);
    const isOpen = (_: unknown, row: number) => !ROWS_OF_TIES.includes(row);
    expect(found.filter(isOpen)).toEqual(own.filter(isOpen));
  });
});
