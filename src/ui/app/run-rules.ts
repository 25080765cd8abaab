import type { RunRules } from "../../engine/roundings.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import { kvNeedsCalibration, parseKvCache } from "../../schemes/kv-cache.ts";
import { needsCalibration, parseRecipe } from "../../schemes/recipe.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import type { AskEngine } from "./close-look.ts";

/** Windows of the calibration text that static ranges are taken from: enough for a range to settle, few enough for seconds. */
const CALIBRATION_WINDOWS = 32;

/** What a run over text is asked with. Static ranges are taken from the text that the lab brings along for it. */
export async function runRules(asked: AskedRules, call: AskEngine): Promise<RunRules> {
  const { arithmetic, ignore, roundings } = asked;
  const source = { kind: "bundled", names: ["calibration"] } as const;
  const calibration = asksForCalibration(asked)
    ? await call("preparing the calibration text", (api) => api.prepareText({ source, windows: CALIBRATION_WINDOWS }))
    : null;
  return { arithmetic, ignore, roundings, calibration };
}

/** Whether something of what is asked for has ranges that come from running text. */
export function asksForCalibration({ schemes, roundings }: Pick<AskedRules, "schemes" | "roundings">): boolean {
  const { activations, kvCache } = roundings;
  if (kvCache !== null && kvNeedsCalibration(parseKvCache(kvCache))) return true;
  return activations && schemes.some((scheme) => needsCalibration(parseRecipe(scheme)));
}

/** What a text to measure on is held against, so that nothing is measured on what ranges were taken from. */
export function heldAgainst({ calibration }: RunRules): {
  calibration?: Pick<PreparedText, "textHashes" | "windowHashes">;
} {
  if (calibration === null) return {};
  const { textHashes, windowHashes } = calibration;
  return { calibration: { textHashes, windowHashes } };
}
