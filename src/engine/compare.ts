import { asLabError, LabError, quote } from "../base/errors.ts";
import type { CheckpointTensor } from "../formats/huggingface/checkpoint.ts";
import { intError } from "../kernels/quant/int_error.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import { type EngineHost, MAX_RECIPES } from "./api.ts";
import { Bench } from "./bench.ts";
import { type CheckpointPlan, type PlannedMatrix, tensorsOf } from "./checkpoint-plan.ts";
import { codesOf } from "./codes.ts";
import { type CompareJob, CompareRow } from "./compare-rows.ts";
import { type DeviceSet, kernelReport, type Lane } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import { type MatrixMeasurement, measureMatrix } from "./measure.ts";
import { methodKernels } from "./methods/method-kernels.ts";
import type { WorkHooks } from "./pace.ts";
import { originalFit } from "./plan-column.ts";
import { scalingKernels } from "./restore-tile.ts";
import { type CompareResult, type KernelReport, SCHEMA_VERSION, type ThroughputResult } from "./result.ts";
import { throughputOf } from "./throughput.ts";
import { rowMultipleOf } from "./tiles.ts";

/** Milliseconds between two partial results: often enough to watch, too seldom to cost anything. */
const PARTIAL_EVERY_MS = 250;

/** The recipes of a lane with where they compute. */
interface BusyLane {
  readonly lane: Lane<CheckpointPlan>;
  readonly bench: Bench;
}

/**
 * Measures every recipe in one pass over the weights: a tile is read and uploaded once, each scheme reads it there.
 * @throws LabError `run/too-many`, `run/cancelled`, `device/…`, `source/…`. What was measured until then went out by
 *   `onPartial`.
 */
export async function compareSchemes(
  job: CompareJob,
  devices: DeviceSet,
  host: EngineHost,
  hooks: WorkHooks,
): Promise<CompareResult> {
  const started = host.now();
  const { request, plans } = job;
  if (plans.length > MAX_RECIPES) throw tooMany(plans.length);
  // Also refuses a plan that assumes nonsense, before any work.
  const fit = originalFit(job.summary, request.plan);
  const rows = new Map(plans.map((plan) => [plan, new CompareRow(plan)]));
  const matrices = new Map(plans.map((plan) => [plan, new Map(plan.matrices.map((own) => [own.tensor, own]))]));
  const lanes = await devices.lanes(plans, (plan) => codesOf(plan, request.arithmetic), "measuring");
  const busy = lanes.map(
    (lane): BusyLane => ({
      lane,
      bench: new Bench(devices, lane, hooks.signal, "measuring", lane.items.length),
    }),
  );
  const kernels = () =>
    busy.flatMap(({ lane, bench }) =>
      (bench.used.length > 0 ? bench.used : [lane]).flatMap((pick) =>
        [
          ...scalingKernels(plans.flatMap(({ recipe }) => recipe.groups.map(({ scheme }) => scheme))),
          intError,
          ...new Set(plans.flatMap((plan) => (plan.method ? methodKernels(plan.recipe) : []))),
        ].map((kernel) => kernelReport(pick, kernel)),
      ),
    );
  const result = (outcome: CompareResult["outcome"], timing: Timing = NO_TIMING): CompareResult => ({
    schemaVersion: SCHEMA_VERSION,
    kind: "compare",
    outcome,
    finished: outcome === "done",
    model: job.summary,
    arithmetic: request.arithmetic,
    ignore: request.ignore,
    original: { fit },
    schemes: [...rows.values()].map((row) => row.result(job)),
    kernels: [...kernels(), ...timing.kernels],
    throughput: timing.throughput,
    elapsedMs: host.now() - started,
  });

  const work = tensorsOf(plans);
  const totalBytes = work.reduce((sum, { start, end }) => sum + end - start, 0);
  /** What the first of some recipes plans for a tensor, or null. */
  const plannedFor = (tensor: CheckpointTensor | undefined, items: readonly CheckpointPlan[]) =>
    items.map((plan) => tensor && matrices.get(plan)?.get(tensor)).find((matrix) => matrix !== undefined) ?? null;
  let doneBytes = 0;
  let partialAt = Number.NEGATIVE_INFINITY;
  try {
    for (const [index, tensor] of work.entries()) {
      const progress = (bytes: number) =>
        hooks.onProgress?.({
          phase: "comparing",
          doneBytes: doneBytes + bytes,
          totalBytes,
          item: quote(tensor.name),
          doneItems: index,
          totalItems: work.length,
        });
      progress(0);
      for (const { lane, bench } of busy) {
        const own = new Map<CheckpointPlan, PlannedMatrix>();
        for (const plan of lane.items) {
          const matrix = matrices.get(plan)?.get(tensor);
          if (matrix) own.set(plan, matrix);
        }
        const next = plannedFor(work[index + 1], lane.items);
        bench.announce(next && { matrix: next, rowMultiple: rowMultipleOf([]) });
        await measureTensor(tensor, own, bench, request.arithmetic, rows, progress);
      }
      doneBytes += tensor.end - tensor.start;
      if (host.now() - partialAt >= PARTIAL_EVERY_MS) {
        partialAt = host.now();
        hooks.onPartial?.(result("partial"));
      }
    }
    hooks.onPartial?.(result("partial"));
    const timing = request.throughput ? await timeOnModel(job, busy, host, hooks) : NO_TIMING;
    return result("done", timing);
  } finally {
    for (const { bench } of busy) await bench.close();
  }
}

/** Measures some recipes on a tensor that they change. A failure that concerns this tensor alone goes to their rows. */
async function measureTensor(
  tensor: CheckpointTensor,
  matrices: ReadonlyMap<CheckpointPlan, PlannedMatrix>,
  bench: Bench,
  arithmetic: Arithmetic,
  rows: ReadonlyMap<CheckpointPlan, CompareRow>,
  progress: (bytes: number) => void,
): Promise<void> {
  try {
    const found = await measureMatrix(bench, matrices, arithmetic, progress);
    for (const [plan, matrix] of matrices) rows.get(plan)?.add(matrix, found.get(plan) as MatrixMeasurement);
  } catch (thrown) {
    const error = asLabError(thrown, `measuring ${quote(tensor.name)}`);
    if (error.code !== "run/row-too-long") throw error;
    for (const [plan, matrix] of matrices) rows.get(plan)?.fail(matrix, error.toData());
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
  busy: readonly BusyLane[],
  host: EngineHost,
  hooks: WorkHooks,
): Promise<Timing> {
  const tensors = tensorsOf(job.plans).length;
  hooks.onProgress?.({
    phase: "timing kernels",
    doneBytes: 0,
    totalBytes: 0,
    item: null,
    doneItems: tensors,
    totalItems: tensors,
  });
  const throughput: ThroughputResult[] = [];
  const kernels: KernelReport[] = [];
  for (const { lane, bench } of busy) {
    const timed = await throughputOf(job, lane.items, bench, host.now, () => stopIfAborted(hooks.signal));
    throughput.push(...timed.results);
    kernels.push(...timed.kernels.map((kernel) => kernelReport({ ...lane, device: bench.device }, kernel)));
  }
  return { throughput, kernels };
}

function tooMany(count: number): LabError {
  return new LabError({
    code: "run/too-many",
    doing: "preparing a comparison",
    found: `${count} schemes`,
    allowed: `at most ${MAX_RECIPES}, which one pass over the weights measures`,
    advice: "compare the others in a second run",
  });
}
