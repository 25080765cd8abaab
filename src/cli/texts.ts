import type { Engine, JobHooks } from "../engine/api.ts";
import { openDiskFile } from "../engine/node-host.ts";
import { EVALUATION_TEXTS, type PreparedText, type TextRequest, type TextSource } from "../engine/text-api.ts";
import { kvNeedsCalibration, parseKvCache } from "../schemes/kv-cache.ts";
import { hasStaticActivations, needsMethodRun, parseRunRecipe } from "../schemes/recipe.ts";
import { type Command, isSweep, type TextFile } from "./options.ts";

/** Windows of a run that asks for no number: enough for an interval, few enough for a model of some hundred million weights. */
const DEFAULT_WINDOWS = 16;

/**
 * The text that models are run on, as the command asks for it.
 * @param calibration is refused as evaluation text
 * @throws LabError as `Engine.prepareText`
 */
export async function prepareMeasuredText(
  command: Command,
  engine: Engine,
  calibration: PreparedText | null,
  hooks: JobHooks,
): Promise<PreparedText> {
  const { file, windows, context, seed } = command.text;
  const rest = {
    ...(windows !== null ? { windows } : file?.kind === "tokens" ? {} : { windows: DEFAULT_WINDOWS }),
    ...(context !== null && { context }),
    ...(seed !== null && { seed }),
    ...(calibration && { calibration }),
  };
  if (file === null)
    return engine.prepareText({ source: { kind: "bundled", names: EVALUATION_TEXTS }, ...rest }, hooks);
  return fromFile(file, (source) => engine.prepareText({ source, ...rest }, hooks));
}

/**
 * The text that static scales and calibrated weights are taken from; null where a command has none to take. Verbs that do not
 * run the model round no activations, so that static scales ask for nothing there.
 * @throws LabError as `Engine.prepareText`
 */
export async function prepareCalibration(
  { verb, calibration, schemes, roundings, diagnosis }: Command,
  engine: Pick<Engine, "prepareText">,
  hooks: JobHooks,
): Promise<PreparedText | null> {
  const { activations, kvCache } = roundings;
  const takesStatic = activations && (verb === "measure" || verb === "diagnose");
  const recipes = schemes.map(parseRunRecipe);
  const isNeeded =
    (verb === "diagnose" && diagnosis.looks.some(isSweep)) ||
    (kvCache !== null && kvNeedsCalibration(parseKvCache(kvCache))) ||
    recipes.some((recipe) => needsMethodRun(recipe) || (takesStatic && hasStaticActivations(recipe)));
  if (!isNeeded) return null;
  const request = (source: TextSource): TextRequest => ({ source });
  if (calibration === null) return engine.prepareText(request({ kind: "bundled", names: ["calibration"] }), hooks);
  return fromFile(calibration, (source) => engine.prepareText(request(source), hooks));
}

async function fromFile<T>({ kind, path }: TextFile, use: (source: TextSource) => Promise<T>): Promise<T> {
  const opened = await openDiskFile(path, kind === "tokens" ? "tokens.json" : null);
  try {
    return await use({ kind: "file", file: opened.source });
  } finally {
    await opened.close();
  }
}
