import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { computed, measured } from "../../base/quantity.ts";
import type { ExportResult, ThroughputResult } from "../../engine/result.ts";
import { sampleFit, sampleLayer, sampleResult, sampleScheme } from "./compare-result.cases.ts";
import { formatPatterns, parsePatterns } from "./compare-settings-model.ts";
import { exportNotes, exportSentence, exportVerb } from "./export-model.ts";
import { fitSentence, wholeNumber } from "./gpu-fit-model.ts";
import { headline } from "./headline-model.ts";
import { appliesWords, cornerSentence, factRows } from "./matrix-facts-model.ts";
import { histogramCaption } from "./matrix-sheet-model.ts";
import { deviceLine, runBar } from "./run-bar-model.ts";
import { worstLayer } from "./scheme-summary-model.ts";
import { isOneDevice, kernelRows, throughputCaption } from "./throughput-model.ts";

const ERROR = new LabError({
  code: "safetensors/header-too-long",
  doing: "reading the header",
  found: "it is too long",
  allowed: "100 MB",
  advice: "download it again",
}).toData();

describe("the headline", () => {
  const shown = sampleResult();
  const chosen = shown.schemes[0] ?? null;

  test("answers with the chosen scheme when all is measured", () => {
    const view = headline({ kind: "finished" }, shown, chosen);
    expect(view.sentence).toBe("W4A16 makes tiny 2.74 × smaller and keeps its weights 19.0 dB above the error.");
    expect(view.evidence).toContain("W8A8: 2.74 ×, 42.0 dB");
  });

  test("cuts a name of two hundred characters", () => {
    const long = sampleResult({ model: { ...shown.model, name: "x".repeat(200) } });
    expect(headline({ kind: "finished" }, long, chosen).sentence.length).toBeLessThan(140);
  });

  test("never claims a shrinking that is none", () => {
    const larger = sampleScheme("W4A16", 19, 0.1, { smaller: computed(0.98, "ratio", "") });
    expect(headline({ kind: "finished" }, shown, larger).sentence).toMatch(/^W4A16 does not make tiny smaller/);
  });

  test("says what failed, what was allowed, what to do and what stands", () => {
    const view = headline({ kind: "failed", error: ERROR, during: "opening" }, shown, chosen);
    expect(view.tone).toBe("failed");
    expect(view.sentence).toBe("Reading the header: it is too long.");
    expect(view.evidence).toBe("Allowed: 100 MB. Download it again. The comparison of tiny below stands.");
    expect(view.actions.map((action) => action.action)).toEqual(["copy-details", "dismiss"]);
  });

  test("a comparison that failed can be started again", () => {
    const view = headline({ kind: "failed", error: ERROR, during: "comparing" }, shown, chosen);
    expect(view.actions[0]?.action).toBe("compare");
  });

  test("tells a stale result apart by what was changed", () => {
    const schemes = ["W4A16", "W8A8"];
    const rules = { schemes, arithmetic: "triton", ignore: shown.ignore } as const;
    const sentence = headline({ kind: "stale", asked: rules, texts: null }, shown, chosen).sentence;
    expect(sentence).toBe("These numbers are for eager arithmetic; you have chosen triton.");
    const list = headline(
      { kind: "stale", asked: { ...rules, arithmetic: "eager", ignore: [] }, texts: null },
      shown,
      chosen,
    );
    expect(list.evidence).toContain("They left alone: lm_head, re:.*embed_tokens.");
  });

  test.each([
    [["W4A16", "W8A8", "W2A16"], "W2A16 is not measured yet."],
    [["W2A16", "W3A16"], "W2A16 and W3A16 are not measured yet."],
    [["W2A16", "W3A16", "W5A16", "W6A16", "W7A16"], "W2A16, W3A16, W5A16 and 2 more are not measured yet."],
    [["W4A16", "magnitude:2:4 | W4A16"], "magnitude:2:4 | W4A16 is not measured yet."],
    [["W2A16", "magnitude:2:4 | W4A16"], "2 recipes are not measured yet."],
    [["W4A16"], "You have taken out W8A8."],
  ])("of the chosen schemes %j it says what is not shown", (schemes, sentence) => {
    const asked = { schemes, arithmetic: shown.arithmetic, ignore: shown.ignore };
    const view = headline({ kind: "stale", asked, texts: null }, shown, chosen);
    expect(view.sentence).toBe(sentence);
    expect(view.actions.map((action) => action.action)).toEqual(["compare", "reset-rules"]);
  });

  test("pruning alone is no rounding, and does not make a file smaller", () => {
    const { quantizedBitsPerWeight: _, ...pruned } = sampleScheme("magnitude:2:4 | none", 8.5, 0.1, {
      description: "of every 4 neighbours the 2 smallest become zero, nothing is quantized",
      smaller: computed(1.0004, "ratio", ""),
    });
    const view = headline({ kind: "finished" }, sampleResult({ schemes: [pruned] }), pruned);
    expect(view.sentence).toBe(
      "magnitude:2:4 | none does not make tiny smaller and keeps its weights 8.50 dB above the error.",
    );
    expect(view.evidence).not.toContain("rounding");
  });

  test("an error larger than the weights is said as one", () => {
    const bad = sampleScheme("int2:tensor", -1.5);
    expect(headline({ kind: "finished" }, shown, bad).sentence).toMatch(
      /, and the error is 1\.50 dB above its weights\.$/,
    );
  });

  test("of eight schemes three stand beside the chosen one, the rest is counted", () => {
    const schemes = [2, 3, 4, 5, 6, 7, 8].map((bits) => sampleScheme(`W${bits}A16`, 6 * bits));
    const all = sampleResult({ schemes });
    const view = headline({ kind: "finished" }, all, schemes[2] ?? null);
    expect(view.evidence).toMatch(/W5A16: 2\.74 ×, 30\.0 dB · 3 more in the table$/);
    const stopped = headline({ kind: "cancelled" }, { ...all, outcome: "cancelled", finished: false }, null);
    expect(stopped.sentence).toBe("Stopped by you: 4 of 4 matrices under 7 schemes.");
    const mixed = [...schemes, sampleScheme("magnitude:0.5 | none", 9, 1, { modules: 9 })];
    const later = headline({ kind: "cancelled" }, { ...all, schemes: mixed, finished: false }, null);
    expect(later.sentence).toBe("Stopped by you: 7 of 8 schemes finished.");
  });

  test("says where a cancelled run stopped", () => {
    const view = headline({ kind: "cancelled" }, sampleResult({ outcome: "cancelled", finished: false }), chosen);
    expect(view.sentence).toBe("Stopped by you: W4A16 4 of 4 matrices, W8A8 4 of 4 matrices.");
  });
});

describe("the run bar", () => {
  const progress = {
    phase: "comparing",
    doneBytes: 50,
    totalBytes: 200,
    item: "a\u0000b",
    doneItems: 3,
    totalItems: 29,
    bytesPerSecond: 25,
    leftMs: 6000,
  };

  test("is determinate, and shows a foreign name with its escapes", () => {
    const bar = runBar({ kind: "running", what: "Comparing", progress }, null);
    expect(bar).toMatchObject({ strong: "Comparing", meter: { done: 50, total: 200 }, percent: "25 %" });
    expect(bar.parts).toEqual(["3 of 29", "50 B of 200 B", "25 B/s", "6 s left", "a\\u{0}b"]);
  });

  test("announces quarters only", () => {
    const at = (doneBytes: number): string =>
      runBar({ kind: "running", what: "", progress: { ...progress, doneBytes } }, null).announced;
    expect(at(51)).toBe(at(90));
    expect(at(99)).not.toBe(at(100));
  });

  test("a kernel that ran elsewhere is named, with the reason", () => {
    const device = { kind: "webgpu", adapter: "a GPU", exact: true, fallback: null, choice: null } as const;
    const kernel = {
      kernel: "quant/int_scale",
      adapter: "x",
      exactness: "bit-exact",
      fallback: "it failed",
      choice: null,
      variant: "default",
      variantChoice: null,
    } as const;
    const line = deviceLine(device, sampleResult({ kernels: [{ ...kernel, device: "reference" }] }));
    expect(line.text).toContain("quant/int_scale ran on CPU, x");
    expect(line.tip).toContain("it failed");
    expect(deviceLine(device, sampleResult({ kernels: [{ ...kernel, device: "webgpu" }] })).text).toContain(
      "bit-exact",
    );
  });

  test("counts matrices only where all schemes have as many", () => {
    const parts = (...schemes: ReturnType<typeof sampleScheme>[]): string | undefined =>
      runBar({ kind: "idle", end: "done" }, sampleResult({ schemes })).parts[0];
    const one = sampleScheme("W4A16", 19);
    expect(parts(one)).toBe("4 matrices under 1 scheme");
    expect(parts(one, { ...one, scheme: "W2A16" })).toBe("4 matrices under 2 schemes");
    expect(parts(one, { ...one, scheme: "W8A16@re:.*down_proj", modules: 2 })).toBe("2 schemes");
  });

  test("says where it computes and why there", () => {
    const device = { kind: "wasm", adapter: "2 threads", exact: true } as const;
    const chosen = deviceLine({ ...device, fallback: null, choice: "WebGPU took 9 ms, WebAssembly 2 ms" }, null);
    expect(chosen.text).toBe("CPU, 2 threads · bit-exact here: eager arithmetic");
    expect(chosen.tip).toContain("WebGPU took 9 ms, WebAssembly 2 ms.");
    expect(deviceLine({ ...device, fallback: "no adapter", choice: null }, null).tip).toContain("no adapter.");
  });
});

describe("throughput", () => {
  const row: ThroughputResult = {
    kernel: "quant/int_quantize",
    scheme: "W4A16",
    device: "webgpu",
    bytesPerSecond: measured(1.2e9, "bytes/s", 5, { min: 1e9, max: 1.3e9 }),
    elementsPerSecond: measured(4e8, "elements/s", 5),
    shareOfCopyRoof: measured(0.31, "ratio", 5),
  };
  const other: ThroughputResult = { ...row, kernel: "quant/int_dequantize" };

  test("the caption speaks of the quantizing kernel of the chosen scheme", () => {
    const caption = throughputCaption(sampleResult({ throughput: [other, row] }), "W4A16");
    expect(caption.strong).toBe("W4A16: int_quantize moves 1.20 GB/s, 31.0 % of what a plain copy reaches here.");
  });

  test("a kernel that ran elsewhere says why", () => {
    const kernels = [
      {
        kernel: row.kernel,
        device: "reference",
        adapter: "",
        exactness: "bit-exact",
        fallback: "self-test failed",
        choice: null,
        variant: "default",
        variantChoice: null,
      },
    ] as const;
    const rows = kernelRows(sampleResult({ throughput: [row], kernels }));
    expect(rows[0]?.exactness).toBe("bit for bit; moved there: self-test failed");
    expect(isOneDevice(rows)).toBe(true);
    const other = kernels.map((report) => ({ ...report, fallback: null, variant: "subgroup" }));
    const [shown] = kernelRows(sampleResult({ throughput: [row], kernels: other }));
    expect(shown?.exactness).toBe("bit for bit, in the form subgroup");
  });

  test("without timings it says so", () => {
    expect(throughputCaption(sampleResult(), "W4A16").strong).toBe("The kernels were not timed.");
  });
});

describe("the plan", () => {
  test("says what is left or missing", () => {
    expect(fitSentence("W4A16", sampleFit()).plain).toBe("20.0 GB stay free.");
    const missing = sampleFit({ fits: false, freeBytes: computed(-1.5e9, "bytes", "") });
    expect(fitSentence("W4A16", missing)).toEqual({
      strong: "W4A16 does not fit on one L4 24 GB.",
      plain: "It lacks 1.50 GB.",
    });
  });

  test("does not promise a fit without a KV cache", () => {
    const { kvCacheBytes: _cache, freeBytes: _free, ...unknown } = sampleFit({ fits: null });
    expect(fitSentence("W4A16", unknown).strong).toBe("The weights of W4A16 fit on one L4 24 GB.");
  });

  test.each([
    ["4096", 4096],
    ["4 096", 4096],
    ["4\u2009096", 4096],
    ["0", null],
    ["-1", null],
    ["1e9", null],
    ["", null],
    ["10000001", null],
  ])("reads %j as %j tokens", (text, value) => {
    expect(wholeNumber(text, 10_000_000)).toBe(value);
  });
});

describe("small sentences", () => {
  test("the worst finite matrix is named", () => {
    const layers = [sampleLayer(0, "q_proj", null), sampleLayer(1, "q_proj", 12), sampleLayer(2, "q_proj", 13)];
    expect(worstLayer({ ...sampleScheme("W4A16", 19), layers })).toEqual({
      name: "q_proj, layer 1",
      figure: "12.0 dB",
    });
  });

  test("the sheet of a matrix tells values that are not finite", () => {
    const bad = sampleLayer(0, "q_proj", null, { mse: null, notFinite: { weights: 3, reconstructions: 4 } });
    expect(factRows(bad).at(-1)?.text).toBe("3 · 4");
    expect(factRows(bad)[0]?.text).toBe("–");
  });

  test("a histogram says how many levels are taken, and that a zero point moves the weights", () => {
    const result = { module: "m", scheme: "W4A16", weights: [1], binsPerLevel: 1, firstLevel: -1, codes: [1, 0, 2] };
    expect(histogramCaption(result, "W4A16").strong).toBe("2 of 3 levels are taken.");
    expect(histogramCaption(result, "W4A16").plain).not.toContain("zero point");
    expect(histogramCaption(result, "int3:tensor:asym").plain).toContain("moved by their zero point");
  });

  test("a matrix that is only pruned has no levels, and says why", () => {
    const pruned = sampleLayer(0, "q_proj", 9, { scheme: null, clippedShare: null, usedLevels: null });
    const names = factRows(pruned).map((row) => row.name);
    expect(names).not.toContain("Levels used");
    expect(names).toContain("Weight-histogram divergence");
  });

  test("the divergence says its full name, its sample count and what it does not say", () => {
    const row = factRows(sampleLayer(0, "q_proj", 19)).find((each) => each.name === "Weight-histogram divergence");
    expect(row?.text).toBe("0.180 bits");
    expect(row?.words).toMatch(/over 160 weights: Jensen–Shannon divergence .* nothing of what the model says\.$/);
  });

  test.each([
    ["W4A16", "W4A16", ""],
    ["W8A16@re:.*down_proj; W4A16", "W8A16", "W8A16 applies here"],
    ["magnitude:2:4 | W4A16", "W4A16", "pruned first, then W4A16"],
    ["magnitude:0.5 | none", null, "only pruned here, not quantized"],
  ])("of %j, where %j applies, the sheet says %j", (recipe, scheme, words) => {
    expect(appliesWords(sampleLayer(0, "q_proj", 19, { scheme }), recipe)).toBe(words);
  });

  test("corners of a matrix are said in words", () => {
    const corners = [
      { corner: "allZero", groups: 3 },
      { corner: "scaleInfinite", groups: 1 },
    ] as const;
    expect(cornerSentence(sampleLayer(0, "q_proj", 19, { corners }))).toBe(
      "3 groups all zero; 1 group's range overflows: its scale is infinite.",
    );
    expect(cornerSentence(sampleLayer(0, "q_proj", 19))).toBe("");
  });

  test("an export is compared with the table to the byte", () => {
    const result: ExportResult = {
      schemaVersion: 1,
      kind: "quantize",
      outcome: "done",
      scheme: "W4A16",
      arithmetic: "eager",
      format: "pack-quantized",
      ignore: [],
      fileBytes: computed(100, "bytes", "sizes"),
      files: [],
      method: "rtn",
      methodRun: null,
      quantizedModules: 2,
      untouchedTensors: 3,
      corners: ["a", "b", "c", "d", "e", "f\u202E"].map((module) => ({
        module,
        corners: [{ corner: "allZero", groups: 2 }],
      })),
      notices: [{ code: "export/tied-head", severity: "warning", text: "Mind the head." }],
      kernels: [],
      elapsedMs: 1,
    };
    const archive = { result, url: "blob:x", fileName: "x.tar" };
    expect(exportNotes(result)).toEqual([
      "Mind the head.",
      "a: 2 groups all zero.",
      "b: 2 groups all zero.",
      "c: 2 groups all zero.",
      "d: 2 groups all zero.",
      "2 more matrices have such groups; the map marks them.",
    ]);
    expect(exportSentence(archive, 100, "W4A16").plain).toMatch(/^To the byte/);
    expect(exportSentence(archive, 101, "W4A16").plain).toMatch(/please report this difference/);
    const sparse = { ...archive, result: { ...result, scheme: "magnitude:2:4 | none" } };
    expect(exportSentence(sparse, 100, "magnitude:2:4 | none").plain).toContain("2 matrices pruned, 3 tensors");
    expect(exportVerb("W4A16")).toBe("Export W4A16");
    expect(exportVerb("W8A16@re:.*down_proj; W4A16")).toBe("Export this recipe");
  });

  test("patterns survive being shown and read again", () => {
    const patterns = ["lm_head", "re:.*embed_tokens", "re:a{1,2}b"];
    expect(parsePatterns(formatPatterns(patterns))).toEqual(patterns);
    expect(parsePatterns(" lm_head,\n re:x , ")).toEqual(["lm_head", "re:x"]);
    expect(parsePatterns("")).toEqual([]);
  });
});
