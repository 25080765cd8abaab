import { LabError } from "../base/errors.ts";
import { isJsonArray, isJsonNumber, isJsonObject, type JsonValue, parseJson } from "../base/json.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";

const GENERATION_CONFIG = "generation_config.json";

/** The largest public ones have some hundred kilobytes of suppressed tokens. */
const LIMITS = { maxBytes: 10_000_000, maxValues: 1_000_000 };

/**
 * The tokens that end a text: `eos_token_id` of generation_config.json, or where there is none that of config.json; one id,
 * a list, or nothing.
 * @throws LabError `config/bad-end-token`, `json/…`, `source/…`
 * Source: transformers 5.17 `generation/configuration_utils.py :: GenerationConfig.from_model_config`, and
 *   `generation/utils.py`, which takes generation_config.json before it.
 */
export async function endTokensOf({ sideFiles, config }: Checkpoint): Promise<ReadonlySet<number>> {
  const side = sideFiles.find(({ path }) => path === GENERATION_CONFIG);
  if (!side) {
    const inner = config?.get("text_config");
    return idsIn(
      config?.get("eos_token_id") ?? (isJsonObject(inner) ? inner.get("eos_token_id") : null),
      "config.json",
    );
  }
  const { source } = side;
  if (source.sizeBytes > LIMITS.maxBytes) throw bad(GENERATION_CONFIG, `${source.sizeBytes} bytes of settings`);
  const json = parseJson(await source.read(0, source.sizeBytes), GENERATION_CONFIG, LIMITS);
  if (!isJsonObject(json)) throw bad(GENERATION_CONFIG, "JSON that is not an object");
  return idsIn(json.get("eos_token_id"), GENERATION_CONFIG);
}

function idsIn(value: JsonValue | undefined, file: string): ReadonlySet<number> {
  if (value === undefined || value === null) return new Set();
  const ids = isJsonArray(value) ? value : [value];
  return new Set(
    ids.map((id) => {
      const number = isJsonNumber(id) ? id.asUnsignedInteger() : undefined;
      if (number === undefined || number > 0xffffffffn) throw bad(file, "an eos_token_id that is no token id");
      return Number(number);
    }),
  );
}

function bad(file: string, found: string): LabError {
  return new LabError({
    code: "config/bad-end-token",
    doing: `reading ${file}`,
    found,
    allowed: "eos_token_id as a token id, a list of them, or none",
    advice: `mend ${file}, or take it away`,
    fields: { file },
  });
}
