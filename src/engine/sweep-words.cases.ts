import type { KernelReport } from "./result.ts";
import type {
  SalientChannels,
  SampleCurve,
  SamplePoint,
  StrengthLayer,
  StrengthPoint,
  StrengthSweep,
  SweepGround,
} from "./sweep-api.ts";

/** A kernel that ran where it was asked to. */
export const SAMPLE_KERNEL: KernelReport = {
  ...{ kernel: "matmul", device: "wasm", adapter: "2 threads", exactness: "tolerance" },
  ...{ fallback: null, choice: null, variant: "default", variantChoice: null },
};

/** What all samples of sweeps ran on. */
export function sampleGround(scheme: string): SweepGround {
  return {
    ...{ scheme, text: "scripture: 4 windows", windows: 4, positions: 508 },
    calibration: { name: "calibration: 64 windows", hash: "0123", windows: 64 },
    kernels: [SAMPLE_KERNEL],
    elapsedMs: 12_300,
  };
}

/** A strength whose divergence lies within a tenth of `kld`, whose errors are those of all its layers. */
export function sampleStrength(
  strength: number | null,
  kld: number | null,
  layers: readonly (readonly [weights: number, activations: number])[] = [
    [0.0001, 0.001],
    [0.0001, 0.001],
  ],
): StrengthPoint {
  const own = layers.map(
    ([weights, activations], layer): StrengthLayer => ({ layer, weights, activations, sum: weights + activations }),
  );
  const [first] = own;
  return {
    recipe: strength === null ? "W8A8" : `smoothquant${strength === 0.5 ? "" : `:strength=${strength}`} | W8A8`,
    ...{ strength, kld },
    interval: kld === null ? null : { low: kld * 0.9, high: kld * 1.1 },
    ...{ weights: first?.weights ?? null, activations: first?.activations ?? null },
    ...{ matrices: [], layers: own },
  };
}

/** A U whose bottom lies at 0.5, which 0.75 cannot be told from. Tests change what they speak about. */
export function sampleStrengths(change: Partial<StrengthSweep> = {}): StrengthSweep {
  return {
    kind: "strengths",
    plain: sampleStrength(null, 0.02),
    points: [
      sampleStrength(0, 0.018, [
        [0.0001, 0.0009],
        [0.0001, 0.001],
      ]),
      sampleStrength(0.5, 0.008, [
        [0.0002, 0.0003],
        [0.0002, 0.0008],
      ]),
      sampleStrength(0.75, 0.0084, [
        [0.0004, 0.0002],
        [0.0003, 0.0003],
      ]),
      sampleStrength(1, 0.05, [
        [0.01, 0.0001],
        [0.01, 0.0001],
      ]),
    ],
    best: { strength: 0.5, ties: [0.75], gain: 0.012, interval: { low: 0.01, high: 0.014 }, verdict: "wins" },
    layers: [
      { layer: 0, strength: 0.5 },
      { layer: 1, strength: 0.75 },
    ],
    perLayer: {
      recipe: "smoothquant:layers=1/0.75 | W8A8",
      kld: 0.0078,
      interval: { low: 0.007, high: 0.0086 },
    },
    ...sampleGround("W8A8"),
    ...change,
  };
}

/** So many samples, of the excess over the most that is given with its interval. */
export function samplePoint(
  samples: number,
  kld: number,
  excess: readonly [value: number, low: number, high: number] | null,
  change: Partial<SamplePoint> = {},
): SamplePoint {
  return {
    recipe: "gptq | W4A16",
    ...{ samples, tokens: samples * 256, kld, interval: { low: kld * 0.9, high: kld * 1.1 } },
    ...{ outputError: 0.005, layers: [0.004, 0.006], calibrationRatio: 0.4, methodMs: 1000 * samples },
    excess: excess && { value: excess[0], interval: { low: excess[1], high: excess[2] } },
    ...change,
  };
}

/** A curve that is flat from 8 samples on; with 2 the method learns them by heart. */
export function sampleCurveOf(change: Partial<SampleCurve> = {}): SampleCurve {
  return {
    kind: "samples",
    plain: {
      ...{ recipe: "W4A16", kld: 0.03, interval: { low: 0.027, high: 0.033 } },
      ...{ outputError: 0.01, layers: [0.008, 0.012] },
    },
    points: [
      samplePoint(2, 0.028, [0.01, 0.008, 0.012], { outputError: 0.012, calibrationRatio: 0.2 }),
      samplePoint(8, 0.0185, [0.0005, -0.001, 0.002]),
      samplePoint(16, 0.018, null),
    ],
    enough: 8,
    ...sampleGround("gptq | W4A16"),
    ...change,
  };
}

/** Channels of which the loud ones matter, the heavy ones a little, others not. */
export function sampleSalient(change: Partial<SalientChannels> = {}): SalientChannels {
  const row = (
    choice: SalientChannels["rows"][number]["choice"],
    kld: number,
    gain: readonly [value: number, low: number, high: number] | null,
  ): SalientChannels["rows"][number] => ({
    ...{ choice, kld, interval: { low: kld * 0.9, high: kld * 1.1 } },
    gain: gain && { value: gain[0], interval: { low: gain[1], high: gain[2] } },
  });
  return {
    kind: "salient",
    ...{ share: 0.01, seed: 0, recipe: "W3A16", matrices: 28, leftOut: 1 },
    channels: { kept: 92, all: 8192 },
    common: 0.125,
    rows: [
      row("none", 0.2, null),
      row("activations", 0.05, [0.15, 0.13, 0.17]),
      row("weights", 0.19, [0.01, 0.004, 0.016]),
      row("random", 0.199, [0.001, -0.004, 0.006]),
    ],
    ...sampleGround("W3A16"),
    ...change,
  };
}
