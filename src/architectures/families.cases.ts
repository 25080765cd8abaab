import {
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  jsonFromPlain,
  type PlainJsonValue,
  parseJson,
} from "../base/json.ts";
import { readDecoder } from "./families.ts";
import type { DecoderGraph, Step } from "./graph.ts";

/** Where the stored models of `fixtures/golden` are: a folder each, as transformers writes it. */
export const GOLDEN = "fixtures/golden/architectures";

export type Shapes = ReadonlyMap<string, readonly number[]>;

/** Keys of a config with other values; undefined for keys to leave out. */
export type Changes = Readonly<Record<string, PlainJsonValue | undefined>>;

/** What a decoder is read from. */
export interface StoredModel {
  readonly config: JsonObject;
  readonly shapes: Shapes;
}

/** A model of one safetensors file. */
export function storedModel(configFile: Uint8Array, weightsFile: Uint8Array): StoredModel {
  const view = new DataView(weightsFile.buffer, weightsFile.byteOffset);
  const header = parseJson(weightsFile.subarray(8, 8 + Number(view.getBigUint64(0, true))), "the header");
  const config = parseJson(configFile, "config.json");
  if (!isJsonObject(header) || !isJsonObject(config)) throw new Error("no stored model");
  const shapes = new Map<string, readonly number[]>();
  for (const [tensor, entry] of header) {
    const shape = isJsonObject(entry) ? entry.get("shape") : undefined;
    if (isJsonArray(shape))
      shapes.set(
        tensor,
        shape.map((size) => (isJsonNumber(size) ? size.asNumber() : Number.NaN)),
      );
  }
  return { config, shapes };
}

/** The graph of a stored model with some of its config changed, and other tensors if given. */
export function changedGraph(
  { config, shapes }: StoredModel,
  changes: Changes = {},
  tensors: (shapes: Shapes) => Shapes = (same) => same,
): DecoderGraph {
  const changed = new Map(config);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) changed.delete(key);
    else changed.set(key, jsonFromPlain(value));
  }
  const own = tensors(shapes);
  return readDecoder(changed, (tensor) => own.get(tensor) ?? null);
}

export function stepsOf({ layers, ending }: DecoderGraph): readonly Step[] {
  return [...layers.flat(), ...ending];
}

export function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
