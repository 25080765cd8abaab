import { describe, expect, test } from "vitest";
import { SAMPLE_AWQ, SAMPLE_GPTQ, sampleMatrix, sampleReport } from "../../engine/method-words.cases.ts";
import {
  calibrationWords,
  errorBasis,
  fallbacksOf,
  matrixFactsOf,
  methodErrorsOf,
  methodFactorsOf,
  methodGridOf,
  otherWords,
  refusedOf,
  shownMapping,
} from "./method-sheet-model.ts";

const WORSE = "model.layers.0.mlp.down_proj";

describe("the errors of a stage", () => {
  test("stand layer by layer under the beginnings of their names, those without one last", () => {
    const data = methodErrorsOf(SAMPLE_GPTQ, WORSE);
    expect(data?.columns.map(({ layer, letters, isWorse }) => [layer, letters, isWorse])).toEqual([
      [0, "q", false],
      [0, "do", true],
      [1, "q", false],
      [1, "do", false],
      [null, "lm", false],
    ]);
    expect(data?.chosen).toBe(WORSE);
    expect(data?.columns[0]?.ratio).toBe(0.25);
    expect(methodErrorsOf(SAMPLE_AWQ, null)).toBeNull();
  });

  test("say what they stand on", () => {
    expect(errorBasis(SAMPLE_GPTQ, sampleReport([]))).toMatch(
      /^Measured here on 128 rows of each matrix, over 1\u2009024 tokens/,
    );
    expect(calibrationWords(sampleReport([]))).toBe("made: 4 windows; 1\u2009024 tokens");
  });

  test("of the open matrix are facts, with what its Hessian is worth; a fallback is named", () => {
    const facts = new Map(matrixFactsOf(SAMPLE_GPTQ, WORSE).map(({ name, value }) => [name, value]));
    expect(facts.get("output error, plain rounding")).toBe("0.200 %");
    expect(facts.get("of it is left")).toBe("150 %");
    expect(facts.get("its Hessian")).toContain("rank deficient");
    expect(facts.get("dead channels")).toBe("3");
    expect(matrixFactsOf(SAMPLE_GPTQ, "lm_head")).toEqual([
      { name: "fallback", value: "it is no linear layer of a decoder layer" },
    ]);
    expect([matrixFactsOf(SAMPLE_GPTQ, null), matrixFactsOf(SAMPLE_GPTQ, "gone")]).toEqual([[], []]);
  });
});

describe("the search that is shown", () => {
  const name = (picked: string | null, module: string | null) => shownMapping(SAMPLE_AWQ, picked, module)?.name;

  test("is the picked one, else the one of the open matrix, else the one that found most", () => {
    expect(name("model.layers.0.input_layernorm", "model.layers.1.self_attn.q_proj")).toBe(
      "model.layers.0.input_layernorm",
    );
    expect(name(null, "model.layers.0.self_attn.k_proj")).toBe("model.layers.0.input_layernorm");
    expect(name(null, "model.layers.0.mlp.up_proj")).toBe("model.layers.1.input_layernorm");
    expect(name("gone", null)).toBe("model.layers.1.input_layernorm");
    expect(shownMapping(SAMPLE_GPTQ, null, null)).toBeNull();
  });

  test("has its losses beside the one without factors", () => {
    const shown = shownMapping(SAMPLE_AWQ, null, null);
    const grid = shown && methodGridOf(shown);
    expect(grid?.points.map(({ relative }) => relative)).toEqual([1, 1.5, 0.75, null]);
    expect(grid?.caption.plain).toBe("model.layers.1.input_layernorm; 4 points tried.");
  });
});

test("factors say how far they reach, and what was left alone by reason", () => {
  const data = methodFactorsOf(SAMPLE_AWQ, null);
  expect(data?.columns.map(({ letters, search }) => [letters, search?.left ?? null])).toEqual([
    ["in", 1],
    ["in", 0.75],
    ["v", null],
    ["v", null],
  ]);
  expect(data?.caption).toEqual({
    strong: "AWQ scales 2 places by 0.500 to 4.00.",
    plain: "The largest factor is in model.layers.1.input_layernorm. 2 left alone.",
  });
  expect(refusedOf(SAMPLE_AWQ)).toEqual([
    {
      reason: "v_proj makes 128 features, o_proj takes 256",
      names: "model.layers.0.self_attn.v_proj and model.layers.1.self_attn.v_proj",
    },
  ]);
  const refused = SAMPLE_AWQ.smoothings.filter(({ factors }) => factors === null);
  expect(methodFactorsOf({ ...SAMPLE_AWQ, smoothings: refused }, null)?.caption).toEqual({
    strong: "AWQ changed nothing.",
    plain: "2 left alone.",
  });
  expect(methodFactorsOf(SAMPLE_GPTQ, null)).toBeNull();
});

test("what no picture shows is said: fallbacks, clipping, changes without an estimate", () => {
  expect(fallbacksOf(SAMPLE_GPTQ)).toEqual([{ reason: "it is no linear layer of a decoder layer", names: "lm_head" }]);
  expect([otherWords(SAMPLE_GPTQ), otherWords(SAMPLE_AWQ)]).toEqual(["", ""]);
  const bare = { outputError: null, hessian: null };
  const wanda = { ...SAMPLE_GPTQ, stage: "Wanda", matrices: [sampleMatrix("a", null, null, bare)] };
  expect(otherWords(wanda)).toBe("Wanda went over one matrix; it estimates no error of their outputs.");
  const clipped = sampleMatrix("a", null, null, { ...bare, clipped: { groups: 3, of: 16 } });
  expect(otherWords({ ...SAMPLE_AWQ, matrices: [clipped] })).toBe("Clipping narrowed 3 of 16 groups in one matrix.");
  expect(matrixFactsOf({ ...SAMPLE_AWQ, matrices: [clipped] }, "a")).toEqual([
    { name: "groups clipped", value: "3 of 16" },
  ]);
});
