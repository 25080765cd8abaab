import { LabError, quote } from "../../base/errors.ts";

/** What a number of config.json that is absent or out of range is in breach of. */
const NUMBER_RULE = "C01";

const RIGHT_CONFIG =
  "take the config.json that belongs to the weights; without it the KV cache is left out and the model cannot run";

/** What stands although the model cannot run. */
const WEIGHTS_STAND = "the weight-only comparison works: sizes and errors of the weights do not need the model to run";

export function missingKey(key: string, names: readonly string[]): LabError {
  return new LabError({
    code: "config/missing-key",
    doing: "reading config.json",
    found: `no ${names.join(" or ")}`,
    allowed: "a number above 0",
    advice: RIGHT_CONFIG,
    fields: { rule: NUMBER_RULE, file: "config.json", key },
  });
}

export function badValue(key: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "config/bad-value",
    doing: `reading ${key} of config.json`,
    found: quote(found),
    allowed,
    advice: RIGHT_CONFIG,
    fields: { rule: NUMBER_RULE, file: "config.json", key },
  });
}

/**
 * Something that the file may well say, but the lab cannot run.
 * @param feature in words, with the value that asks for it: `rope_type "yarn"`
 */
export function unsupportedFeature(feature: string, allowed: string): LabError {
  return new LabError({
    code: "config/unsupported-feature",
    doing: "reading how the model of config.json runs",
    found: quote(feature),
    allowed,
    advice: WEIGHTS_STAND,
    fields: { feature: quote(feature) },
  });
}

export function unknownArchitecture(modelType: string | null, allowed: readonly string[], advice: string): LabError {
  return new LabError({
    code: "config/unknown-architecture",
    doing: "reading the architecture of config.json",
    found: modelType === null ? "no model_type" : `model_type "${quote(modelType)}"`,
    allowed: allowed.join(", "),
    advice,
  });
}

/** An architecture that the lab does not know, where a model is to run. */
export function unknownDecoder(modelType: string | null, allowed: readonly string[]): LabError {
  return unknownArchitecture(modelType, allowed, WEIGHTS_STAND);
}
