import { asLabError, type LabErrorData, quote } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { intError } from "../kernels/quant/int_error.ts";
import { intScale } from "../kernels/quant/int_scale.ts";
import { ReconstructionTotal } from "../metrics/reconstruction.ts";
import type { Scheme } from "../schemes/scheme.ts";
import type { EngineHost, JobHooks } from "./api.ts";
import { matricesOf, type PlannedMatrix } from "./checkpoint-plan.ts";
import { type CompareJob, type CompareRow, layerResult, newRow, schemeResult } from "./compare-rows.ts";
import { type DeviceSet, kernelReport, type Lane } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import { originalFit } from "./plan-column.ts";
import { type CompareResult, type KernelReport, SCHEMA_VERSION, type ThroughputResult } from "./result.ts";
import { throughputOf } from "./throughput.ts";
import { ReusedReader, tilesOf } from "./tiles.ts";
import { Workbench } from "./workbench.ts";

/** Milliseconds between two partial results: often enough to watch, too seldom to cost anything. */
const PARTIAL_EVERY_MS = 100;

/**
 * Measures every scheme in one pass over the weights: a tile is read and uploaded once, each scheme reads it there.
 * @throws LabError `run/cancelled`, `device/…`, `source/…`. What was measured until then went out by `onPartial`.
 */
export async function compareSchemes(
  job: CompareJob,
  devices: DeviceSet,
  host: EngineHost,
  hooks: JobHooks,
): Promise<CompareResult> {
  const started = host.now();
  const { request, plans, checkpoint } = job;
  // Also refuses a plan that assumes nonsense, before any work.
  const fit = originalFit(job.summary, request.plan);
  const rows = new Map(plans.map((plan): [Scheme, CompareRow] => [plan.scheme, newRow(plan)]));
  const lanes = await devices.lanes([...rows.keys()], request.arithmetic);
  const kernels = lanes.flatMap((lane) => [kernelReport(lane, intScale), kernelReport(lane, intError)]);
  const result = (outcome: CompareResult["outcome"], timing: Timing = NO_TIMING): CompareResult => ({
    schemaVersion: SCHEMA_VERSION,
    kind: "compare",
    outcome,
    finished: outcome === "done",
    model: job.summary,
    arithmetic: request.arithmetic,
    ignore: request.ignore,
    original: { fit },
    schemes: [...rows.values()].map((row) => schemeResult(row, job)),
    kernels: [...kernels, ...timing.kernels],
    throughput: timing.throughput,
    elapsedMs: host.now() - started,
  });

  const work = matricesOf(plans);
  const totalBytes = work.reduce((sum, { tensor }) => sum + tensor.end - tensor.start, 0);
  let doneBytes = 0;
  let partialAt = Number.NEGATIVE_INFINITY;
  const pass: Pass = {
    checkpoint,
    benches: lanes.map((lane) => new Workbench(lane, request.arithmetic)),
    tileBytes: Math.min(...lanes.map(({ device }) => device.tileBytes)),
    reader: new ReusedReader(),
    signal: hooks.signal,
  };
  try {
    for (const [index, matrix] of work.entries()) {
      const progress = (bytes: number) =>
        hooks.onProgress?.({
          phase: "comparing",
          doneBytes: doneBytes + bytes,
          totalBytes,
          item: matrix.module,
          doneItems: index,
          totalItems: work.length,
        });
      progress(0);
      const measuring = new Map(
        [...rows].filter(([, row]) => row.plan.matrices.some(({ tensor }) => tensor === matrix.tensor)),
      );
      const totals = new Map([...measuring.keys()].map((scheme) => [scheme, new ReconstructionTotal()]));
      const failure = await measureMatrix(pass, matrix, totals, progress);
      for (const [scheme, row] of measuring) {
        const total = totals.get(scheme) as ReconstructionTotal;
        if (!failure) row.total.add(total);
        row.layers.push(layerResult(matrix, total, failure));
      }
      doneBytes += matrix.tensor.end - matrix.tensor.start;
      if (host.now() - partialAt >= PARTIAL_EVERY_MS) {
        partialAt = host.now();
        hooks.onPartial?.(result("partial"));
      }
    }
    hooks.onPartial?.(result("partial"));
    const timing = request.throughput ? await timeOnModel(job, lanes, host, hooks) : NO_TIMING;
    return result("done", timing);
  } finally {
    for (const bench of pass.benches) bench.destroy();
  }
}

/** What stays the same from matrix to matrix. */
interface Pass {
  readonly checkpoint: Checkpoint;
  readonly benches: readonly Workbench[];
  readonly tileBytes: number;
  readonly reader: ReusedReader;
  readonly signal: AbortSignal | undefined;
}

/**
 * Adds what one matrix loses to the totals of its schemes. The next tile is read while one is computed.
 * @param progress told how many bytes of the matrix are done
 * @returns a failure that concerns this matrix alone; every other one is thrown
 */
async function measureMatrix(
  pass: Pass,
  matrix: PlannedMatrix,
  totals: ReadonlyMap<Scheme, ReconstructionTotal>,
  progress: (bytes: number) => void,
): Promise<LabErrorData | undefined> {
  const source = pass.checkpoint.shards[matrix.tensor.shard]?.source;
  if (!source) throw new Error("a tensor without its shard");
  try {
    let computing: Promise<unknown> = Promise.resolve();
    for (const tile of tilesOf(matrix, pass.tileBytes)) {
      const bytes = await pass.reader.read(source, tile.start, tile.end);
      await computing;
      stopIfAborted(pass.signal);
      computing = Promise.all(pass.benches.map((bench) => bench.measure(matrix, tile, bytes, totals)));
      // An error is met at the next await; until then it must not count as unhandled.
      computing.catch(() => {});
      progress(tile.end - matrix.tensor.start);
    }
    await computing;
    return undefined;
  } catch (thrown) {
    const error = asLabError(thrown, `measuring ${quote(matrix.module)}`);
    if (error.code !== "run/row-too-long") throw error;
    return error.toData();
  }
}

/** Kernel speeds with the reports of the kernels that were timed. */
interface Timing {
  readonly throughput: readonly ThroughputResult[];
  readonly kernels: readonly KernelReport[];
}

const NO_TIMING: Timing = { throughput: [], kernels: [] };

async function timeOnModel(
  job: CompareJob,
  lanes: readonly Lane[],
  host: EngineHost,
  hooks: JobHooks,
): Promise<Timing> {
  const matrices = matricesOf(job.plans);
  hooks.onProgress?.({
    phase: "timing kernels",
    doneBytes: 0,
    totalBytes: 0,
    item: null,
    doneItems: matrices.length,
    totalItems: matrices.length,
  });
  const throughput: ThroughputResult[] = [];
  const kernels: KernelReport[] = [];
  for (const lane of lanes) {
    const timed = await throughputOf(job.checkpoint, matrices, lane, job.request.arithmetic, host.now, () =>
      stopIfAborted(hooks.signal),
    );
    throughput.push(...timed.results);
    kernels.push(...timed.kernels.map((kernel) => kernelReport(lane, kernel)));
  }
  return { throughput, kernels };
}
