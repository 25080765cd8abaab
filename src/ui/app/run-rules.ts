import type { RunRules } from "../../engine/roundings.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import type { TextChoice } from "../../engine/worker-api.ts";
import { kvNeedsCalibration, parseKvCache } from "../../schemes/kv-cache.ts";
import { hasStaticActivations, needsMethodRun, parseRecipe } from "../../schemes/recipe.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import type { AskEngine } from "./ask-engine.ts";

/** What a run over text is asked with: a calibration text where something of it has to be calibrated. */
export async function runRules(asked: AskedRules, call: AskEngine): Promise<RunRules> {
  const { arithmetic, ignore, roundings } = asked;
  const calibration = asksForCalibration(asked) ? await prepareCalibration(asked, call) : null;
  return { arithmetic, ignore, roundings, calibration };
}

/** The same for what calibrates whatever the recipe, as sweeps do. */
export async function calibratedRules(
  asked: AskedRules,
  call: AskEngine,
): Promise<RunRules & { readonly calibration: PreparedText }> {
  const { arithmetic, ignore, roundings } = asked;
  return { arithmetic, ignore, roundings, calibration: await prepareCalibration(asked, call) };
}

/** The text that recipes are calibrated on where only their weights are asked for; null where none of them needs one. */
export async function weightCalibration(
  asked: Pick<AskedRules, "schemes" | "calibration">,
  call: AskEngine,
): Promise<PreparedText | null> {
  return asked.schemes.some(isCalibrated) ? await prepareCalibration(asked, call) : null;
}

/** All of the text, as the command line takes it: the same recipe gives the same bytes there. */
async function prepareCalibration(
  { calibration }: Pick<AskedRules, "calibration">,
  call: AskEngine,
): Promise<PreparedText> {
  const source: TextChoice["source"] =
    calibration === null ? { kind: "bundled", names: ["calibration"] } : { kind: "file", file: calibration };
  return await call("preparing the calibration text", (api) => api.prepareText({ source }));
}

/** Whether something of what is asked for needs a calibration text: weights by a method, or ranges. */
export function asksForCalibration(asked: Pick<AskedRules, "schemes" | "roundings">): boolean {
  return asked.schemes.some(isCalibrated) || asksForRanges(asked);
}

/** Whether something of what is asked for is rounded by static ranges, which come from running text. */
export function asksForRanges({ schemes, roundings }: Pick<AskedRules, "schemes" | "roundings">): boolean {
  const { activations, kvCache } = roundings;
  if (kvCache !== null && kvNeedsCalibration(parseKvCache(kvCache))) return true;
  return activations && schemes.map(parseRecipe).some(hasStaticActivations);
}

/** Whether the weights of a recipe depend on the calibration text. */
export function isCalibrated(scheme: string): boolean {
  return needsMethodRun(parseRecipe(scheme));
}

/** What a text to measure on is held against, so that nothing is measured on what ranges were taken from. */
export function heldAgainst({ calibration }: RunRules): {
  calibration?: Pick<PreparedText, "textHashes" | "windowHashes">;
} {
  if (calibration === null) return {};
  const { textHashes, windowHashes } = calibration;
  return { calibration: { textHashes, windowHashes } };
}
