import { computed, lookedUp, measured } from "../../base/quantity.ts";
import type { CompareResult, DecoderLayerResult, FitResult, LayerResult, SchemeResult } from "../../engine/result.ts";

/** A comparison of two layers and two kinds, small enough to be read. Tests start from it and change what they speak about. */
export function sampleResult(change: Partial<CompareResult> = {}): CompareResult {
  return {
    schemaVersion: 1,
    kind: "compare",
    outcome: "done",
    finished: true,
    model: {
      name: "tiny",
      parameters: computed(1000, "weights", "shapes"),
      fileBytes: computed(2_000_000, "bytes", "sizes"),
      tensorBytes: computed(1_999_000, "bytes", "tensors"),
      bitsPerWeight: computed(16.01, "bits per weight", "bytes · 8 / weights"),
      dtypes: [{ dtype: "BF16", weights: 1000 }],
      tensors: 6,
      shards: 1,
      modelType: "llama",
      kvCache: { layers: 2, kvHeads: 1, headDim: 8, elementBytes: 2 },
      maxPositions: 512,
      notices: [],
    },
    arithmetic: "eager",
    ignore: ["lm_head", "re:.*embed_tokens"],
    original: { fit: sampleFit() },
    schemes: [sampleScheme("W4A16", 19), sampleScheme("W8A8", 42)],
    kernels: [],
    throughput: [],
    elapsedMs: 1240,
    ...change,
  };
}

/** One row: four matrices that lie `step` decibels apart, from `db` downwards. */
export function sampleScheme(scheme: string, db: number, step = 0.1, change: Partial<SchemeResult> = {}): SchemeResult {
  const layers = ["q_proj", "down_proj"].flatMap((kind, row) =>
    [0, 1].map((layer) => sampleLayer(layer, kind, db - step * (2 * row + layer), { scheme })),
  );
  return {
    scheme,
    description: "int4, symmetric, groups of 128",
    roundsActivations: scheme.endsWith("A8"),
    pruning: null,
    method: "rtn",
    methodRun: null,
    arithmetic: "eager",
    fileBytes: computed(730_000, "bytes", "layout"),
    smaller: computed(2.74, "ratio", "original / these"),
    bitsPerWeight: computed(5.85, "bits per weight", "bytes · 8 / weights"),
    quantizedBitsPerWeight: computed(4.125, "bits per weight", "stored bits / weights"),
    relativeMse: measured(0.0124, "ratio", 640),
    sqnrDb: measured(db, "dB", 640),
    maxAbsError: measured(0.03, "weight units", 640),
    cosine: measured(0.994, "ratio", 640),
    clippedShare: measured(0.0025, "ratio", 640),
    usedLevels: measured(0.96, "ratio", 640),
    histogramDivergence: measured(0.18, "bits", 640),
    layers,
    decoderLayers: [0, 1].map((layer) => sampleDecoderLayer(layer, db - step * (layer + 1))),
    modules: layers.length,
    quantizedModules: layers.length,
    fit: sampleFit(),
    notices: [],
    ...change,
  };
}

/** The matrices of one decoder layer together. */
export function sampleDecoderLayer(layer: number | null, sqnrDb: number | null): DecoderLayerResult {
  const {
    mse,
    meanSquare,
    relativeMse,
    maxAbsError,
    cosine,
    clippedShare,
    usedLevels,
    histogramDivergence,
    notFinite,
  } = sampleLayer(layer, "q_proj", sqnrDb);
  return {
    layer,
    weights: 320,
    mse,
    relativeMse,
    sqnrDb,
    maxAbsError,
    cosine,
    clippedShare,
    usedLevels,
    histogramDivergence,
    meanSquare,
    notFinite,
  };
}

/** One matrix of `layer` with a signal over error of `sqnrDb`. */
export function sampleLayer(
  layer: number | null,
  moduleKind: string,
  sqnrDb: number | null,
  change: Partial<LayerResult> = {},
): LayerResult {
  return {
    module: layer === null ? moduleKind : `model.layers.${layer}.mlp.${moduleKind}`,
    layer,
    moduleKind,
    rows: 16,
    cols: 10,
    scheme: "W4A16",
    storedBytes: 90,
    mse: 1e-5,
    relativeMse: 0.012,
    sqnrDb,
    maxAbsError: 0.02,
    cosine: 0.99,
    clippedShare: 0.0025,
    usedLevels: 1,
    histogramDivergence: 0.18,
    histogramSamples: 160,
    corners: [],
    meanSquare: 1,
    notFinite: { weights: 0, reconstructions: 0 },
    ...change,
  };
}

/** A fit with 20 GB to spare. */
export function sampleFit(change: Partial<FitResult> = {}): FitResult {
  return {
    gpu: "L4 24 GB",
    weightBytes: computed(730_000, "bytes", "tensors"),
    kvCacheBytes: computed(1_000_000, "bytes", "2 · layers"),
    usableBytes: lookedUp(22e9, "bytes", "a table"),
    freeBytes: computed(20e9, "bytes", "usable − weights − KV cache"),
    fits: true,
    ...change,
  };
}
