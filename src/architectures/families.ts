import { LabError, quote } from "../base/errors.ts";
import { isJsonNumber, type JsonObject } from "../base/json.ts";
import type { Architecture, ArchitectureFamily, ConfigReader } from "./architecture.ts";
import { denseDecoder } from "./dense-decoder.ts";

/** Every family the lab can read: one row each. */
const FAMILIES: readonly ArchitectureFamily[] = [denseDecoder];

/** No real model passes it; a hostile config that does would make every figure nonsense. */
const MAX_CONFIG_INTEGER = 2 ** 40;

/** Fields with a lower limit. Layers are rows of memory in a planner; the longest context announced so far is 1e7 tokens. */
const LOWER_LIMITS: ReadonlyMap<string, number> = new Map([
  ["num_hidden_layers", 10_000],
  ["max_position_embeddings", 2 ** 30],
]);

/** What a number of config.json that is absent or out of range is in breach of. */
const NUMBER_RULE = "C01";

/**
 * The architecture that a parsed config.json describes.
 * @throws LabError `config/missing-key`, `config/bad-value`, with the fields `rule` and `key`: the file is wrong;
 *   `config/unknown-architecture`, `config/sliding-window`, without a rule: the lab does not know this kind. Each leaves the
 *   weights usable: only what needs the architecture is off.
 */
export function readArchitecture(config: JsonObject): Architecture {
  const modelType = config.get("model_type");
  const family = typeof modelType === "string" ? FAMILIES.find((row) => row.modelTypes.includes(modelType)) : undefined;
  if (typeof modelType !== "string" || !family) {
    throw new LabError({
      code: "config/unknown-architecture",
      doing: "reading the architecture of config.json",
      found: typeof modelType === "string" ? `model_type "${quote(modelType)}"` : "no model_type",
      allowed: FAMILIES.flatMap((row) => row.modelTypes).join(", "),
      advice: "sizes and errors of the weights stand; only the KV cache is left out",
    });
  }
  const reader = configReader(config);
  const architecture = family.read(modelType, reader);
  const { kvHeads, headDim } = architecture.kv;
  if (headDim < 1) throw badValue("head_dim", `${headDim}`, "at least 1");
  // Not part of the geometry; a config whose vocabulary is nonsense is not to be believed in the rest.
  reader.optionalInteger("vocab_size");
  const heads = reader.integer("num_attention_heads");
  if (heads % kvHeads !== 0) {
    throw badValue("num_key_value_heads", `${kvHeads}`, `a divisor of the ${heads} attention heads`);
  }
  return architecture;
}

function configReader(config: JsonObject): ConfigReader {
  const optionalInteger = (...names: readonly string[]): number | null => {
    for (const name of names) {
      const value = config.get(name);
      if (value === undefined || value === null) continue;
      const number = isJsonNumber(value) ? value.asUnsignedInteger() : undefined;
      const most = LOWER_LIMITS.get(name) ?? MAX_CONFIG_INTEGER;
      if (number === undefined || number < 1n || number > BigInt(most)) {
        throw badValue(name, isJsonNumber(value) ? value.text : typeof value, `a whole number from 1 to ${most}`);
      }
      return Number(number);
    }
    return null;
  };
  return {
    optionalInteger,
    integer(...names) {
      const value = optionalInteger(...names);
      if (value !== null) return value;
      throw new LabError({
        code: "config/missing-key",
        doing: "reading config.json",
        found: `no ${names.join(" or ")}`,
        allowed: "a whole number of 1 or more",
        advice: "take the config.json that belongs to the weights; without it the KV cache is left out",
        fields: { rule: NUMBER_RULE, file: "config.json", key: names[0] ?? "" },
      });
    },
    flag: (name) => config.get(name) === true,
  };
}

function badValue(key: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "config/bad-value",
    doing: `reading ${key} of config.json`,
    found: quote(found),
    allowed,
    advice: "take the config.json that belongs to the weights; without it the KV cache is left out",
    fields: { rule: NUMBER_RULE, file: "config.json", key },
  });
}
