import { asLabError, cancelledError, LabError } from "../base/errors.ts";
import { formatBytes } from "../base/format.ts";
import type { JobHooks } from "../engine/api.ts";
import { createEngine } from "../engine/engine.ts";
import { frontier } from "../engine/frontier.ts";
import {
  createDiskOutput,
  createNodeWorkspace,
  type NodeWebGpu,
  nodeGpu,
  nodeStore,
  openDiskModel,
} from "../engine/node-host.ts";
import { nodeText } from "../engine/node-text.ts";
import { nodeWasm } from "../engine/node-threads.ts";
import { type Progress, SCHEMA_VERSION } from "../engine/result.ts";
import { diagnoseCommand } from "./diagnose-command.ts";
import { diagnosisText } from "./diagnose-tables.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { HELP } from "./help.ts";
import { inspectText } from "./inspect-tables.ts";
import { measureCommand } from "./measure-command.ts";
import { keptText, measureText } from "./measure-tables.ts";
import { type Command, readCommand } from "./options.ts";
import { errorText, jsonDocument } from "./printing.ts";
import { compareText, exportText } from "./tables.ts";
import { prepareCalibration } from "./texts.ts";

/** What the command line needs of its process. */
export interface CliHost {
  readonly argv: readonly string[];
  /** Folder of the bundled model. */
  readonly bundledModel: string;
  /** Imports the optional package `webgpu`; called only where a GPU may be used. */
  readonly loadWebGpu: () => Promise<NodeWebGpu>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly isTerminal: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command; the result is its exit code. */
export async function main(host: CliHost): Promise<number> {
  let json = host.argv.includes("--json");
  try {
    const command = readCommand(host.argv);
    if (!command) {
      host.out(HELP);
      return EXIT.done;
    }
    json = command.json;
    return await run(command, host);
  } catch (thrown) {
    const error = host.signal.aborted
      ? cancelledError("running this command")
      : asLabError(thrown, "running this command");
    const outcome =
      error.code === "run/cancelled" ? "cancelled" : error.code.startsWith("export/") ? "refused" : "failed";
    if (json) host.out(jsonDocument({ outcome, error: error.toData() }));
    else host.err(errorText(error));
    return exitCodeOf(error.code);
  }
}

/** @returns the exit code */
async function run(command: Command, host: CliHost): Promise<number> {
  const print = (value: unknown, text: () => string) => host.out(command.json ? jsonDocument(value) : text());
  if (command.kept !== null) return await printKept(command, print);
  const model = await openDiskModel(command.model ?? host.bundledModel);
  const needsGpu = command.verb !== "inspect" && (command.device === "gpu" || command.device === "auto");
  const engine = createEngine({
    gpu: needsGpu ? await nodeGpu(host.loadWebGpu) : null,
    wasm: nodeWasm(),
    text: nodeText(),
    device: command.device,
    now: () => performance.now(),
    store: nodeStore(),
    workspace: createNodeWorkspace,
  });
  const hooks: JobHooks = { signal: host.signal, ...progressHook(command, host) };
  try {
    const summary = await engine.open(model.folder);
    if (command.verb === "inspect") {
      // The weights are as good as ever, so all that is known of them is printed beside the error.
      const error = summary.configError;
      const outcome = error ? { outcome: "failed", error } : { outcome: "done" };
      const { roles, shards, tensors } = engine.ledger();
      const ledger = command.tensors ? { roles, shards, tensors } : { roles };
      print({ schemaVersion: SCHEMA_VERSION, kind: "inspect", ...outcome, model: summary, ...ledger }, () =>
        inspectText(summary, ledger),
      );
      if (error && !command.json) host.err(errorText(error));
      return error ? exitCodeOf(error.code) : EXIT.done;
    }
    if (summary.tensors === 0) throw noWeights();
    if (command.verb === "compare") {
      const calibration = await prepareCalibration(command, engine, hooks);
      const result = await engine.compare({ ...command, calibration }, hooks);
      const points = frontier(result.schemes);
      print({ ...result, frontier: points }, () => compareText(result, points));
      return EXIT.done;
    }
    if (command.verb === "measure") {
      const result = await measureCommand(command, engine, model, hooks);
      print(result, () => measureText(result));
      return EXIT.done;
    }
    if (command.verb === "diagnose") {
      const result = await diagnoseCommand(command, engine, summary, hooks);
      print(result, () => diagnosisText(result));
      return EXIT.done;
    }
    const [scheme = ""] = command.schemes;
    const out = command.out ?? "";
    const calibration = await prepareCalibration(command, engine, hooks);
    const output = await createDiskOutput(out, model);
    const result = await engine.quantize(
      { scheme, arithmetic: command.arithmetic, ignore: command.ignore, calibration },
      output,
      hooks,
    );
    print(result, () => exportText(result, out));
    return EXIT.done;
  } finally {
    engine.close();
    await model.close();
  }
}

/** What is kept between runs. No model is opened. */
async function printKept(command: Command, print: (value: unknown, text: () => string) => void): Promise<number> {
  const engine = createEngine({
    gpu: null,
    wasm: null,
    device: "reference",
    now: () => performance.now(),
    store: nodeStore(),
  });
  const { entries } = command.kept === "forget" ? await engine.forget() : await engine.kept();
  print({ schemaVersion: SCHEMA_VERSION, kind: "kept", outcome: "done", entries }, () => keptText(entries));
  return EXIT.done;
}

/** A line of progress that rewrites itself, on a terminal only. */
function progressHook(command: Command, host: CliHost): Pick<JobHooks, "onProgress"> {
  if (command.quiet || command.json || !host.isTerminal) return {};
  return {
    onProgress: ({ phase, doneBytes, totalBytes, doneItems, totalItems }: Progress) =>
      host.err(
        `\r\u001b[K${phase}: ${doneItems} of ${totalItems}, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
      ),
  };
}

function noWeights(): LabError {
  return new LabError({
    code: "checkpoint/no-weights",
    doing: "opening the model",
    found: "no safetensors file",
    allowed: "a folder with weights in safetensors files",
    advice: "give the folder that holds model.safetensors",
  });
}
