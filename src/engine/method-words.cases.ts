import { type SampleRow, sampleMeasurement, windowsAround } from "./measure-result.cases.ts";
import type { MeasureResult, MethodGain } from "./measure-result.ts";
import type { MatrixReport, MethodReport, SmoothingGrid, StageReport } from "./methods/method-report.ts";

/** A matrix of 256 channels whose error went from `plain` to `method`. */
export function sampleMatrix(
  module: string,
  plain: number | null,
  method: number | null,
  change: Partial<MatrixReport> = {},
): MatrixReport {
  return {
    module,
    fallback: null,
    outputError: { plain, method, rows: 128 },
    hessian: { channels: 256, deadChannels: 0, tokens: 1024, condition: 4.72 },
    clipped: null,
    ...change,
  };
}

const layer = (at: number, name: string): string => `model.layers.${at}.${name}`;

/** GPTQ over two layers: one matrix worse, one without a finite error, one short of tokens, one left to plain rounding. */
export const SAMPLE_GPTQ: StageReport = {
  stage: "GPTQ",
  matrices: [
    sampleMatrix("lm_head", null, null, {
      ...{ fallback: "it is no linear layer of a decoder layer", outputError: null, hessian: null },
    }),
    sampleMatrix(layer(0, "self_attn.q_proj"), 0.004, 0.001),
    sampleMatrix(layer(0, "mlp.down_proj"), 0.002, 0.003, {
      hessian: { channels: 2048, deadChannels: 3, tokens: 1024, condition: 60 },
    }),
    sampleMatrix(layer(1, "self_attn.q_proj"), 0.008, 0.004),
    sampleMatrix(layer(1, "mlp.down_proj"), null, 0.01),
  ],
  smoothings: [],
  outputRatio: { value: 0.57, matrices: 3 },
  worse: [layer(0, "mlp.down_proj")],
  elapsedMs: 1889,
};

/** Three points: none, and two with duo scaling. */
export function sampleGrid(losses: readonly (number | null)[], best: number): SmoothingGrid {
  return {
    points: losses.map((loss, at) => ({ ratio: Math.max(0, at - 1) / 2, duoScaling: at > 0, loss })),
    best,
  };
}

/** AWQ over two layers: one search that finds something, one that does not, and two places that it leaves alone. */
export const SAMPLE_AWQ: StageReport = {
  stage: "AWQ",
  matrices: [],
  smoothings: [
    ...[0, 1].map((at) => ({
      name: layer(at, "self_attn.v_proj"),
      ...{ balance: [], factors: null, grid: null },
      refused: "v_proj makes 128 features, o_proj takes 256",
    })),
    {
      name: layer(0, "input_layernorm"),
      balance: [layer(0, "self_attn.q_proj"), layer(0, "self_attn.k_proj")],
      factors: { min: 1, max: 1 },
      refused: null,
      grid: sampleGrid([2e-5, 2.4e-5, 2.2e-5, 3e-5], 0),
    },
    {
      name: layer(1, "input_layernorm"),
      balance: [layer(1, "self_attn.q_proj"), layer(1, "self_attn.k_proj")],
      factors: { min: 0.5, max: 4 },
      refused: null,
      grid: sampleGrid([4e-5, 6e-5, 3e-5, null], 2),
    },
  ],
  outputRatio: null,
  worse: [],
  elapsedMs: 7350,
};

/** A report of such stages on four windows. */
export function sampleReport(stages: readonly StageReport[], method = "a method"): MethodReport {
  return { method, calibration: { name: "made: 4 windows", hash: "abc", windows: 4, tokens: 1024 }, stages };
}

function gain(change: Partial<MethodGain>): MethodGain {
  return {
    ...{ against: "W4A16", difference: 0.01, interval: { low: 0.008, high: 0.012 }, recovered: 0.3, verdict: "wins" },
    ...change,
  };
}

/** What a method buys, as tests say it. */
export const SAMPLE_GAINS = {
  wins: gain({}),
  loses: gain({ difference: -0.01, interval: { low: -0.012, high: -0.008 }, recovered: -0.3, verdict: "loses" }),
  open: gain({ difference: -0.001, interval: { low: -0.003, high: 0.001 }, recovered: -0.03, verdict: "open" }),
  alone: gain({ interval: null, verdict: "open" }),
} as const;

const METHODS: readonly SampleRow[] = [
  { scheme: "W4A16", bytes: 2.69e6, kld: windowsAround(0.033) },
  {
    scheme: "gptq | W4A16",
    bytes: 2.69e6,
    kld: windowsAround(0.02),
    change: { method: "gptq", methodRun: sampleReport([SAMPLE_GPTQ]), gain: SAMPLE_GAINS.wins },
  },
  {
    scheme: "awq | W4A16",
    bytes: 2.69e6,
    // Not window by window like the plain one: the interval of their difference holds 0.
    kld: [...windowsAround(0.0332, 16, 0.5)].reverse(),
    change: { method: "awq", methodRun: sampleReport([SAMPLE_AWQ]), gain: SAMPLE_GAINS.open },
  },
  { scheme: "W8A8", bytes: 4.26e6, kld: windowsAround(1e-3) },
];

/** Plain rounding, GPTQ and AWQ with one scheme, and another scheme alone. */
export function sampleMethods(rows: readonly SampleRow[] = METHODS): MeasureResult {
  return sampleMeasurement(rows);
}
