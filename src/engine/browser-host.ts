import { asLabError, LabError, quote } from "../base/errors.ts";
import type { ByteSource, Folder } from "../formats/byte-source.ts";
import { type OpfsSink, openOpfsSink } from "../formats/outputs/opfs-sink.ts";
import { createTarOutput } from "../formats/outputs/tar-output.ts";
import { createBlobFolder, createBlobSource } from "../formats/sources/blob-source.ts";
import { openHttpSource } from "../formats/sources/http-source.ts";
import { openOpfsStore } from "../formats/stores/opfs-store.ts";
import { clearOpfsWorkspaces, createOpfsWorkspace } from "../formats/workspaces/opfs-workspace.ts";
import type { JobHooks } from "./api.ts";
import { browserText } from "./browser-text.ts";
import { browserWasm } from "./browser-threads.ts";
import { createEngine } from "./engine.ts";
import type { MeasuredTokens } from "./measure-result.ts";
import { createHostStore } from "./store.ts";
import type { DeviceSummary, ModelChoice, Outcome, WorkerApi, WorkerEvent } from "./worker-api.ts";

/** How often the worker says that it is alive. The page gives up after several times that. */
const ALIVE_EVERY_MS = 1000;

/** A page that is told more often has no time left for whoever uses it. */
const PROGRESS_EVERY_MS = 100;

/** Characters of the model's and of the recipe's part of an archive's name. */
const MAX_NAME_LENGTH = 80;

/** Files of bundled models are fetched once and kept by the browser, so that the page goes on without a network. */
const BUNDLED_BYTES = 16 * 2 ** 20;

/** The models that the lab brings along: addresses of their files, given by the build, by their place in `fixtures`. */
const BUNDLED: Readonly<Record<string, string>> = import.meta.glob("../../fixtures/models/**", {
  query: "?url",
  import: "default",
  eager: true,
});

/** The engine in a worker. `scope` is the worker's global scope. */
export function createWorkerApi(scope: { readonly location: { readonly href: string } }): WorkerApi {
  const engine = createEngine({
    gpu: navigator.gpu ?? null,
    wasm: browserWasm(),
    text: browserText(scope.location.href),
    device: "auto",
    now: () => performance.now(),
    store: createHostStore(() => openOpfsStore(navigator.storage)),
    workspace: createOpfsWorkspace,
  });
  // A closed page may have left gigabytes, and this one may never run a method.
  void clearOpfsWorkspaces();
  let events: MessagePort | null = null;
  let running: AbortController | null = null;
  let lastExport: OpfsSink | null = null;
  const say = (event: WorkerEvent) => events?.postMessage(event);

  /** Runs a job that `cancel` can end, its failure as data. */
  async function job<T>(doing: string, work: (hooks: JobHooks) => Promise<T>): Promise<Outcome<T>> {
    const controller = new AbortController();
    let progressAt = Number.NEGATIVE_INFINITY;
    let phase = "";
    // A call that comes while a job runs is refused by the engine; `cancel` still means that job.
    running ??= controller;
    const hooks: JobHooks = {
      signal: controller.signal,
      onProgress: (progress) => {
        const isDue = performance.now() - progressAt >= PROGRESS_EVERY_MS || progress.phase !== phase;
        if (!isDue) return;
        progressAt = performance.now();
        phase = progress.phase;
        say({ type: "progress", progress });
      },
      onPartial: (result) => say({ type: "partial", result }),
      onMeasured: (result) => say({ type: "measured", result }),
      onTokens: (tokens) => say({ type: "tokens", tokens }),
      onHealed: (result) => say({ type: "healed", result }),
    };
    const outcome = await outcomeOf(doing, () => work(hooks));
    if (running === controller) running = null;
    return outcome;
  }

  const folderOf = async (choice: ModelChoice): Promise<Folder> =>
    choice.kind === "bundled" ? bundledFolder(choice.name, scope.location.href) : droppedFolder(choice);

  return {
    start: (port, choice) => {
      events = port;
      setInterval(() => say({ type: "alive" }), ALIVE_EVERY_MS);
      return job("starting the engine", async () => {
        engine.devices.choose(choice);
        return { device: await describeDevice(engine.devices) };
      });
    },
    useDevice: (choice) =>
      job("choosing where to compute", async () => {
        const before = engine.devices.choice;
        engine.devices.choose(choice);
        try {
          return await describeDevice(engine.devices);
        } catch (thrown) {
          engine.devices.choose(before);
          throw thrown;
        }
      }),
    open: (choice) => job("opening a model", async () => engine.open(await folderOf(choice))),
    compare: (request) => job("comparing schemes", (hooks) => engine.compare(request, hooks)),
    // Not a job: it must not take the place of one that `cancel` is to end.
    ledger: () => outcomeOf("listing the tensors", async () => engine.ledger()),
    sheet: (module, request) => job("measuring a matrix", (hooks) => engine.sheet(module, request, hooks)),
    errorWindow: (module, request, window) =>
      job("measuring a window of a matrix", (hooks) => engine.errorWindow(module, request, window, hooks)),
    prepareText: ({ source, ...rest }) =>
      job("preparing text", (hooks) =>
        engine.prepareText(
          {
            ...rest,
            source:
              source.kind === "file" ? { ...source, file: createBlobSource(source.file.name, source.file) } : source,
          },
          hooks,
        ),
      ),
    measure: (request, against) =>
      job("measuring divergence", async (hooks) => {
        // The last of them also travel with the result: events come over another port, and may come later.
        const all: { last: MeasuredTokens | null } = { last: null };
        const onTokens = (tokens: MeasuredTokens) => {
          all.last = tokens;
          hooks.onTokens?.(tokens);
        };
        const result = await engine.measure(request, { ...hooks, onTokens }, await Promise.all(against.map(folderOf)));
        return { result, tokens: all.last };
      }),
    depth: (request) => job("following the error along depth", (hooks) => engine.depth(request, hooks)),
    heal: (request) => job("putting parts back", (hooks) => engine.heal(request, hooks)),
    sweepStrength: (request) =>
      job("sweeping the strength of SmoothQuant", (hooks) => engine.sweepStrength(request, hooks)),
    sampleCurve: (request) =>
      job("sweeping the number of calibration samples", (hooks) => engine.sampleCurve(request, hooks)),
    salientChannels: (request) => job("keeping salient channels", (hooks) => engine.salientChannels(request, hooks)),
    lookAtToken: (request, at) => job("looking at a token", (hooks) => engine.lookAtToken(request, at, hooks)),
    generate: (request) => job("generating", (hooks) => engine.generate(request, hooks)),
    readTasks: (file) =>
      outcomeOf("reading a task file", () => engine.readTasks(file && createBlobSource(file.name, file))),
    answer: (request) => job("answering the items", (hooks) => engine.answer(request, hooks)),
    activations: (text) => job("collecting activations", (hooks) => engine.activations(text, hooks)),
    readActivations: (file) =>
      job("reading activation statistics", () => engine.readActivations(createBlobSource(file.name, file))),
    activationsFile: () => outcomeOf("writing activation statistics", () => engine.activationsFile()),
    importanceFile: () => outcomeOf("writing an importance matrix", () => engine.importanceFile()),
    strip: (module, text, window) =>
      job("looking at activations", (hooks) => engine.strip(module, text, window, hooks)),
    pieces: (ids) => outcomeOf("reading tokens", () => engine.pieces(ids)),
    kept: () => outcomeOf("listing what is kept", () => engine.kept()),
    forget: () => outcomeOf("forgetting what is kept", () => engine.forget()),
    exportCheckpoint: (request) =>
      job(`exporting ${request.scheme}`, async (hooks) => {
        await lastExport?.discard();
        const sink = await openOpfsSink();
        lastExport = sink;
        const fileName = archiveName(engine.openName ?? "", request.scheme);
        const result = await engine.quantize(request, createTarOutput(sink, fileName), hooks);
        return { result, archive: await sink.getFile(), fileName: `${fileName}.tar` };
      }),
    cancel: async () => running?.abort(),
  };
}

/** What work comes to, its failure as data. */
async function outcomeOf<T>(doing: string, work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (thrown) {
    return { ok: false, error: asLabError(thrown, doing).toData() };
  }
}

/** A name for a file system that anyone may have: letters, digits, dots and dashes, none of them leading. */
function archiveName(model: string, scheme: string): string {
  const plain = (text: string) =>
    text
      .replace(/[^A-Za-z0-9._-]+/g, "_")
      .replace(/^[._-]+|_+$/g, "")
      .slice(0, MAX_NAME_LENGTH);
  return `${plain(model) || "model"}-${plain(scheme) || "scheme"}`;
}

async function describeDevice(devices: ReturnType<typeof createEngine>["devices"]): Promise<DeviceSummary> {
  const { device, fallback, choice } = await devices.primary("measuring");
  const widths = [4, 8] as const;
  const exact = await devices.areExact(
    device,
    widths.map((bits) => ({ element: "bf16", bits, symmetric: true, arithmetic: "eager" })),
  );
  return { kind: device.kind, adapter: device.adapter, exact, fallback, choice };
}

async function bundledFolder(name: string, base: string): Promise<Folder> {
  const prefix = `../../fixtures/models/${name}/`;
  const entries = Object.entries(BUNDLED).filter(([path]) => path.startsWith(prefix));
  if (entries.length === 0) {
    throw new LabError({
      code: "source/not-bundled",
      doing: "opening a bundled model",
      found: `none named "${quote(name)}"`,
      allowed: [...new Set(Object.keys(BUNDLED).map((path) => path.split("/").at(-2) ?? ""))].join(", "),
      advice: "choose one of these, or open a folder",
    });
  }
  const files = await Promise.all(
    entries.map(async ([path, url]): Promise<[string, ByteSource]> => {
      const source = await openHttpSource(url, { base, keepUpToBytes: BUNDLED_BYTES });
      // The build names files by their hash; people know them by their own.
      const own = path.slice(prefix.length);
      return [
        own,
        { name: own, sizeBytes: source.sizeBytes, read: (start, end, into) => source.read(start, end, into) },
      ];
    }),
  );
  return { name, files: new Map(files) };
}

function droppedFolder(choice: Extract<ModelChoice, { kind: "files" }>): Folder {
  return createBlobFolder(
    choice.name,
    choice.files.map(({ path, file }) => [path, file] as const),
  );
}
