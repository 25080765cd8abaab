import { computed } from "../base/quantity.ts";
import { BlockBootstrap } from "../metrics/block-bootstrap.ts";
import { judgeVariants } from "../metrics/verdict.ts";
import type { Divergence, MeasureResult, MeasureRow } from "./measure-result.ts";
import { WHOLE_PRESET } from "./roundings.ts";

const POSITIONS = 127;

/** One row as tests say it: its size, and its KL divergence window by window. */
export interface SampleRow {
  readonly scheme: string;
  readonly bytes: number;
  /** Mean of each window, nats. */
  readonly kld: readonly number[];
  readonly change?: Partial<MeasureRow>;
}

/** Windows whose mean is `kld`, one as far above it as the next lies below, by up to `spread` of it. */
export function windowsAround(kld: number, windows = 16, spread = 0.1): readonly number[] {
  return Array.from({ length: windows }, (_, index) => {
    const isAlone = index % 2 === 0 && index === windows - 1;
    const reach = isAlone ? 0 : (spread * ((Math.floor(index / 2) % 4) + 1)) / 4;
    return kld * (1 + (index % 2 === 0 ? reach : -reach));
  });
}

const THREE: readonly SampleRow[] = [
  { scheme: "W3A16", bytes: 2.29e6, kld: windowsAround(0.15) },
  { scheme: "W4A16", bytes: 2.69e6, kld: windowsAround(0.033) },
  { scheme: "W8A16", bytes: 4.26e6, kld: windowsAround(1.4e-4) },
];

/** A measurement whose intervals and verdict are what the metrics make of the rows. Tests change what they speak about. */
export function sampleMeasurement(
  rows: readonly SampleRow[] = THREE,
  change: Partial<MeasureResult> = {},
  floor: readonly number[] = windowsAround(1e-4, rows[0]?.kld.length),
): MeasureResult {
  const doneWindows = rows[0]?.kld.length ?? 0;
  const verdict = judgeVariants(
    rows.map(({ kld }) => bootstrapOf(kld)),
    bootstrapOf(floor),
  );
  return {
    schemaVersion: 1,
    kind: "measure",
    outcome: "done",
    finished: true,
    model: {
      name: "tiny",
      parameters: computed(1e6, "weights", ""),
      fileBytes: computed(7.35e6, "bytes", ""),
      tensorBytes: computed(7.34e6, "bytes", ""),
      bitsPerWeight: computed(16, "bits per weight", ""),
      dtypes: [{ dtype: "BF16", weights: 1000 }],
      tensors: 6,
      shards: 1,
      modelType: "llama",
      kvCache: "none",
      maxPositions: 512,
      notices: [],
    },
    arithmetic: "eager",
    ignore: ["lm_head", "re:.*embed_tokens"],
    roundings: WHOLE_PRESET,
    calibration: null,
    text: {
      name: `scripture: ${doneWindows} windows`,
      hash: "abc",
      tokenizer: "BPE",
      findings: [],
      windows: doneWindows,
      doneWindows,
      knownWindows: 0,
      context: 256,
      positions: doneWindows * POSITIONS,
    },
    rows: rows.map(({ scheme, bytes, kld, change: own }) => ({
      scheme,
      method: "rtn",
      methodRun: null,
      gain: null,
      arithmetic: "eager",
      bytes: computed(bytes, "bytes", ""),
      bitsPerWeight: computed((bytes * 8) / 3.67e6, "bits per weight", ""),
      roundsActivations: scheme.endsWith("A8"),
      divergence: kld.length === 0 ? null : sampleDivergence(kld),
      served: null,
      notices: [],
      ...own,
    })),
    noiseFloor: { dtype: "bf16", divergence: floor.length === 0 ? null : sampleDivergence(floor) },
    verdict: doneWindows === 0 ? null : verdict,
    kernels: [],
    elapsedMs: 12_000,
    ...change,
  };
}

function bootstrapOf(kld: readonly number[]): BlockBootstrap {
  return new BlockBootstrap(
    kld.map((mean) => ({
      positions: POSITIONS,
      kld: POSITIONS * mean,
      lnPplRatio: 0,
      sameTop: 100,
      deltaPSquares: 0.1,
    })),
  );
}

/** Statistics of rows that diverge so, round numbers where nothing hangs on them. */
function sampleDivergence(windows: readonly number[]): Divergence {
  const mean = windows.reduce((sum, value) => sum + value, 0) / windows.length;
  const scored = POSITIONS * windows.length;
  const value = (own: number, uncertainty: number | null = own / 20) => ({ value: own, uncertainty });
  const percentiles = <Name extends string>(names: readonly Name[], scale: number) =>
    Object.fromEntries(names.map((name, at) => [name, scale * (names.length / 2 - at)])) as Record<Name, number>;
  return {
    dtype: "float32",
    activationQuantization: [],
    scored,
    pplQ: value(42, 4),
    pplBase: value(41, 4),
    corLnPpl: value(0.995, null),
    lnPplRatio: value(0.024),
    pplRatio: value(1.024),
    pplDifference: value(1),
    kld: value(mean),
    kldPercentiles: {
      ...percentiles(["max", "99.9", "95", "90", "median", "10", "5", "1", "0.1", "min"], mean),
      "99": 6 * mean,
    },
    deltaP: value(-0.005),
    deltaPPercentiles: percentiles(
      ["max", "99.9", "99", "95", "90", "75", "median", "25", "10", "5", "1", "0.1", "min"],
      0.02,
    ),
    rmsDeltaP: value(0.037),
    sameTopP: value(Math.max(0, 0.99 - mean), 0.007),
    intervals: {
      kld: bootstrapOf(windows).interval("kld"),
      lnPplRatio: null,
      sameTopP: null,
      rmsDeltaP: null,
    },
    notFinite: 0,
    slices: [
      { kind: "text", name: "scripture", positions: scored, windows: windows.length, kld: mean, interval: null },
      { kind: "late", name: "late", positions: scored / 2, windows: windows.length, kld: mean, interval: null },
    ],
  };
}
