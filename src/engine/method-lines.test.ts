import { describe, expect, test } from "vitest";
import { methodLines, stageLine } from "./method-lines.ts";
import { SAMPLE_AWQ, SAMPLE_GPTQ, sampleReport } from "./method-words.cases.ts";

describe("the lines of a method", () => {
  test("say the text, and of each pass what it came to and took", () => {
    expect(methodLines(sampleReport([SAMPLE_AWQ, SAMPLE_GPTQ]))).toEqual([
      "calibrated on made: 4 windows, 1\u2009024 tokens",
      "AWQ: factors at 2 of 4 places; in 7.35 s",
      "GPTQ: outputs' error × 0.570 of that of plain rounding, 3 matrices; in 1.89 s",
    ]);
  });

  test("name what a pass is held against, and one matrix as one", () => {
    const stage = { ...SAMPLE_GPTQ, outputRatio: { value: 0.5, matrices: 1 } };
    expect(stageLine({ ...stage, stage: "SparseGPT" })).toContain("of that of pruning by magnitude, 1 matrix;");
    expect(stageLine({ ...stage, stage: "SparseGPT with GPTQ" })).toContain("pruning by magnitude and plain rounding");
    expect(stageLine({ ...stage, stage: "Wanda", outputRatio: null })).toBe("Wanda: in 1.89 s");
  });
});
