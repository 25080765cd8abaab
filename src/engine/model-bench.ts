import type { DecoderGraph } from "../architectures/graph.ts";
import type { AnyKernel } from "../device/kernel.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import { Bench } from "./bench.ts";
import { RangesByCheckpoint, requireCalibration } from "./calibration.ts";
import type { Candidate } from "./candidate.ts";
import { codesOfCandidate } from "./codes.ts";
import { decoderOf } from "./decoder-of.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import { modelKernels } from "./model-kernels.ts";
import type { WorkHooks } from "./pace.ts";
import type { KernelReport } from "./result.ts";
import { type RunVariant, requireKnownAttentions, variantOf } from "./variants.ts";

/** A checkpoint and what to run beside it, on one device. */
export interface ModelJob {
  readonly checkpoint: Checkpoint;
  readonly candidates: readonly Candidate[];
  readonly arithmetic: Arithmetic;
  /** Token ids of each window that static scales are taken from. */
  readonly calibration: readonly (readonly number[])[];
}

/** Candidates made ready on a bench. */
export interface ReadyModels {
  readonly bench: Bench;
  readonly graph: DecoderGraph;
  readonly variants: readonly RunVariant[];
  /** What the work took, for its result. */
  readonly reports: (others: readonly AnyKernel[]) => readonly KernelReport[];
}

/**
 * Opens a device that is exact in all that the candidates round, and makes them ready there.
 * @param use does its work through `bench.attempt`
 * @throws LabError `config/…`, `run/no-calibration`, `device/…`, `source/…`
 */
export async function withModels<T>(
  { checkpoint, candidates, arithmetic, calibration }: ModelJob,
  devices: DeviceSet,
  hooks: WorkHooks,
  use: (models: ReadyModels) => Promise<T>,
): Promise<T> {
  const graph = decoderOf(checkpoint);
  requireCalibration(candidates, calibration);
  requireKnownAttentions(graph, candidates);
  const needs = candidates.flatMap((candidate) => codesOfCandidate(candidate, arithmetic));
  const [lane] = await devices.lanes([needs], (codes) => codes, "multiplying");
  if (!lane) throw new Error("one item has one lane");
  const bench = new Bench(devices, lane, hooks.signal, "multiplying");
  try {
    const ranges = new RangesByCheckpoint(bench, checkpoint, graph, calibration, hooks);
    const variants: RunVariant[] = [];
    for (const candidate of candidates) {
      variants.push(await variantOf(bench, graph, candidate, arithmetic, await ranges.of(candidate, candidates)));
    }
    const reports = (others: readonly AnyKernel[]) =>
      (bench.used.length > 0 ? bench.used : [lane]).flatMap((pick) =>
        [...modelKernels(graph, candidates), ...others].map((kernel) => kernelReport(pick, kernel)),
      );
    return await use({ bench, graph, variants, reports });
  } finally {
    await bench.close();
  }
}
