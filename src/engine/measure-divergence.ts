import type { DecoderGraph } from "../architectures/graph.ts";
import { asLabError } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { DivergenceSink } from "../metrics/divergence-sink.ts";
import type { PositionRange, TokenScores } from "../metrics/token-scores.ts";
import { runModel } from "../models/model-run.ts";
import { batchWindows } from "../models/windows.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import type { MeasureRequest } from "./api.ts";
import { Bench } from "./bench.ts";
import { RangesByCheckpoint, requireCalibration } from "./calibration.ts";
import type { Candidate } from "./candidate.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { codesOfCandidate } from "./codes.ts";
import { decoderOf } from "./decoder-of.ts";
import type { DevicePick, DeviceSet } from "./device-set.ts";
import { ModelParameters } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { passBytesOf, passEnd, passProgress } from "./passes.ts";
import type { ModelSummary } from "./result.ts";
import { ORIGINAL, type RunVariant, requireKnownAttentions, variantOf } from "./variants.ts";

/** What a measurement says that it does. */
const RUNNING = "running the models";

/** What a measurement works on. */
export interface MeasureJob {
  readonly checkpoint: Checkpoint;
  readonly summary: ModelSummary;
  readonly plans: readonly CheckpointPlan[];
  /** Other checkpoints of the same architecture. */
  readonly others: readonly Checkpoint[];
  readonly request: MeasureRequest;
}

/** Scores of one candidate, window by window, as far as they are known. */
export type WindowScores = readonly TokenScores[];

export interface DivergenceJob {
  readonly checkpoint: Checkpoint;
  readonly candidates: readonly Candidate[];
  readonly arithmetic: Arithmetic;
  /** Token ids of each window, checked against the vocabulary. */
  readonly windows: readonly (readonly number[])[];
  /** Positions of each window that are scored; absent: those of `scoredRange`. */
  readonly scored?: readonly PositionRange[];
  /** Token ids of each window that static scales are taken from. */
  readonly calibration?: readonly (readonly number[])[];
}

/** Who remembers scores from one job to the next. */
export interface ScoreMemory {
  known(candidate: number, device: Device): Promise<WindowScores>;
  keep(candidate: number, device: Device, scores: WindowScores): Promise<void>;
}

/** For work that is not remembered. */
export const NOTHING_KNOWN: ScoreMemory = { known: async () => [], keep: async () => {} };

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
  requireCalibration(candidates, job.calibration);
  requireKnownAttentions(graph, candidates);
  const needs = (index: number) => {
    const candidate = candidates[index];
    return candidate ? codesOfCandidate(candidate, job.arithmetic) : [];
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
    const bench = new Bench(devices, lane, hooks.signal, "multiplying");
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
    this.#passBytes = passBytesOf(graph, job.checkpoint, job.windows);
  }

  async run(landed: (active: readonly number[]) => Promise<void>): Promise<void> {
    const { windows } = this.#job;
    const done = (member: number) => this.#scores[member]?.length ?? 0;
    if (this.#members.every((member) => done(member) >= windows.length)) return;
    const variants = await this.#variants();
    for (;;) {
      const first = Math.min(...this.#members.map(done));
      if (first >= windows.length) return;
      const active = this.#members.filter((member) => done(member) === first);
      // Those that are further on join where they stand.
      const next = Math.min(...this.#members.filter((member) => done(member) > first).map(done), windows.length);
      const found = await this.#bench.attempt("running the model", () => {
        // It doubles what is done, as far as memory allows.
        const ahead = windows.slice(0, Math.min(next, 2 * first + 1));
        const end = passEnd(this.#graph, ahead, first, active.length + 1, this.#mostWindows);
        return this.#pass(first, end, active, variants);
      });
      for (const [index, member] of active.entries()) this.#scores[member]?.push(...(found[index] ?? []));
      await landed(active);
    }
  }

  /** @returns scores of each active candidate, window by window */
  async #pass(
    first: number,
    end: number,
    active: readonly number[],
    variants: ReadonlyMap<number, RunVariant>,
  ): Promise<readonly WindowScores[]> {
    const { checkpoint, windows, scored } = this.#job;
    const { device } = this.#bench;
    const own = windows.slice(first, end);
    const models = [ORIGINAL, ...active.map((member) => variants.get(member) ?? ORIGINAL)];
    const parameters = new ModelParameters(
      this.#bench,
      checkpoint,
      models.map(({ source }) => source),
      passProgress(this.#hooks, RUNNING, this.#passBytes, windows.length, first, end),
    );
    const sink = new DivergenceSink(device, own, active.length, scored?.slice(first, end));
    try {
      await runModel({
        device,
        graph: this.#graph,
        parameters,
        variants: models.map(({ variant }) => variant),
        batch: batchWindows(own),
        sink,
      });
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

  /** The members made ready to run. */
  async #variants(): Promise<ReadonlyMap<number, RunVariant>> {
    const { checkpoint, candidates, arithmetic, calibration = [] } = this.#job;
    const own = this.#members.flatMap((member) => candidates[member] ?? []);
    const ranges = new RangesByCheckpoint(this.#bench, checkpoint, this.#graph, calibration, this.#hooks);
    const variants = new Map<number, RunVariant>();
    for (const member of this.#members) {
      const candidate = candidates[member];
      if (!candidate) continue;
      variants.set(
        member,
        await variantOf(this.#bench, this.#graph, candidate, arithmetic, await ranges.of(candidate, own)),
      );
    }
    return variants;
  }
}
