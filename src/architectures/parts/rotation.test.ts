import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../../base/json.ts";
import type { ConfigReader } from "../architecture.ts";
import { configReader } from "./config-reader.ts";
import { type Frequencies, frequenciesOf, readFrequencies, rotate, WHOLE_HEADS } from "./rotation.ts";

/**
 * `inv_freq` of transformers 5.17's own rotary embeddings, made from older configs: default, linear and llama3 scaling, whole
 * and partial heads, Gemma 3's two rotations.
 */
const CASES = casesIn(
  parseJson(readFileSync("src/architectures/parts/rotation.fixture.json"), "rotation.fixture.json"),
);

interface Case {
  readonly name: string;
  readonly config: JsonObject;
  readonly layerType: JsonValue;
  readonly frequencies: Frequencies;
}

function casesIn(document: JsonValue): readonly Case[] {
  if (!isJsonArray(document)) throw new Error("no cases");
  return document.map((row) => {
    const field = (key: string) => (isJsonObject(row) ? row.get(key) : undefined);
    const [name, config, layerType, values] = ["name", "config", "layerType", "frequencies"].map(field);
    if (typeof name !== "string" || !isJsonObject(config) || !isJsonArray(values)) throw new Error("no case");
    const frequencies = values.map((value) => (isJsonNumber(value) ? value.asNumber() : Number.NaN));
    return { name, config, layerType: layerType ?? null, frequencies };
  });
}

function frequenciesFor({ config, layerType }: Case): Frequencies {
  const reader = configReader(config);
  const headDim =
    reader.optionalInteger("head_dim") ?? reader.integer("hidden_size") / reader.integer("num_attention_heads");
  switch (config.get("model_type")) {
    case "gpt_neox":
      return readFrequencies(reader, headDim, {
        ...WHOLE_HEADS,
        thetaKey: "rotary_emb_base",
        partial: { factor: 0.25, key: "rotary_pct" },
      });
    case "phi3":
      return readFrequencies(reader, headDim, { ...WHOLE_HEADS, partial: { factor: 1, key: "partial_rotary_factor" } });
    case "gemma3_text":
      return frequenciesOf(
        reader,
        layerType === "full_attention" ? reader.optionalObject("rope_scaling") : null,
        headDim,
        {
          ...WHOLE_HEADS,
          thetaKey: layerType === "full_attention" ? "rope_theta" : "rope_local_base_freq",
        },
      );
    default:
      return readFrequencies(reader, headDim, WHOLE_HEADS);
  }
}

/** Steps between two positive float32 numbers. */
function distance(a: number, b: number): number {
  const [one, other] = new Int32Array(new Float32Array([a, b]).buffer);
  return Math.abs((one ?? 0) - (other ?? 0));
}

test.each(CASES)("$name: the frequencies of transformers", (row) => {
  const found = frequenciesFor(row);
  expect(found.map(Math.fround)).toEqual(found);
  expect(found).toHaveLength(row.frequencies.length);
  const distances = found.map((value, index) => distance(value, row.frequencies[index] ?? Number.NaN));
  // PyTorch's vectorized power is not rounded correctly: measured over 4872 frequencies, 42 were off, by one or two steps.
  expect(Math.max(...distances)).toBeLessThanOrEqual(2);
  expect(distances.filter((steps) => steps > 0).length).toBeLessThanOrEqual(1);
});

test("scaling changes frequencies by far more than that", () => {
  const plain = (config: ConfigReader) => frequenciesOf(config, null, 128, { ...WHOLE_HEADS, theta: 5e5 });
  const scaled = CASES.find(({ name }) => name === "Llama 3.1");
  const first = scaled && plain(configReader(new Map()));
  expect(scaled?.frequencies.filter((value, index) => distance(value, first?.[index] ?? 0) > 1000).length).toBe(35);
});

test("a rotation pairs the halves of what it rotates", () => {
  const heads = { register: "q", start: 0, stride: 8, count: 2, dim: 8 };
  expect(rotate(heads, [1, 0.5])).toEqual({
    kind: "rotate",
    heads,
    frequencies: [1, 0.5],
    scale: 1,
    pairing: "halves",
  });
});
