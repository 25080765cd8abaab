import { isJsonArray, isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { ConfigReader } from "../architecture.ts";
import { badValue, missingKey } from "./config-errors.ts";

/** No real model passes it; a hostile config that does would make every figure nonsense. */
const MAX_CONFIG_INTEGER = 2 ** 40;

/**
 * Fields with a lower limit. Layers and experts are rows of memory here; the longest context announced so far is 1e7 tokens;
 * the largest known head has 512 elements.
 */
const LOWER_LIMITS: ReadonlyMap<string, number> = new Map([
  ["num_hidden_layers", 10_000],
  ["n_layer", 10_000],
  ["num_local_experts", 10_000],
  ["num_experts", 10_000],
  ["max_position_embeddings", 2 ** 30],
  ["n_positions", 2 ** 30],
  ["head_dim", 2 ** 20],
]);

/**
 * @param config config.json or an object inside of it
 * @param path the keys that lead to `config`, each with a dot after it, for messages
 */
export function configReader(config: JsonObject, path = ""): ConfigReader {
  const first = (names: readonly string[]): { readonly name: string; readonly value: JsonValue } | null => {
    for (const name of names) {
      const value = config.get(name);
      if (value !== undefined && value !== null) return { name: `${path}${name}`, value };
    }
    return null;
  };

  const wholeNumber = (names: readonly string[], least: 0 | 1): number | null => {
    const found = first(names);
    if (!found) return null;
    const { name, value } = found;
    const number = isJsonNumber(value) ? value.asUnsignedInteger() : undefined;
    const most = LOWER_LIMITS.get(name) ?? MAX_CONFIG_INTEGER;
    if (number === undefined || number < BigInt(least) || number > BigInt(most)) {
      throw badValue(name, inWords(value), `a whole number from ${least} to ${most}`);
    }
    return Number(number);
  };
  const optionalInteger = (...names: readonly string[]) => wholeNumber(names, 1);

  return {
    has: (name) => config.has(name),
    optionalInteger,
    optionalCount: (name) => wholeNumber([name], 0),
    integer(...names) {
      const value = optionalInteger(...names);
      if (value === null) throw missingKey(`${path}${names[0] ?? ""}`, names);
      return value;
    },
    optionalNumber(...names) {
      const found = first(names);
      if (!found) return null;
      const number = isJsonNumber(found.value) ? found.value.asNumber() : Number.NaN;
      if (!(number > 0)) throw badValue(found.name, inWords(found.value), "a number above 0");
      return number;
    },
    flag(name, absent = false) {
      const value = config.get(name);
      if (value === undefined) return absent;
      if (value !== null && typeof value !== "boolean")
        throw badValue(`${path}${name}`, inWords(value), "true or false");
      return value === true;
    },
    optionalText(...names) {
      const found = first(names);
      if (!found) return null;
      if (typeof found.value !== "string") throw badValue(found.name, inWords(found.value), "a text");
      return found.value;
    },
    optionalList(name) {
      const found = first([name]);
      if (!found) return null;
      if (!isJsonArray(found.value)) throw badValue(found.name, inWords(found.value), "a list");
      return found.value;
    },
    optionalObject(name) {
      const found = first([name]);
      if (!found) return null;
      if (!isJsonObject(found.value)) throw badValue(found.name, inWords(found.value), "an object");
      return found.value.size === 0 ? null : configReader(found.value, `${found.name}.`);
    },
  };
}

function inWords(value: JsonValue): string {
  if (isJsonNumber(value)) return value.text;
  if (isJsonArray(value)) return "a list";
  if (isJsonObject(value)) return "an object";
  return typeof value === "string" ? `"${value}"` : `${value}`;
}
