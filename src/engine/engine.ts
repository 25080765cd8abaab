import { asLabError, LabError } from "../base/errors.ts";
import type { Folder } from "../formats/byte-source.ts";
import { type Checkpoint, openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { decodeStatistics, encodeStatistics } from "../formats/statistics/statistics-file.ts";
import { parseRecipe, parseRunRecipe } from "../schemes/recipe.ts";
import {
  activationReport,
  activationStrip,
  type CollectedActivations,
  collectActivations,
  requireOwnStatistics,
} from "./activations.ts";
import type { Engine, EngineHost, QuantizeRequest } from "./api.ts";
import { planCheckpoint } from "./checkpoint-plan.ts";
import { compareSchemes } from "./compare.ts";
import { measureDepth } from "./depth.ts";
import { DeviceSet } from "./device-set.ts";
import { generate } from "./generation.ts";
import { heal } from "./heal.ts";
import { ledgerOf } from "./ledger.ts";
import { measureModels } from "./measure-job.ts";
import { sheetOf } from "./measure-sheet.ts";
import { errorWindowOf } from "./measure-window.ts";
import { paced } from "./pace.ts";
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

  const planOf = (checkpoint: Checkpoint, { scheme, ignore }: Pick<QuantizeRequest, "scheme" | "ignore">) =>
    planCheckpoint(checkpoint, parseRecipe(scheme), ignore);

  /** Of a model that is run: with a KV cache scheme it need not change any weight. */
  const runPlanOf = (
    checkpoint: Checkpoint,
    scheme: string,
    { ignore, roundings }: Pick<RunRules, "ignore" | "roundings">,
  ) => planCheckpoint(checkpoint, (roundings.kvCache === null ? parseRecipe : parseRunRecipe)(scheme), ignore);

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
      open = checkpoint;
      collected = null;
      return summary;
    },
    compare: (request, hooks = {}) =>
      job("comparing schemes", (checkpoint) => {
        const plans = request.schemes.map((name) => planCheckpoint(checkpoint, parseRecipe(name), request.ignore));
        return compareSchemes(
          { checkpoint, summary: summarize(checkpoint), plans, request },
          devices,
          host,
          paced(hooks, host.now),
        );
      }),
    measure: (request, hooks = {}, against = []) =>
      job("measuring divergence", async (checkpoint) => {
        const plans = request.schemes.map((name) => runPlanOf(checkpoint, name, request));
        const others = await Promise.all(against.map((folder) => openCheckpoint(folder)));
        const work = { checkpoint, summary: summarize(checkpoint), plans, others, request };
        return measureModels(work, devices, host, paced(hooks, host.now));
      }),
    depth: (request, hooks = {}) =>
      job("following the error along depth", (checkpoint) =>
        measureDepth(
          checkpoint,
          runPlanOf(checkpoint, request.scheme, request),
          request,
          devices,
          paced(hooks, host.now),
        ),
      ),
    heal: (request, hooks = {}) =>
      job("putting parts back", (checkpoint) =>
        heal(checkpoint, runPlanOf(checkpoint, request.scheme, request), request, devices, paced(hooks, host.now)),
      ),
    lookAtToken: (request, at, hooks = {}) =>
      job("looking at a token", (checkpoint) =>
        lookAtToken(
          checkpoint,
          runPlanOf(checkpoint, request.scheme, request),
          request,
          at,
          devices,
          paced(hooks, host.now),
        ),
      ),
    generate: (request, hooks = {}) =>
      job("generating", (checkpoint) => {
        const plans = request.schemes.map((name) => runPlanOf(checkpoint, name, request));
        return generate({ checkpoint, plans, request }, devices, paced(hooks, host.now));
      }),
    async readTasks(file) {
      return readTasks(file, textHost("reading a task file"));
    },
    answer: (request, hooks = {}) =>
      job("answering the items", (checkpoint) => {
        const plans = request.schemes.map((name) => runPlanOf(checkpoint, name, request));
        const texts = textHost("answering the items");
        return answerTasks({ checkpoint, plans, request }, devices, texts, paced(hooks, host.now));
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
        const file = await decodeStatistics(source);
        await requireOwnStatistics(checkpoint, file);
        collected = { file, kernels: [] };
        return activationReport(collected, "file");
      }),
    async activationsFile() {
      if (!collected) throw nothingCollected();
      return encodeStatistics(collected.file);
    },
    strip: (module, text, window, hooks = {}) =>
      job("looking at activations", (checkpoint) =>
        activationStrip(checkpoint, module, text, window, devices, paced(hooks, host.now)),
      ),
    ledger() {
      if (!open) throw nothingOpen("listing the tensors");
      return ledgerOf(open);
    },
    sheet: (module, request, hooks = {}) =>
      job("measuring a matrix", (checkpoint) =>
        sheetOf(checkpoint, planOf(checkpoint, request), module, request, devices, hooks),
      ),
    errorWindow: (module, request, window, hooks = {}) =>
      job("measuring a window of a matrix", (checkpoint) =>
        errorWindowOf(checkpoint, planOf(checkpoint, request), module, request, window, devices, hooks),
      ),
    async quantize(request, output, hooks = {}) {
      try {
        return await job(`exporting ${request.scheme}`, async (checkpoint) => {
          const plan = planOf(checkpoint, request);
          const result = await writeQuantized(checkpoint, plan, request, output, devices, host, paced(hooks, host.now));
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
