import { describe, expect, test } from "vitest";
import { computed } from "../../base/quantity.ts";
import type { Ledger } from "../../engine/ledger.ts";
import type { ModelSummary, Notice } from "../../engine/result.ts";
import { architectureFacts, bigFacts, ledgerFacts, shardFacts, sideFacts, soundness } from "./model-facts-model.ts";

const MODEL: ModelSummary = {
  name: "quantlab-4m",
  parameters: computed(3_672_320, "weights", "shapes"),
  fileBytes: computed(7_348_736, "bytes", "files"),
  tensorBytes: computed(7_344_640, "bytes", "headers"),
  bitsPerWeight: computed((8 * 7_348_736) / 3_672_320, "bits per weight", "both"),
  dtypes: [{ dtype: "BF16", weights: 3_672_320 }],
  tensors: 38,
  shards: 1,
  modelType: "llama",
  kvCache: { layers: 4, kvHeads: 4, headDim: 32, elementBytes: 2 },
  maxPositions: 512,
  notices: [],
};

const LEDGER: Ledger = {
  shards: [
    { name: "model-00001-of-00002.safetensors", sizeBytes: 3_803_864, headerBytes: 1752, tensors: 16 },
    { name: "model-00002-of-00002.safetensors", sizeBytes: 3_544_896, headerBytes: 2368, tensors: 1 },
  ],
  tensors: [],
  tensorBytes: 0,
  roles: [],
  sideFiles: [
    { name: "tokenizer.json", sizeBytes: 123_686 },
    { name: "tokenizer_config.json", sizeBytes: 153 },
  ],
};

function warning(code: string, text: string): Notice {
  return { code, severity: "warning", text };
}

/** Facts as `name: value unit`. */
function lines(facts: readonly { name: string; value: string; unit: string }[]): readonly string[] {
  return facts.map(({ name, value, unit }) => `${name}: ${value} ${unit}`.trim());
}

describe("what a checkpoint is", () => {
  test("two large figures: parameters and file size", () => {
    expect(bigFacts(MODEL).map(({ value, words }) => `${value} ${words}`)).toEqual([
      "3.67 M parameters",
      "7.35 MB in one safetensors file",
    ]);
    const large = { ...MODEL, shards: 30, parameters: { ...MODEL.parameters, value: 8_030_261_248 } };
    expect(bigFacts(large).map(({ value, words }) => `${value} ${words}`)).toEqual([
      "8.03 B parameters",
      "7.35 MB in 30 safetensors files",
    ]);
    expect(bigFacts({ ...MODEL, parameters: { ...MODEL.parameters, value: 7 } })[0].value).toBe("7");
  });

  test("the ledger, with its headers where they are known", () => {
    expect(lines(ledgerFacts(MODEL, LEDGER))).toEqual([
      "Parameters: 3\u2009672\u2009320",
      "Bits per weight, whole file: 16.01",
      "Element type: BF16",
      "Tensors: 38",
      "Bytes of tensors: 7.34 MB",
      "Headers: 4.12 kB",
    ]);
    expect(lines(ledgerFacts(MODEL, null)).at(-1)).toBe("Bytes of tensors: 7.34 MB");
  });

  test("several element types have a line each, up to six", () => {
    const dtypes = Array.from({ length: 9 }, (_, at) => ({ dtype: `T${at}\u202e`, weights: 9000 - at }));
    const facts = ledgerFacts({ ...MODEL, dtypes }, null);
    expect(lines(facts)).toContain("T0\u202e: 9\u2009000 weights");
    expect(facts.filter(({ isUntrusted }) => isUntrusted)).toHaveLength(6);
    expect(lines(facts)).toContain("More element types: 3");
  });

  test("each file with its size and its tensors, and what lies beside them", () => {
    expect(shardFacts(LEDGER).map(({ size, more }) => `${size} ${more}`)).toEqual([
      "3.80 MB 16 tensors",
      "3.54 MB 1 tensor",
    ]);
    expect(sideFacts(LEDGER)?.words).toBe("2 files beside the weights, 124 kB");
    expect(sideFacts({ ...LEDGER, sideFiles: [] })).toBeNull();
  });
});

describe("the architecture", () => {
  test("is that of config.json", () => {
    const { facts, why } = architectureFacts(MODEL);
    expect(lines(facts)).toEqual([
      "Model type: llama",
      "Decoder layers: 4",
      "KV cache of a layer: 2 × 4 × 32 × 2 B a token",
      "Longest context: 512 tokens",
    ]);
    expect(why).toBe("");
  });

  test("says why it is not known", () => {
    const unknown = { ...MODEL, modelType: "mystery", kvCache: "The lab does not know mystery.", maxPositions: null };
    expect(lines(architectureFacts(unknown).facts)).toEqual([
      "Model type: mystery",
      "KV cache: not known",
      "Longest context: –",
    ]);
    expect(architectureFacts(unknown).why).toBe("The lab does not know mystery.");
    const error = {
      code: "config/bad-value",
      doing: "",
      found: "",
      allowed: "",
      advice: "",
      message: "m",
      fields: {},
    } as const;
    expect(architectureFacts({ ...unknown, configError: error }).why).toMatch(/see below/);
  });

  test("a long or hostile model type is cut and quoted", () => {
    const { facts } = architectureFacts({ ...MODEL, modelType: `\u202e${"y".repeat(300)}` });
    expect(facts[0]?.value).toBe(`\\u{202e}${"y".repeat(47)}…`);
  });
});

describe("whether it is sound", () => {
  test("yes where there is nothing to say, and of config only where it was read", () => {
    expect(soundness(MODEL)).toEqual({
      answer: "Yes.",
      checks: [{ tone: "good", title: "", texts: ["Nothing odd was found in headers and config."] }],
    });
    expect(soundness({ ...MODEL, modelType: null }).checks[0]?.texts).toEqual([
      "Nothing odd was found in the headers.",
    ]);
  });

  test("warnings stand first, with a name where the code has one", () => {
    const notices: readonly Notice[] = [
      { code: "model/tied", severity: "info", text: "The head is the embedding." },
      warning("model/quantized", "It is quantized."),
      warning("constructor", "Who knows."),
    ];
    const { answer, checks } = soundness({ ...MODEL, notices });
    expect(answer).toBe("2 warnings to read before you trust a number.");
    expect(checks.map(({ tone, title }) => `${tone} ${title}`)).toEqual([
      "warning Already quantized",
      "warning ",
      "info Tied embeddings",
    ]);
  });

  test("yes with things to know where nothing is a warning", () => {
    const tied: Notice = { code: "model/tied", severity: "info", text: "Tied." };
    expect(soundness({ ...MODEL, notices: [tied] }).answer).toBe("Yes, with one thing to know.");
    expect(soundness({ ...MODEL, notices: [tied, tied] }).answer).toBe("Yes, with 2 things to know.");
  });

  test("a thousand of a kind are one line that counts them", () => {
    const notices = Array.from({ length: 1000 }, (_, at) => warning("model/nested-weights", `sub/${at}`));
    const { answer, checks } = soundness({ ...MODEL, notices });
    expect(answer).toBe("1\u2009000 warnings to read before you trust a number.");
    expect(checks).toHaveLength(1);
    expect(checks[0]?.texts).toEqual(["sub/0", "sub/1", "sub/2", "sub/3", "996 more of this kind."]);
  });
});
