import type { DecoderGraph } from "../architectures/graph.ts";
import { LabError } from "../base/errors.ts";
import type { FloatName } from "../base/float-format.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { runModel } from "../models/model-run.ts";
import { batchWindows } from "../models/windows.ts";
import { kvNeedsCalibration } from "../schemes/kv-cache.ts";
import type { ValueRanges } from "../schemes/observers.ts";
import type { Bench } from "./bench.ts";
import { activationsOf, type Candidate } from "./candidate.ts";
import { ModelParameters, ORIGINAL_SOURCE, storedFormat } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { passBytesOf, passEnd, passProgress } from "./passes.ts";
import { type CacheRanges, RangeTap } from "./range-tap.ts";

/** Values that the original had on a calibration text, window by window. */
export interface CalibrationRanges {
  /** What it was run in: the checkpoint's own dtype. */
  readonly format: FloatName;
  /** Of what goes into linear layers, by module: one range a window. */
  readonly inputs: ReadonlyMap<string, readonly ValueRanges[]>;
  /** Of keys and values before attention, by module: a range for each head and window. */
  readonly caches: ReadonlyMap<string, CacheRanges>;
}

/** Whether a candidate has scales that only a calibration text can tell. */
export function needsRanges(candidate: Candidate): boolean {
  const { inputs, hasCaches } = wantedOf([candidate]);
  return hasCaches || inputs.size > 0;
}

function wantedOf(candidates: readonly Candidate[]): {
  readonly inputs: ReadonlySet<string>;
  readonly hasCaches: boolean;
} {
  const inputs = new Set<string>();
  let hasCaches = false;
  for (const candidate of candidates) {
    if (candidate.kind !== "recipe") continue;
    const { plan, applied } = candidate;
    hasCaches ||= applied.kvCache !== null && kvNeedsCalibration(applied.kvCache);
    for (const { module } of plan.matrices) {
      if (activationsOf(candidate, module)?.dynamic === false) inputs.add(module);
    }
  }
  return { inputs, hasCaches };
}

/**
 * Runs the original over the calibration windows, in the checkpoint's own dtype and with nothing rounded, and notes the range
 * of each window, which to LLM Compressor is a batch.
 * @param windows token ids, one window or more
 * @throws LabError as a run does
 * Source: LLM Compressor 0.14 `pipelines/sequential/pipeline.py`: quantization is off while ranges are observed, and with
 *   plain rounding the second pass of each layer changes nothing.
 */
export async function calibrate(
  bench: Bench,
  checkpoint: Checkpoint,
  graph: DecoderGraph,
  windows: readonly (readonly number[])[],
  candidates: readonly Candidate[],
  hooks: Pick<WorkHooks, "onProgress">,
): Promise<CalibrationRanges> {
  const format = storedFormat(checkpoint, graph.embedding.tensor);
  const { device } = bench;
  const passBytes = passBytesOf(graph, checkpoint, windows);
  const tap = new RangeTap(device, wantedOf(candidates));
  for (let first = 0; first < windows.length; ) {
    const end = passEnd(graph, windows, first, 1);
    const batch = batchWindows(windows.slice(first, end));
    tap.begin(batch);
    const progress = passProgress(hooks, "running the calibration text", passBytes, windows.length, first, end);
    const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], progress);
    const roundsTo = format === "f32" ? null : format;
    try {
      await runModel({ device, graph, parameters, variants: [{ roundsTo, tap }], batch, sink: null });
    } finally {
      parameters.destroy();
    }
    first = end;
  }
  return { format, inputs: tap.inputs, caches: tap.caches };
}

/** Ranges of what candidates run: those whose weights a method has changed have their own. Taken once each. */
export class RangesByCheckpoint {
  readonly #bench: Bench;
  readonly #original: Checkpoint;
  readonly #graph: DecoderGraph;
  readonly #windows: readonly (readonly number[])[];
  readonly #hooks: Pick<WorkHooks, "onProgress">;
  readonly #known = new Map<Checkpoint, CalibrationRanges>();

  constructor(
    bench: Bench,
    original: Checkpoint,
    graph: DecoderGraph,
    windows: readonly (readonly number[])[],
    hooks: Pick<WorkHooks, "onProgress">,
  ) {
    this.#bench = bench;
    this.#original = original;
    this.#graph = graph;
    this.#windows = windows;
    this.#hooks = hooks;
  }

  /** @returns null where the candidate needs none */
  async of(candidate: Candidate, all: readonly Candidate[]): Promise<CalibrationRanges | null> {
    if (!needsRanges(candidate)) return null;
    const checkpointOf = (own: Candidate) => (own.kind === "recipe" ? own.plan.checkpoint : this.#original);
    const checkpoint = checkpointOf(candidate);
    const known = this.#known.get(checkpoint);
    if (known) return known;
    const together = all.filter((own) => checkpointOf(own) === checkpoint);
    const ranges = await this.#bench.attempt("running the calibration text", () =>
      calibrate(this.#bench, checkpoint, this.#graph, this.#windows, together, this.#hooks),
    );
    this.#known.set(checkpoint, ranges);
    return ranges;
  }
}

/** @throws LabError `run/no-calibration` where ranges are needed and there is no text to take them from */
export function requireCalibration(
  candidates: readonly Candidate[],
  windows: readonly (readonly number[])[] | undefined,
): void {
  if (windows?.length || !candidates.some(needsRanges)) return;
  throw new LabError({
    code: "run/no-calibration",
    doing: "preparing scales that do not change while the model runs",
    found: "no calibration text",
    allowed: "a text that stands for what the model will read; not the one that it is measured on",
    advice: "give --calibration, or choose activations and a KV cache that are rounded dynamically",
  });
}
