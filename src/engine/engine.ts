import { asLabError, LabError } from "../base/errors.ts";
import type { Folder } from "../formats/byte-source.ts";
import { type Checkpoint, openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { decodeImatrix, encodeImatrix } from "../formats/imatrix/imatrix-file.ts";
import { decodeStatistics, encodeStatistics } from "../formats/statistics/statistics-file.ts";
import { createMemoryWorkspace } from "../formats/workspaces/memory-workspace.ts";
import { parseRecipe, parseRunRecipe } from "../schemes/recipe.ts";
import {
  activationReport,
  activationStrip,
  type CollectedActivations,
  collectActivations,
  requireOwnStatistics,
} from "./activations.ts";
import type { Engine, EngineHost, JobHooks, QuantizeRequest } from "./api.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { compareSchemes } from "./compare.ts";
import { measureDepth } from "./depth.ts";
import { DeviceSet } from "./device-set.ts";
import type { DiagnosisRequest } from "./diagnosis-api.ts";
import { generate } from "./generation.ts";
import { heal } from "./heal.ts";
import { imatrixOf, importanceReport, requireWholeStatistics } from "./importance.ts";
import { ledgerOf } from "./ledger.ts";
import { measureModels } from "./measure-job.ts";
import { sheetOf } from "./measure-sheet.ts";
import { errorWindowOf } from "./measure-window.ts";
import { Methods } from "./methods/methods.ts";
import { SALIENT_CHANNELS, salientChannels } from "./methods/salient.ts";
import { SAMPLE_CURVE, sampleCurve } from "./methods/sample-curve.ts";
import { STRENGTH_SWEEP, sweepStrength } from "./methods/strength-sweep.ts";
import { Sweep } from "./methods/sweep-point.ts";
import { paced, type WorkHooks } from "./pace.ts";
import { piecesOf } from "./pieces.ts";
import { writeQuantized } from "./quantize.ts";
import type { RunRules } from "./roundings.ts";
import { SCORES_PREFIX } from "./score-cache.ts";
import { summarize } from "./summary.ts";
import { answerTasks, readTasks } from "./tasks.ts";
import { prepareText } from "./text.ts";
import { lookAtToken } from "./token-look.ts";

/** An engine with what its hosts show of it. */
export interface HostedEngine extends Engine {
  readonly devices: DeviceSet;
  /** Name of the open checkpoint; untrusted. Null before the first. */
  readonly openName: string | null;
}

/** An engine on one host. */
export function createEngine(host: EngineHost): HostedEngine {
  const devices = new DeviceSet(host);
  const workspaceOf = host.workspace ?? createMemoryWorkspace;
  const methods = new Methods(devices, workspaceOf, host.now);
  let open: Checkpoint | null = null;
  /** Of the open checkpoint. */
  let collected: CollectedActivations | null = null;
  let busy = false;

  /** Runs a job alone, and forgets a device that failed under it. */
  async function job<T>(doing: string, work: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
    if (busy) throw busyError(doing);
    if (!open) throw nothingOpen(doing);
    busy = true;
    devices.reconsider();
    try {
      return await work(open);
    } catch (thrown) {
      const error = asLabError(thrown, doing);
      if (error.code.startsWith("device/") || error.code === "kernel/failed") devices.close();
      throw error;
    } finally {
      busy = false;
    }
  }

  type PlanRules = Pick<QuantizeRequest, "ignore" | "arithmetic" | "calibration">;
  const planOf = (checkpoint: Checkpoint, scheme: string, rules: PlanRules, hooks: WorkHooks) =>
    methods.plan(checkpoint, parseRecipe(scheme), rules, hooks);

  /** Of a model that is run: with a KV cache scheme it need not change any weight. */
  const runPlanOf = (checkpoint: Checkpoint, scheme: string, rules: RunRules, hooks: WorkHooks) => {
    const parse = rules.roundings.kvCache === null ? parseRecipe : parseRunRecipe;
    return methods.plan(checkpoint, parse(scheme), rules, hooks);
  };

  /** One after the other: each may run a method. */
  async function eachPlan(schemes: readonly string[], plan: (scheme: string) => Promise<CheckpointPlan>) {
    const plans: CheckpointPlan[] = [];
    for (const scheme of schemes) plans.push(await plan(scheme));
    return plans;
  }

  /** Work that runs methods again and again, and keeps none of what they changed. */
  const sweep = <Request extends DiagnosisRequest, T>(
    doing: string,
    request: Request,
    hooks: JobHooks,
    work: (sweep: Sweep<Request>) => Promise<T>,
  ) =>
    job(doing, (checkpoint) => {
      const sweepHost = { devices, workspaceOf, now: host.now };
      return work(new Sweep(doing, checkpoint, request, sweepHost, paced(hooks, host.now)));
    });

  const textHost = (doing: string) => {
    if (!host.text) throw noTexts(doing);
    return host.text;
  };

  const kept = async () => ({
    entries: (await host.store.list())
      .filter(({ key }) => key.startsWith(SCORES_PREFIX))
      .map(({ key, sizeBytes }) => ({ name: key, sizeBytes })),
  });

  return {
    devices,
    get openName() {
      return open?.name ?? null;
    },
    async open(folder: Folder) {
      if (busy) throw busyError("opening a model");
      const checkpoint = await openCheckpoint(folder, { allowNoWeights: true });
      const summary = summarize(checkpoint);
      await methods.clear();
      open = checkpoint;
      collected = null;
      return summary;
    },
    compare: (request, hooks = {}) =>
      job("comparing schemes", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const plans = await eachPlan(request.schemes, (scheme) => planOf(checkpoint, scheme, request, work));
        return compareSchemes({ checkpoint, summary: summarize(checkpoint), plans, request }, devices, host, work);
      }),
    measure: (request, hooks = {}, against = []) =>
      job("measuring divergence", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const others = await Promise.all(against.map((folder) => openCheckpoint(folder)));
        const plans = await eachPlan(request.schemes, (scheme) => runPlanOf(checkpoint, scheme, request, work));
        const summary = summarize(checkpoint);
        return measureModels({ checkpoint, summary, plans, others, request }, devices, host, work);
      }),
    depth: (request, hooks = {}) =>
      job("following the error along depth", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const plan = await runPlanOf(checkpoint, request.scheme, request, work);
        return measureDepth(checkpoint, plan, request, devices, work);
      }),
    heal: (request, hooks = {}) =>
      job("putting parts back", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const plan = await runPlanOf(checkpoint, request.scheme, request, work);
        return heal(checkpoint, plan, request, devices, work);
      }),
    sweepStrength: (request, hooks = {}) => sweep(STRENGTH_SWEEP, request, hooks, sweepStrength),
    sampleCurve: (request, hooks = {}) => sweep(SAMPLE_CURVE, request, hooks, sampleCurve),
    salientChannels: (request, hooks = {}) => sweep(SALIENT_CHANNELS, request, hooks, salientChannels),
    lookAtToken: (request, at, hooks = {}) =>
      job("looking at a token", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const plan = await runPlanOf(checkpoint, request.scheme, request, work);
        return lookAtToken(checkpoint, plan, request, at, devices, work);
      }),
    generate: (request, hooks = {}) =>
      job("generating", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const plans = await eachPlan(request.schemes, (scheme) => runPlanOf(checkpoint, scheme, request, work));
        return generate({ checkpoint, plans, request }, devices, work);
      }),
    async readTasks(file) {
      return readTasks(file, textHost("reading a task file"));
    },
    answer: (request, hooks = {}) =>
      job("answering the items", async (checkpoint) => {
        const work = paced(hooks, host.now);
        const texts = textHost("answering the items");
        const plans = await eachPlan(request.schemes, (scheme) => runPlanOf(checkpoint, scheme, request, work));
        return answerTasks({ checkpoint, plans, request }, devices, texts, work);
      }),
    async pieces(ids) {
      if (!open) throw nothingOpen("reading tokens");
      return piecesOf(open, ids);
    },
    activations: (text, hooks = {}) =>
      job("collecting activations", async (checkpoint) => {
        collected = await collectActivations(checkpoint, text, devices, paced(hooks, host.now));
        return activationReport(collected, "measured");
      }),
    readActivations: (source) =>
      job("reading activation statistics", async (checkpoint) => {
        await requireWholeStatistics(source);
        const file = await decodeStatistics(source);
        await requireOwnStatistics(checkpoint, file);
        collected = { file, chunks: { count: 1, sizeTokens: file.tokens }, kernels: [] };
        return activationReport(collected, "file");
      }),
    async activationsFile() {
      if (!collected) throw nothingCollected();
      return encodeStatistics(collected.file);
    },
    async importanceFile() {
      if (!open || !collected) throw nothingCollected();
      return encodeImatrix(imatrixOf(open, collected));
    },
    readImportance: (source) =>
      job("reading an importance matrix", async (checkpoint) =>
        importanceReport(checkpoint, await decodeImatrix(source)),
      ),
    strip: (module, text, window, hooks = {}) =>
      job("looking at activations", (checkpoint) =>
        activationStrip(checkpoint, module, text, window, devices, paced(hooks, host.now)),
      ),
    ledger() {
      if (!open) throw nothingOpen("listing the tensors");
      return ledgerOf(open);
    },
    sheet: (module, request, hooks = {}) =>
      job("measuring a matrix", async (checkpoint) => {
        const plan = await planOf(checkpoint, request.scheme, request, paced(hooks, host.now));
        return sheetOf(plan, module, request, devices, hooks);
      }),
    errorWindow: (module, request, window, hooks = {}) =>
      job("measuring a window of a matrix", async (checkpoint) => {
        const plan = await planOf(checkpoint, request.scheme, request, paced(hooks, host.now));
        return errorWindowOf(plan, module, request, window, devices, hooks);
      }),
    async quantize(request, output, hooks = {}) {
      try {
        return await job(`exporting ${request.scheme}`, async (checkpoint) => {
          const work = paced(hooks, host.now);
          const plan = await planOf(checkpoint, request.scheme, request, work);
          const result = await writeQuantized(plan, request, output, devices, host, work);
          await output.commit();
          return result;
        });
      } catch (thrown) {
        await output.discard();
        throw thrown;
      }
    },
    prepareText: (request, hooks = {}) =>
      job("preparing text", (checkpoint) => prepareText(checkpoint, request, textHost("preparing text"), hooks.signal)),
    kept,
    async forget() {
      for (const { name } of (await kept()).entries) await host.store.delete(name);
      return kept();
    },
    close() {
      void methods.clear();
      devices.close();
    },
  };
}

function busyError(doing: string): LabError {
  return new LabError({
    code: "run/busy",
    doing,
    found: "another job is running",
    allowed: "one job at a time",
    advice: "wait for it or cancel it",
  });
}

function nothingOpen(doing: string): LabError {
  return new LabError({
    code: "run/nothing-open",
    doing,
    found: "no open model",
    allowed: "a model that was opened before",
    advice: "open a model first",
  });
}

function nothingCollected(): LabError {
  return new LabError({
    code: "run/nothing-collected",
    doing: "writing activation statistics",
    found: "none of the open model",
    allowed: "statistics that were collected, or read from a file",
    advice: "collect them first",
  });
}

function noTexts(doing: string): LabError {
  return new LabError({
    code: "text/no-host",
    doing,
    found: "an engine that was made without a host for texts",
    allowed: "an engine of a page or of the command line",
    advice: "this is a defect of the lab: please report it with these words",
  });
}
