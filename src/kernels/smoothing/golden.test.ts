import { describe, expect, test } from "vitest";
import { readProjectFile } from "../../../tests/support/project-files.ts";
import type { FloatName } from "../../base/float-format.ts";
import { asFloats } from "../floats.ts";
import { relativeMagnitudes, relativeMagnitudesWords } from "./relative_magnitudes.ts";
import { scaleLines } from "./scale_lines.ts";

/** What LLM Compressor and torch wrote: `fixtures/golden/smoothing/README.md`. */
interface Golden {
  readonly rows: number;
  readonly cols: number;
  readonly cases: readonly {
    readonly element: FloatName;
    readonly weights: string;
    readonly means: readonly { readonly groupSize: number; readonly means: readonly number[] }[];
    readonly factors: string;
    readonly times: string;
    readonly over: string;
  }[];
}

const { rows, cols, cases }: Golden = JSON.parse(readProjectFile("fixtures/golden/smoothing/golden.json"));

/** Little-endian words. */
function wordsOf(hex: string): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
}

describe.each(cases)("of $element weights", ({ element, weights, means, factors, times, over }) => {
  test.each([
    { operation: "times", expected: times },
    { operation: "over", expected: over },
  ] as const)("columns $operation their factors are torch's", ({ operation, expected }) => {
    const found = wordsOf(expected).fill(0xdeadbeef);
    scaleLines.oracle({ element, axis: "columns", operation }, { rows, cols }, [
      wordsOf(weights),
      wordsOf(factors),
      found,
    ]);
    expect(found).toEqual(wordsOf(expected));
  });

  test.each(means)("relative magnitudes in groups of $groupSize are AWQ's", ({ groupSize, means: expected }) => {
    const shape = { rows, cols, groupSize };
    const sums = new Uint32Array(relativeMagnitudesWords(shape));
    relativeMagnitudes.oracle({ element }, shape, [wordsOf(weights), sums]);
    const blocks = asFloats(sums);
    for (const [column, mean] of expected.entries()) {
      const total = [...blocks].reduce((sum, value, at) => sum + (at % cols === column ? value : 0), 0);
      // The sum of each of the two blocks is stored as a float32.
      expect(Math.abs(total / rows - mean)).toBeLessThanOrEqual(2 ** -24 * mean);
    }
  });
});
