import { asLabError, type LabErrorData } from "../base/errors.ts";
import { intError } from "../kernels/quant/int_error.ts";
import { intScale } from "../kernels/quant/int_scale.ts";
import { ReconstructionTotal } from "../metrics/reconstruction.ts";
import type { Scheme } from "../schemes/scheme.ts";
import type { EngineHost, JobHooks } from "./api.ts";
import { matricesOf } from "./checkpoint-plan.ts";
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
    original: { fit: originalFit(job.summary, request.plan) },
    schemes: [...rows.values()].map((row) => schemeResult(row, job)),
    kernels: [...kernels, ...timing.kernels],
    throughput: timing.throughput,
    elapsedMs: host.now() - started,
  });

  const work = matricesOf(plans);
  const totalBytes = work.reduce((sum, { tensor }) => sum + tensor.end - tensor.start, 0);
  let doneBytes = 0;
  let partialAt = Number.NEGATIVE_INFINITY;
  const reader = new ReusedReader();
  const tileBytes = Math.min(...lanes.map(({ device }) => device.tileBytes));
  const benches = lanes.map((lane) => new Workbench(lane, request.arithmetic));
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
      let failure: LabErrorData | undefined;
      try {
        let reading: Promise<void> = Promise.resolve();
        for (const tile of tilesOf(matrix, tileBytes)) {
          const source = checkpoint.shards[matrix.tensor.shard]?.source;
          if (!source) throw new Error("a tensor without its shard");
          const bytes = await reader.read(source, tile.start, tile.end);
          await reading;
          stopIfAborted(hooks.signal);
          reading = Promise.all(benches.map((bench) => bench.measure(matrix, tile, bytes, totals))).then(() => {});
          // The next tile is read while this one is computed; an error is met at the next await.
          reading.catch(() => {});
          progress(tile.end - matrix.tensor.start);
        }
        await reading;
      } catch (thrown) {
        const error = asLabError(thrown, `measuring ${matrix.module}`);
        if (!isOfOneMatrix(error.code)) throw error;
        failure = error.toData();
      }
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
    for (const bench of benches) bench.destroy();
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

/** Whether a failure concerns the matrix at hand alone, so that the others can go on. */
function isOfOneMatrix(code: string): boolean {
  return code === "run/row-too-long";
}
