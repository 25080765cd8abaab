import type { Engine, JobHooks } from "../engine/api.ts";
import type {
  ActivationReport,
  DepthResult,
  GenerationResult,
  HealResult,
  ImportanceReport,
  LayerActivations,
  LayerImportance,
  TaskResult,
} from "../engine/diagnosis-api.ts";
import { openDiskFile, writeDiskFile } from "../engine/node-host.ts";
import { type ModelSummary, SCHEMA_VERSION } from "../engine/result.ts";
import type { Roundings } from "../engine/roundings.ts";
import type { SalientChannels, SampleCurve, StrengthSweep } from "../engine/sweep-api.ts";
import type { PreparedText } from "../engine/text-api.ts";
import type { Command, Look } from "./options.ts";
import { prepareCalibration, prepareMeasuredText } from "./texts.ts";

/** What `lab diagnose` prints as JSON. What was not looked at is empty or null. */
export interface Diagnosis {
  readonly schemaVersion: number;
  readonly kind: "diagnose";
  readonly outcome: "done";
  readonly model: ModelSummary;
  readonly arithmetic: Command["arithmetic"];
  readonly ignore: readonly string[];
  readonly roundings: Roundings;
  readonly text: { readonly name: string; readonly hash: string; readonly windows: number };
  /** Of each scheme. */
  readonly depth: readonly DepthResult[];
  readonly activations: ActivationJson | null;
  /** In place of activations, where their statistics are an importance matrix of llama.cpp. */
  readonly importance: ImportanceJson | null;
  /** Of each scheme, layers before kinds. */
  readonly healed: readonly HealResult[];
  readonly generation: GenerationResult | null;
  readonly tasks: TaskResult | null;
  /** Of each scheme, as all that follow. */
  readonly strengths: readonly StrengthSweep[];
  readonly samples: readonly SampleCurve[];
  readonly salient: readonly SalientChannels[];
}

type ImportanceJson = Omit<ImportanceReport, "layers"> & {
  readonly layers: readonly (Omit<LayerImportance, "channelMeanSquare"> & {
    readonly channelMeanSquare: readonly number[];
  })[];
};

type ActivationJson = Omit<ActivationReport, "layers"> & {
  readonly layers: readonly (Omit<LayerActivations, "channelAbsMax"> & { readonly channelAbsMax: readonly number[] })[];
};

/**
 * Runs `lab diagnose` on the open model.
 * @throws LabError as the looks of `Engine` do, and `export/…` for `--save-statistics`
 */
export async function diagnoseCommand(
  command: Command,
  engine: Engine,
  model: ModelSummary,
  hooks: JobHooks,
): Promise<Diagnosis> {
  const { schemes, arithmetic, ignore, roundings, diagnosis } = command;
  const has = (look: Look) => diagnosis.looks.includes(look);
  const calibration = await prepareCalibration(command, engine, hooks);
  const text = await prepareMeasuredText(command, engine, calibration, hooks);
  const rules = { arithmetic, ignore, roundings, calibration };
  const depth: DepthResult[] = [];
  const healed: HealResult[] = [];
  for (const scheme of schemes) {
    if (has("depth")) depth.push(await engine.depth({ ...rules, scheme, text }, hooks));
    for (const [look, unit] of [
      ["layers", "layer"],
      ["kinds", "kind"],
    ] as const) {
      if (has(look)) healed.push(await engine.heal({ ...rules, scheme, text, unit, at: diagnosis.at }, hooks));
    }
  }
  const importance = has("activations") ? await importanceOf(command, engine) : null;
  const isCollected = has("activations") && importance === null;
  const activations = isCollected ? await activationsOf(command, engine, text, hooks) : null;
  const generation = has("generation")
    ? await engine.generate({ ...rules, schemes, text, tokens: diagnosis.tokens }, hooks)
    : null;
  const tasks = has("tasks") ? await answer(command, engine, { ...rules, schemes }, hooks) : null;
  const strengths: StrengthSweep[] = [];
  const samples: SampleCurve[] = [];
  const salient: SalientChannels[] = [];
  for (const scheme of schemes) {
    const request = { ...rules, scheme, text };
    if (has("strength")) {
      const own = diagnosis.strengths && { strengths: diagnosis.strengths };
      strengths.push(await engine.sweepStrength({ ...request, ...own }, hooks));
    }
    if (has("samples")) {
      const own = diagnosis.samples && { counts: diagnosis.samples };
      samples.push(await engine.sampleCurve({ ...request, ...own }, hooks));
    }
    if (has("salient")) {
      const own = diagnosis.share !== null && { share: diagnosis.share };
      salient.push(await engine.salientChannels({ ...request, ...own }, hooks));
    }
  }
  return {
    schemaVersion: SCHEMA_VERSION,
    kind: "diagnose",
    outcome: "done",
    ...{ model, arithmetic, ignore, roundings },
    text: { name: text.source, hash: text.hash, windows: text.windows.length },
    ...{ depth, activations, importance, healed, generation, tasks, strengths, samples, salient },
  };
}

/** Files of llama.cpp end so; the lab's own are safetensors. */
function isImatrix(path: string): boolean {
  return path.endsWith(".gguf");
}

/** What an importance matrix says; null where the statistics are not one. It cannot be written as statistics. */
async function importanceOf({ diagnosis }: Command, engine: Engine): Promise<ImportanceJson | null> {
  const { statistics, saveStatistics } = diagnosis;
  if (statistics === null || !isImatrix(statistics) || saveStatistics !== null) return null;
  const report = await withFile(statistics, (source) => engine.readImportance(source));
  return {
    ...report,
    layers: report.layers.map((layer) => ({ ...layer, channelMeanSquare: [...layer.channelMeanSquare] })),
  };
}

async function activationsOf(
  { diagnosis }: Command,
  engine: Engine,
  text: PreparedText,
  hooks: JobHooks,
): Promise<ActivationJson> {
  const { statistics, saveStatistics } = diagnosis;
  const report =
    statistics === null
      ? await engine.activations(text, hooks)
      : await withFile(statistics, (source) => engine.readActivations(source));
  if (saveStatistics !== null) {
    const file = isImatrix(saveStatistics) ? await engine.importanceFile() : await engine.activationsFile();
    await writeDiskFile(saveStatistics, file);
  }
  return {
    ...report,
    layers: report.layers.map((layer) => ({ ...layer, channelAbsMax: [...layer.channelAbsMax] })),
  };
}

async function answer(
  { diagnosis }: Command,
  engine: Engine,
  rules: Omit<Parameters<Engine["answer"]>[0], "tasks">,
  hooks: JobHooks,
): Promise<TaskResult> {
  const { items } = diagnosis;
  const tasks =
    items === null ? await engine.readTasks(null) : await withFile(items, (source) => engine.readTasks(source));
  return engine.answer({ ...rules, tasks }, hooks);
}

async function withFile<T>(
  path: string,
  use: (source: Awaited<ReturnType<typeof openDiskFile>>["source"]) => Promise<T>,
): Promise<T> {
  const opened = await openDiskFile(path, null);
  try {
    return await use(opened.source);
  } finally {
    await opened.close();
  }
}
