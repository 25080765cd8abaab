import type { JsonObject } from "../base/json.ts";
import type { Architecture, ArchitectureFamily, DecoderFamily, ShapeOf } from "./architecture.ts";
import { denseDecoder } from "./dense-decoder.ts";
import { gemma } from "./gemma.ts";
import { gptNeox } from "./gpt-neox.ts";
import { gpt2 } from "./gpt2.ts";
import type { DecoderGraph } from "./graph.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { mixtral } from "./mixtral.ts";
import { opt } from "./opt.ts";
import { badValue, unknownArchitecture, unknownDecoder, unsupportedFeature } from "./parts/config-errors.ts";
import { configReader } from "./parts/config-reader.ts";
import { phi3 } from "./phi3.ts";
import { qwen } from "./qwen.ts";
import { smollm3 } from "./smollm3.ts";

/** Every family whose KV cache the planner knows: one row each. */
const FAMILIES: readonly ArchitectureFamily[] = [denseDecoder];

/** Every family that runs: one row each. */
const DECODERS: readonly DecoderFamily[] = [llama, smollm3, mistral, qwen, phi3, gemma, gpt2, gptNeox, opt, mixtral];

/** Models that are no decoders of text alone, by what they are: their kind is known, and not run. */
const OTHER_KINDS: readonly { readonly kind: string; readonly modelTypes: readonly string[] }[] = [
  {
    kind: "an encoder, which gives no probabilities of a next token",
    modelTypes: [
      ...["bert", "roberta", "distilbert", "albert", "electra", "deberta", "deberta-v2", "xlm-roberta", "camembert"],
      ...["mpnet", "modernbert", "nomic_bert"],
    ],
  },
  { kind: "an encoder with a decoder", modelTypes: ["t5", "mt5", "umt5", "bart", "mbart", "pegasus", "whisper"] },
  { kind: "a model of images and text; its text model alone would run", modelTypes: ["gemma3"] },
];

/**
 * The architecture that a parsed config.json describes, for the planner.
 * @throws LabError `config/missing-key`, `config/bad-value`, with the fields `rule` and `key`: the file is wrong;
 *   `config/unknown-architecture`, `config/sliding-window`, without a rule: the lab does not know this kind. Each leaves the
 *   weights usable: only what needs the architecture is off.
 */
export function readArchitecture(config: JsonObject): Architecture {
  const modelType = modelTypeOf(config);
  const family = FAMILIES.find((row) => modelType !== null && row.modelTypes.includes(modelType));
  if (modelType === null || !family) {
    const known = FAMILIES.flatMap((row) => row.modelTypes);
    throw unknownArchitecture(modelType, known, "sizes and errors of the weights stand; only the KV cache is left out");
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

/**
 * How the model of a parsed config.json and its stored tensors runs. Every tensor that the graph names is there, in the shape
 * that its step needs. Keys that are absent are what transformers 5.17 takes them for, but for the sizes of the vocabulary,
 * the hidden states, the layers, the heads and the MLP, which must be said.
 * @param shapeOf shapes of the stored tensors, as their files have them
 * @throws LabError `config/unknown-architecture` for a `model_type` that the lab has never heard of;
 *   `config/unsupported-feature` (field `feature`) for what it knows and cannot run; `config/tensor-missing` and
 *   `config/tensor-shape` (fields `tensor`, `expected`, `found`); `config/missing-key` and `config/bad-value` (fields `rule`,
 *   `key`). Each leaves the weights usable.
 */
export function readDecoder(config: JsonObject, shapeOf: ShapeOf): DecoderGraph {
  const modelType = modelTypeOf(config);
  const family = DECODERS.find((row) => modelType !== null && row.modelTypes.includes(modelType));
  if (modelType !== null && family) return family.read(modelType, configReader(config), shapeOf);
  const known = DECODERS.flatMap((row) => row.modelTypes);
  const other = OTHER_KINDS.find((row) => modelType !== null && row.modelTypes.includes(modelType));
  if (other) throw unsupportedFeature(`model_type "${modelType}", ${other.kind}`, known.join(", "));
  throw unknownDecoder(modelType, known);
}

function modelTypeOf(config: JsonObject): string | null {
  const modelType = config.get("model_type");
  return typeof modelType === "string" ? modelType : null;
}
