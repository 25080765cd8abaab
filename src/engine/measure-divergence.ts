import type { DecoderGraph } from "../architectures/graph.ts";
import { asLabError, quote } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { DivergenceSink } from "../metrics/divergence-sink.ts";
import type { TokenScores } from "../metrics/token-scores.ts";
import { matricesOf, registerBytes, runModel } from "../models/model-run.ts";
import type { Variant } from "../models/run-setup.ts";
import { batchWindows } from "../models/windows.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import type { MeasureRequest } from "./api.ts";
import { Bench } from "./bench.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { codesOf } from "./codes.ts";
import { decoderOf } from "./decoder-of.ts";
import type { DevicePick, DeviceSet } from "./device-set.ts";
import { ModelParameters, type VariantSource } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { prepareMatrix } from "./restore-tile.ts";
import type { ModelSummary } from "./result.ts";

/** Memory for what runs through the layers, of all variants together, in bytes. */
export const ACTIVATION_BYTES = 2 ** 28;

/** What a measurement works on. */
export interface MeasureJob {
  readonly checkpoint: Checkpoint;
  readonly summary: ModelSummary;
  readonly plans: readonly CheckpointPlan[];
  /** Other checkpoints of the same architecture. */
  readonly others: readonly Checkpoint[];
  readonly request: MeasureRequest;
}

/** A model to be held against the original. */
export type Candidate =
  | { readonly kind: "recipe"; readonly plan: CheckpointPlan }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  /** The original, every result rounded to bf16. */
  | { readonly kind: "rounded" };

/** Scores of one candidate, window by window, as far as they are known. */
export type WindowScores = readonly TokenScores[];

export interface DivergenceJob {
  readonly checkpoint: Checkpoint;
  readonly candidates: readonly Candidate[];
  readonly arithmetic: Arithmetic;
  /** Token ids of each window, checked against the vocabulary. */
  readonly windows: readonly (readonly number[])[];
}

/** Who remembers scores from one job to the next. */
export interface ScoreMemory {
  known(candidate: number, device: Device): Promise<WindowScores>;
  keep(candidate: number, device: Device, scores: WindowScores): Promise<void>;
}

/** Which devices did the work, and what they found. */
export interface DivergenceFound {
  readonly scores: readonly WindowScores[];
  readonly used: readonly DevicePick[];
  /** Windows that every candidate was measured on before this job. */
  readonly knownWindows: number;
}

/**
 * Runs the original and all candidates over the windows, some windows at a time: one, then ever more, so that first figures
 * come soon.
 * @param landed told of the scores so far after each pass
 * @throws LabError `config/…` for a model that the lab cannot run, `run/cancelled`, `device/…`, `source/…`
 */
export async function measureDivergence(
  job: DivergenceJob,
  devices: DeviceSet,
  hooks: WorkHooks,
  memory: ScoreMemory,
  landed: (found: DivergenceFound) => void,
): Promise<DivergenceFound> {
  const { candidates, checkpoint } = job;
  const graph = decoderOf(checkpoint);
  const needs = (index: number) => {
    const candidate = candidates[index];
    return candidate?.kind === "recipe" ? codesOf(candidate.plan, job.arithmetic) : [];
  };
  const lanes = await devices.lanes([...candidates.keys()], needs, "multiplying");
  const scores: TokenScores[][] = candidates.map(() => []);
  for (const lane of lanes) {
    for (const index of lane.items) scores[index]?.push(...(await memory.known(index, lane.device)));
  }
  const knownWindows = Math.min(job.windows.length, ...scores.map(({ length }) => length));
  for (const own of scores) own.length = Math.min(own.length, job.windows.length);
  const finished: DevicePick[] = [];
  for (const lane of lanes) {
    const bench = new Bench(checkpoint, devices, lane, hooks.signal, "multiplying");
    const used = () => (bench.used.length > 0 ? bench.used : [lane]);
    try {
      await new LaneRun(job, graph, bench, lane.items, scores, hooks).run(async (active) => {
        // Scores of several devices are of none: they are not kept.
        if (bench.used.length === 1 && bench.device.kind === lane.device.kind) {
          for (const index of active) await memory.keep(index, lane.device, scores[index] ?? []);
        }
        landed({ scores, used: [...finished, ...used()], knownWindows });
      });
      finished.push(...used());
    } finally {
      await bench.close();
    }
  }
  return { scores, used: finished, knownWindows };
}

/** Bytes of all matrices of a graph; the embedding counts twice where the head is tied to it. */
function passBytesOf(graph: DecoderGraph, { checkpoint, windows }: DivergenceJob): number {
  const tensors = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
  const longest = Math.max(...windows.map(({ length }) => length));
  return matricesOf(graph, longest).reduce((sum, { place, rows, cols }) => {
    const tensor = tensors.get(place.tensor);
    if (!tensor) return sum;
    const elements = tensor.shape.reduce((product, size) => product * size, 1);
    return sum + ((tensor.end - tensor.start) / elements) * rows * cols;
  }, 0);
}

/** The candidates that one device takes. */
class LaneRun {
  readonly #job: DivergenceJob;
  readonly #graph: DecoderGraph;
  readonly #bench: Bench;
  readonly #members: readonly number[];
  readonly #scores: TokenScores[][];
  readonly #hooks: WorkHooks;
  /** Bytes of all matrices as a pass reads them. */
  readonly #passBytes: number;
  /** Most windows of a pass: fewer after the device refused memory. */
  #mostWindows = Number.POSITIVE_INFINITY;

  constructor(
    job: DivergenceJob,
    graph: DecoderGraph,
    bench: Bench,
    members: readonly number[],
    scores: TokenScores[][],
    hooks: WorkHooks,
  ) {
    this.#job = job;
    this.#graph = graph;
    this.#bench = bench;
    this.#members = members;
    this.#scores = scores;
    this.#hooks = hooks;
    this.#passBytes = passBytesOf(graph, job);
  }

  async run(landed: (active: readonly number[]) => Promise<void>): Promise<void> {
    const sources = new Map<number, VariantSource>();
    for (const member of this.#members) sources.set(member, await this.#sourceOf(member));
    const { windows } = this.#job;
    for (;;) {
      const done = (member: number) => this.#scores[member]?.length ?? 0;
      const first = Math.min(...this.#members.map(done));
      if (first >= windows.length) return;
      const active = this.#members.filter((member) => done(member) === first);
      // Those that are further on join where they stand.
      const next = Math.min(...this.#members.filter((member) => done(member) > first).map(done), windows.length);
      const found = await this.#bench.attempt("running the model", () => {
        const end = Math.min(next, this.#passEnd(first, active.length + 1));
        return this.#pass(first, end, active, sources);
      });
      for (const [index, member] of active.entries()) this.#scores[member]?.push(...(found[index] ?? []));
      await landed(active);
    }
  }

  /** Before which window a pass ends that begins at `first`: it doubles what is done, as far as memory allows. */
  #passEnd(first: number, models: number): number {
    const perToken = registerBytes(this.#graph) * models;
    let tokens = 0;
    let end = first;
    for (const window of this.#job.windows.slice(first, 2 * first + 1)) {
      tokens += window.length;
      const isTooMuch = tokens * perToken > ACTIVATION_BYTES || end - first >= this.#mostWindows;
      if (end > first && isTooMuch) break;
      end++;
    }
    return end;
  }

  /** @returns scores of each active candidate, window by window */
  async #pass(
    first: number,
    end: number,
    active: readonly number[],
    sources: ReadonlyMap<number, VariantSource>,
  ): Promise<readonly WindowScores[]> {
    const { checkpoint, candidates, windows } = this.#job;
    const { device } = this.#bench;
    const own = windows.slice(first, end);
    const variants: Variant[] = [
      { roundsTo: null },
      ...active.map((member) => ({ roundsTo: candidates[member]?.kind === "rounded" ? ("bf16" as const) : null })),
    ];
    const original: VariantSource = { kind: "original" };
    const parameters = new ModelParameters(
      this.#bench,
      checkpoint,
      [original, ...active.map((member) => sources.get(member) ?? original)],
      (doneBytes, item) => this.#tell(first, end, doneBytes, item),
    );
    const sink = new DivergenceSink(device, own, active.length);
    try {
      await runModel({ device, graph: this.#graph, parameters, variants, batch: batchWindows(own), sink });
      return active.map((_, index) => sink.scores(index));
    } catch (thrown) {
      const error = asLabError(thrown, "running the model");
      if (error.code === "device/out-of-memory") this.#mostWindows = Math.max(1, Math.floor((end - first) / 2));
      throw error;
    } finally {
      parameters.destroy();
      sink.destroy();
    }
  }

  #tell(first: number, end: number, doneBytes: number, item: string): void {
    const { windows } = this.#job;
    // Counted as if each window had a pass of its own: what takes time is the products, not the reading.
    this.#hooks.onProgress?.({
      phase: "running the models",
      doneBytes: first * this.#passBytes + (end - first) * doneBytes,
      totalBytes: windows.length * this.#passBytes,
      item: quote(item),
      doneItems: first,
      totalItems: windows.length,
    });
  }

  /** What a candidate does to each matrix; looks at whole matrices where the recipe asks for it. */
  async #sourceOf(member: number): Promise<VariantSource> {
    const candidate = this.#job.candidates[member];
    if (candidate?.kind === "checkpoint") return candidate;
    if (candidate?.kind !== "recipe") return { kind: "original" };
    const matrices = new Map();
    for (const matrix of candidate.plan.matrices) {
      const recipe = await prepareMatrix(this.#bench, candidate.plan, matrix, this.#job.arithmetic);
      matrices.set(matrix.tensor.name, recipe);
    }
    return { kind: "recipe", matrices };
  }
}
