import { readArchitecture } from "../architectures/families.ts";
import { asLabError, type LabError, type LabErrorData, quote } from "../base/errors.ts";
import { isJsonObject } from "../base/json.ts";
import { computed } from "../base/quantity.ts";
import type { Checkpoint, CheckpointTensor } from "../formats/huggingface/checkpoint.ts";
import type { ModelSummary, Notice } from "./result.ts";

/** Bytes of a KV cache element where the checkpoint is bf16 or f16, which engines keep for the cache by default. */
const KV_ELEMENT_BYTES = 2;

/** What an open checkpoint is, from its headers and config.json. */
export function summarize(checkpoint: Checkpoint): ModelSummary {
  const weightsOf = new Map<string, number>();
  for (const tensor of checkpoint.tensors) {
    weightsOf.set(tensor.dtype, (weightsOf.get(tensor.dtype) ?? 0) + elements(tensor));
  }
  const dtypes = [...weightsOf].map(([dtype, weights]) => ({ dtype, weights })).sort((a, b) => b.weights - a.weights);
  const parameters = dtypes.reduce((sum, { weights }) => sum + weights, 0);
  const fileBytes = checkpoint.shards.reduce((sum, { source }) => sum + source.sizeBytes, 0);
  const tensorBytes = checkpoint.tensors.reduce((sum, { start, end }) => sum + end - start, 0);
  const modelType = checkpoint.config?.get("model_type");
  const shape = decoderShape(checkpoint);
  return {
    name: checkpoint.name,
    parameters: computed(parameters, "weights", "elements of all tensors, from their shapes"),
    fileBytes: computed(fileBytes, "bytes", "sizes of the safetensors files"),
    tensorBytes: computed(tensorBytes, "bytes", "sizes of all tensors, from the headers"),
    bitsPerWeight: computed(
      // Not a number where there are no weights, and shown as a dash.
      parameters > 0 ? (8 * fileBytes) / parameters : Number.NaN,
      "bits per weight",
      "bits of the files / weights of the model",
    ),
    dtypes,
    tensors: checkpoint.tensors.length,
    shards: checkpoint.shards.length,
    modelType: typeof modelType === "string" ? quote(modelType) : null,
    ...shape,
    notices: notices(checkpoint, shape.configError),
  };
}

/** What config.json tells, and what is wrong with it. */
function decoderShape({
  config,
  configError,
}: Checkpoint): Pick<ModelSummary, "kvCache" | "maxPositions" | "configError"> {
  const broken = (error: LabError) => ({ kvCache: error.message, maxPositions: null, configError: error.toData() });
  if (configError) return broken(configError);
  if (!config) return { kvCache: "There is no config.json beside the weights.", maxPositions: null };
  try {
    const { kv, maxPositions } = readArchitecture(config);
    return { kvCache: { ...kv, elementBytes: KV_ELEMENT_BYTES }, maxPositions };
  } catch (thrown) {
    const error = asLabError(thrown, "reading the architecture");
    // An error with a rule is the file's fault; one without is about a kind of model that the lab does not know.
    return error.fields.rule === undefined ? { kvCache: error.message, maxPositions: null } : broken(error);
  }
}

function notices(checkpoint: Checkpoint, configError: LabErrorData | undefined): readonly Notice[] {
  const found: Notice[] = [];
  if (isQuantized(checkpoint)) {
    found.push({
      code: "model/quantized",
      severity: "warning",
      text: "This checkpoint is already quantized (its config has a quantization_config): it can be inspected, not quantized again.",
    });
  }
  if (checkpoint.config?.get("tie_word_embeddings") === true) {
    found.push({
      code: "model/tied",
      severity: "info",
      text: "The output head is the embedding table (tied): ignoring embed_tokens keeps both at full precision.",
    });
  }
  if (checkpoint.config?.has("auto_map")) {
    found.push({
      code: "model/remote-code",
      severity: "info",
      text: "config.json asks for code of its own (auto_map): the lab never runs code from a checkpoint.",
    });
  }
  for (const path of checkpoint.nestedWeights) {
    found.push({
      code: "model/nested-weights",
      severity: "warning",
      text: `${quote(path)} lies in a subfolder and is not part of this checkpoint; LLM Compressor would quantize it too.`,
    });
  }
  for (const text of checkpoint.warnings) found.push({ code: "model/odd", severity: "info", text });
  if (configError) found.push({ code: "model/config", severity: "warning", text: configError.message });
  return found;
}

/** Whether config.json says that the weights are quantized already. */
export function isQuantized(checkpoint: Checkpoint): boolean {
  return isJsonObject(checkpoint.config?.get("quantization_config"));
}

function elements({ shape }: CheckpointTensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
