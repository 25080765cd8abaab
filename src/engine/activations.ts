import { LabError, quote } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { ActivationStatisticsFile } from "../formats/statistics/statistics-file.ts";
import { channelStatistics } from "../kernels/stats/channel_statistics.ts";
import { kurtosisOf, outlierChannels } from "../metrics/activation-statistics.ts";
import { type ChannelStatistics, mergeStatistics, StatisticsTap } from "../models/channel-statistics.ts";
import { runModel } from "../models/model-run.ts";
import { batchWindows } from "../models/windows.ts";
import type { DeviceSet } from "./device-set.ts";
import type { ActivationReport, ActivationStrip, LayerActivations } from "./diagnosis-api.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { leadersOf } from "./methods/shared-inputs.ts";
import { withModels } from "./model-bench.ts";
import { ModelParameters, ORIGINAL_SOURCE } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { passBytesOf, passEnd, passProgress } from "./passes.ts";
import type { KernelReport } from "./result.ts";
import { StripTap } from "./strip-tap.ts";
import type { PreparedText } from "./text-api.ts";

/** Statistics as they are kept, and what computed them. */
export interface CollectedActivations {
  readonly file: ActivationStatisticsFile;
  /** Windows of the text and tokens of the longest. Where statistics come from a file all tokens count as one. */
  readonly chunks: { readonly count: number; readonly sizeTokens: number };
  readonly kernels: readonly KernelReport[];
}

/**
 * Runs the original over a text and collects what goes into every linear layer, in float32.
 * @throws LabError `config/…`, `run/…`, `device/…`, `source/…`
 */
export async function collectActivations(
  checkpoint: Checkpoint,
  text: PreparedText,
  devices: DeviceSet,
  hooks: WorkHooks,
): Promise<CollectedActivations> {
  const { windows } = text;
  const job = { checkpoint, candidates: [], arithmetic: "eager" as const, calibration: [] };
  return withModels(job, devices, hooks, async ({ bench, graph, reports }) => {
    const passBytes = passBytesOf(graph, checkpoint, windows);
    const leaders = new Map(graph.layers.flatMap((steps) => [...leadersOf(steps)]));
    const modules = new Map<string, ChannelStatistics>();
    for (let first = 0; first < windows.length; ) {
      const end = passEnd(graph, windows, first, 1);
      const found = await bench.attempt("collecting activations", async () => {
        const { device } = bench;
        const tap = new StatisticsTap(device, leaders);
        const progress = passProgress(hooks, "collecting activations", passBytes, windows.length, first, end);
        const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], progress);
        const batch = batchWindows(windows.slice(first, end));
        try {
          await runModel({ device, graph, parameters, variants: [{ roundsTo: null, tap }], batch, sink: null });
        } finally {
          parameters.destroy();
        }
        return tap.statistics;
      });
      for (const [module, own] of found) {
        const known = modules.get(module);
        modules.set(module, known ? mergeStatistics(known, own) : own);
      }
      first = end;
    }
    return {
      file: {
        model: checkpoint.name,
        modelSha256: await fingerprintOf(checkpoint, hooks.signal),
        text: text.source,
        textSha256: text.hash,
        tokens: windows.reduce((sum, { length }) => sum + length, 0),
        modules,
      },
      chunks: { count: windows.length, sizeTokens: Math.max(...windows.map(({ length }) => length)) },
      kernels: reports([channelStatistics]),
    };
  });
}

/** What statistics say, for people. */
export function activationReport(
  { file, kernels }: CollectedActivations,
  origin: ActivationReport["origin"],
): ActivationReport {
  return {
    kind: "activations",
    model: quote(file.model),
    modelHash: file.modelSha256,
    text: quote(file.text),
    textHash: file.textSha256,
    tokens: file.tokens,
    layers: [...file.modules].map(([module, own]) => layerOf(module, own)),
    origin,
    kernels,
  };
}

function layerOf(module: string, statistics: ChannelStatistics): LayerActivations {
  const { absMax, min, max, meanAbs, meanSquare } = statistics;
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    module,
    channels: absMax.length,
    absMax: absMax.reduce((most, value) => Math.max(most, value), 0),
    min: min.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    max: max.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    meanAbs: mean(meanAbs),
    meanSquare: mean(meanSquare),
    kurtosis: kurtosisOf(statistics),
    outliers: outlierChannels(statistics),
    channelAbsMax: Float64Array.from(absMax),
  };
}

/**
 * Refuses statistics of other weights.
 * @throws LabError `statistics/other-model`
 */
export async function requireOwnStatistics(checkpoint: Checkpoint, file: ActivationStatisticsFile): Promise<void> {
  const own = await fingerprintOf(checkpoint);
  if (file.modelSha256 === own) return;
  throw new LabError({
    code: "statistics/other-model",
    doing: "reading activation statistics",
    found: `statistics of "${quote(file.model)}", weights ${file.modelSha256.slice(0, 12)}…`,
    allowed: `statistics of the open model, weights ${own.slice(0, 12)}…`,
    advice: "open the model that they were collected on, or collect them anew",
    fields: { found: file.modelSha256, expected: own },
  });
}

/**
 * What goes into one linear layer of the original, token by token of one window.
 * @throws LabError `text/no-position`, `config/…`, `device/…`, `source/…`
 */
export async function activationStrip(
  checkpoint: Checkpoint,
  module: string,
  text: PreparedText,
  window: number,
  devices: DeviceSet,
  hooks: WorkHooks,
): Promise<ActivationStrip> {
  const own = text.windows[window];
  if (!own || own.length === 0) throw noWindow(window, text.windows.length);
  const job = { checkpoint, candidates: [], arithmetic: "eager" as const, calibration: [] };
  return withModels(job, devices, hooks, ({ bench, graph }) =>
    bench.attempt("looking at activations", async () => {
      const { device } = bench;
      const tap = new StripTap(device, module);
      const passBytes = passBytesOf(graph, checkpoint, [own]);
      const progress = passProgress(hooks, "looking at activations", passBytes, 1, 0, 1);
      const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], progress);
      try {
        const batch = batchWindows([own]);
        await runModel({ device, graph, parameters, variants: [{ roundsTo: null, tap }], batch, sink: null });
      } finally {
        parameters.destroy();
      }
      return { ...tap.strip(), module, window };
    }),
  );
}

function noWindow(window: number, windows: number): LabError {
  return new LabError({
    code: "text/no-position",
    doing: "looking at activations",
    found: `window ${window}`,
    allowed: `windows 0 to ${windows - 1}`,
    advice: "choose a window of the text",
  });
}
