import { isJsonNumber } from "../../base/json.ts";
import type { ConfigReader } from "../architecture.ts";
import { badValue, unsupportedFeature } from "./config-errors.ts";

/** Which tokens a layer attends to. */
export type LayerType = "full_attention" | "sliding_attention";

/**
 * The kind of each layer: `layer_types`, or what `absent` says of a layer.
 * @throws LabError `config/bad-value` for a list of another length, `config/unsupported-feature` for other kinds
 */
export function readLayerTypes(
  config: ConfigReader,
  layers: number,
  absent: (layer: number) => LayerType,
): readonly LayerType[] {
  const list = config.optionalList("layer_types");
  if (!list) return Array.from({ length: layers }, (_, layer) => absent(layer));
  if (list.length !== layers) {
    throw badValue("layer_types", `${list.length} entries`, `one for each of the ${layers} layers`);
  }
  return list.map((type) => {
    if (type === "full_attention" || type === "sliding_attention") return type;
    throw unsupportedFeature(
      `layer_types with ${typeof type === "string" ? `"${type}"` : "something else than texts"}`,
      "full_attention, sliding_attention",
    );
  });
}

/** `sliding_window`: tokens that a token sees, itself among them. A key that is absent is `absent`, null is no window. */
export function readWindow(config: ConfigReader, absent: number | null): number | null {
  return config.has("sliding_window") ? config.optionalInteger("sliding_window") : absent;
}

/** The window of each layer, null for full attention. @throws LabError `config/bad-value` for a sliding layer without window */
export function windowsOf(types: readonly LayerType[], window: number | null): readonly (number | null)[] {
  return types.map((type) => {
    if (type === "full_attention") return null;
    if (window === null) {
      throw badValue("sliding_window", "no window", "a window, because layer_types asks for one");
    }
    return window;
  });
}

/** A list of zeros and ones as flags, at least one for each layer; null where the key is absent or null. */
export function readLayerFlags(config: ConfigReader, key: string, layers: number): readonly boolean[] | null {
  const list = config.optionalList(key);
  if (!list) return null;
  if (list.length < layers) throw badValue(key, `${list.length} entries`, `at least ${layers}, one for each layer`);
  return list.slice(0, layers).map((value) => {
    const text = isJsonNumber(value) ? value.text : "";
    if (text !== "0" && text !== "1") throw badValue(key, text || "no number", "zeros and ones");
    return text === "1";
  });
}
