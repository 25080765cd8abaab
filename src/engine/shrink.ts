import { readDecoder } from "../architectures/families.ts";
import type { DecoderGraph, LinearStep, Step } from "../architectures/graph.ts";
import { LabError, quote } from "../base/errors.ts";
import { isJsonArray, type JsonObject, type JsonValue, jsonFromPlain } from "../base/json.ts";
import type { Checkpoint, CheckpointTensor } from "../formats/huggingface/checkpoint.ts";
import { type PartPruning, pruningName } from "../schemes/pruning.ts";
import { decoderOf } from "./decoder-of.ts";

/**
 * A model without some of its channels, heads or layers, as a checkpoint of smaller tensors.
 *
 * It computes what the model does in whose `down_proj` or `o_proj` the columns that read those parts are zero. What a part
 * makes leaves it through these columns alone: a channel of an MLP is one number, made of a row of `gate_proj` and `up_proj`,
 * that only a column of `down_proj` reads; a head's values are read by its columns of `o_proj`, and no head sees another. A
 * sum is the same without the products that are zero. A layer adds the outputs of these two matrices to the residual
 * stream, behind norms of their own where a family has them, which leave zeros as they are: with both zero, their biases
 * too, it hands on what it was given. So a pruning is measured on the zeroed model, tensor by tensor beside the original, and
 * exported as the smaller one.
 */

/** Parts of a model of which some can go. */
export interface ModelParts {
  readonly pruning: PartPruning;
  /** Parts of a layer, or layers: as many as config.json says. */
  readonly count: number;
  /** How many of them go. */
  readonly removed: number;
  /** Of each layer the linear layers that hand on what its parts make. */
  readonly readers: readonly (readonly LinearStep[])[];
  /** Of each layer the tensors that are cut; empty where whole layers go. */
  readonly cuts: readonly (readonly Cut[])[];
  /** What all names of a layer's tensors have before its number: `model.layers.`. */
  readonly prefix: string;
}

/** A tensor whose rows or columns belong to parts, one part after the other. */
export interface Cut {
  readonly tensor: string;
  readonly axis: "rows" | "columns";
  /** Neighbours that belong to one part. */
  readonly lines: number;
}

/** The parts that stay, in rising order. */
export type KeptParts =
  | { readonly structure: "channels" | "heads"; readonly byLayer: readonly (readonly number[])[] }
  | { readonly structure: "layers"; readonly layers: readonly number[] };

/** Neighbouring lines; `end` is exclusive. */
export interface LineRun {
  readonly start: number;
  readonly end: number;
}

/** A tensor of the smaller checkpoint. */
export interface ShrunkTensor {
  /** Where it comes from. */
  readonly tensor: CheckpointTensor;
  /** What it is called now: layers after one that went are counted anew. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly sizeBytes: number;
  /** The rows that stay; null: all. */
  readonly rows: readonly LineRun[] | null;
  /** The columns that stay; null: all. */
  readonly columns: readonly LineRun[] | null;
}

/** What a checkpoint becomes without some parts. */
export interface ShrunkCheckpoint {
  /** In the order of the original's; those of layers that went are missing. */
  readonly tensors: readonly ShrunkTensor[];
  readonly config: JsonObject;
  /** `576 of 768 channels stay in each layer`. */
  readonly words: string;
}

/** Families with a number in config.json for each kind of part, and matrices of their own where parts are cut out. */
const LLAMA_LIKE = ["llama", "mistral", "qwen2", "qwen3", "smollm3", "gemma2", "gemma3_text"];
const FAMILIES: Readonly<Record<PartPruning["structure"], readonly string[]>> = {
  channels: LLAMA_LIKE,
  heads: LLAMA_LIKE,
  layers: [...LLAMA_LIKE, "phi3"],
};

/**
 * Families that transformers loads only where the heads divide the hidden size, even if `head_dim` is said.
 * Source: transformers 5.17 `models/{llama,gemma2,gemma3}/configuration_*.py :: validate_architecture`.
 */
const EVEN_HEADS = ["llama", "gemma2", "gemma3_text"];

const PART_WORDS: Readonly<Record<PartPruning["structure"], string>> = {
  channels: "channels of an MLP",
  heads: "key and value heads",
  layers: "layers",
};

/**
 * The parts of a model that a pruning chooses from.
 * @throws LabError `scheme/cannot-remove` where the model cannot be made smaller so; `config/…` where the lab cannot run it
 */
export function modelParts(checkpoint: Checkpoint, pruning: PartPruning): ModelParts {
  const graph = decoderOf(checkpoint);
  const { structure } = pruning;
  const isMixture = graph.layers.flat().some(({ kind }) => kind === "route");
  if (isMixture || !FAMILIES[structure].includes(graph.modelType)) {
    const found = isMixture ? "a mixture of experts" : `model_type "${quote(graph.modelType)}"`;
    throw refusal(pruning, found, FAMILIES[structure].join(", "), "take wanda:2:4, which leaves every shape as it is");
  }
  const count = structure === "layers" ? graph.layers.length : partsOf(graph, structure);
  // A share has six digits at most: whole numbers say exactly what 0.29 of 100 is.
  const removed = Math.floor((Math.round(pruning.share * 1e6) * count) / 1e6);
  if (removed === 0) {
    throw refusal(
      pruning,
      `${count} ${PART_WORDS[structure]}, of which this share is less than one`,
      count > 1 ? `a share of ${Math.ceil(1e6 / count) / 1e6} or more` : "a model with two or more of them",
      count > 1 ? "prune a larger share" : "prune other parts",
    );
  }
  const prefix = /^(.*?\blayers\.)0\./.exec(attentionOf(graph.layers[0] ?? []).module)?.[1];
  if (prefix === undefined) throw new Error(`layers of ${graph.modelType} without numbers`);
  if (structure === "heads") requireEvenHeads(graph, pruning, count, removed);
  return {
    pruning,
    count,
    removed,
    readers: graph.layers.map((steps) => [
      ...(structure === "channels" ? [] : [linearOf(steps, "o_proj")]),
      ...(structure === "heads" ? [] : [linearOf(steps, "down_proj")]),
    ]),
    cuts: graph.layers.map((steps) => (structure === "layers" ? [] : cutsOf(steps, structure))),
    prefix,
  };
}

/**
 * The modules of which a pruning makes columns zero.
 * @throws LabError as `modelParts`, and where the ignore list has a module that would lose something
 */
export function prunedModules(
  checkpoint: Checkpoint,
  pruning: PartPruning,
  isIgnored: (module: string) => boolean,
): ReadonlySet<string> {
  const { cuts, readers, prefix } = modelParts(checkpoint, pruning);
  const isCut = (name: string) => cuts.flat().some(({ tensor }) => tensor === name);
  const ignored = checkpoint.tensors.find(({ name }) => {
    const isTouched = pruning.structure === "layers" ? name.startsWith(prefix) : isCut(name);
    return isTouched && isIgnored(name.slice(0, name.lastIndexOf(".")));
  });
  if (ignored) {
    throw refusal(
      pruning,
      `${quote(ignored.name)}, which would lose something and is on the ignore list`,
      "ignored modules outside of what is removed: config.json has one number for all layers",
      "take it off the ignore list",
    );
  }
  return new Set(readers.flat().map(({ module }) => module));
}

/**
 * The smaller checkpoint, planned from headers alone.
 * @throws LabError `scheme/cannot-remove` where its config.json would not say what its layers are
 */
export function shrink(checkpoint: Checkpoint, pruning: PartPruning, kept: KeptParts): ShrunkCheckpoint {
  const parts = modelParts(checkpoint, pruning);
  const tensors =
    kept.structure === "layers"
      ? withoutLayers(checkpoint, parts, kept.layers)
      : withoutParts(checkpoint, parts, kept.byLayer);
  const config = shrunkConfig(checkpoint, parts, kept);
  requireSameLayers(checkpoint, pruning, kept, { tensors, config });
  const stay = `${parts.count - parts.removed} of ${parts.count} ${PART_WORDS[pruning.structure]} stay`;
  if (kept.structure !== "layers") return { tensors, config, words: stay };
  const gone = Array.from({ length: parts.count }, (_, layer) => layer).filter((layer) => !kept.layers.includes(layer));
  return { tensors, config, words: `${stay}, without ${gone.join(", ")}` };
}

function withoutParts(
  { tensors }: Checkpoint,
  { cuts }: ModelParts,
  byLayer: readonly (readonly number[])[],
): readonly ShrunkTensor[] {
  const found = new Map(
    cuts.flatMap((own, layer) => own.map((cut) => [cut.tensor, linesOf(byLayer[layer] ?? [], cut)] as const)),
  );
  return tensors.map((tensor) => {
    const lines = found.get(tensor.name);
    if (!lines) return whole(tensor, tensor.name);
    const { axis, runs } = lines;
    const shape = [...tensor.shape];
    const at = axis === "rows" ? 0 : 1;
    const before = shape[at] ?? 0;
    const after = runs.reduce((sum, { start, end }) => sum + end - start, 0);
    shape[at] = after;
    const sizeBytes = ((tensor.end - tensor.start) / before) * after;
    const [rows, columns] = axis === "rows" ? [runs, null] : [null, runs];
    return { tensor, name: tensor.name, shape, sizeBytes, rows, columns };
  });
}

function withoutLayers(
  { tensors }: Checkpoint,
  { prefix, count }: ModelParts,
  layers: readonly number[],
): readonly ShrunkTensor[] {
  return tensors.flatMap((tensor) => {
    const rest = tensor.name.startsWith(prefix) ? tensor.name.slice(prefix.length) : "";
    const layer = /^\d+(?=\.)/.exec(rest)?.[0];
    if (layer === undefined || Number(layer) >= count) return [whole(tensor, tensor.name)];
    const place = layers.indexOf(Number(layer));
    return place < 0 ? [] : [whole(tensor, `${prefix}${place}${rest.slice(layer.length)}`)];
  });
}

function whole(tensor: CheckpointTensor, name: string): ShrunkTensor {
  return { tensor, name, shape: tensor.shape, sizeBytes: tensor.end - tensor.start, rows: null, columns: null };
}

/** The lines of parts, neighbours joined. */
function linesOf(parts: readonly number[], { axis, lines }: Cut) {
  const runs: LineRun[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    const [start, end] = [part * lines, (part + 1) * lines];
    if (last?.end === start) runs[runs.length - 1] = { start: last.start, end };
    else runs.push({ start, end });
  }
  return { axis, runs };
}

function partsOf({ layers }: DecoderGraph, structure: "channels" | "heads"): number {
  const [steps = []] = layers;
  return structure === "heads" ? attentionOf(steps).key.count : linearOf(steps, "down_proj").inFeatures;
}

function cutsOf(steps: readonly Step[], structure: "channels" | "heads"): readonly Cut[] {
  const rows = (name: string, lines: number): readonly Cut[] => {
    const { weight, bias } = linearOf(steps, name);
    const tensors = bias === null ? [weight.tensor] : [weight.tensor, bias];
    return tensors.map((tensor) => ({ tensor, axis: "rows", lines }));
  };
  const columns = (name: string, lines: number): Cut => ({
    tensor: linearOf(steps, name).weight.tensor,
    axis: "columns",
    lines,
  });
  if (structure === "channels") return [...rows("gate_proj", 1), ...rows("up_proj", 1), columns("down_proj", 1)];
  const { query, key } = attentionOf(steps);
  // Query head h reads the key and value head ⌊h · kv heads / heads⌋: those of a group are neighbours.
  const queries = (query.count / key.count) * query.dim;
  return [
    ...rows("q_proj", queries),
    ...rows("k_proj", key.dim),
    ...rows("v_proj", key.dim),
    columns("o_proj", queries),
  ];
}

function linearOf(steps: readonly Step[], name: string): LinearStep {
  const step = steps.find((own): own is LinearStep => own.kind === "linear" && own.module.endsWith(`.${name}`));
  if (!step) throw new Error(`a layer without ${name}`);
  return step;
}

function attentionOf(steps: readonly Step[]) {
  const step = steps.find((own) => own.kind === "attend");
  if (!step) throw new Error("a layer without attention");
  return step;
}

function requireEvenHeads(
  { layers, modelType, registers }: DecoderGraph,
  pruning: PartPruning,
  count: number,
  removed: number,
) {
  const hidden = registers.get("hidden") ?? 0;
  const group = attentionOf(layers[0] ?? []).query.count / count;
  const isLoaded = (groups: number) => hidden % (groups * group) === 0;
  if (!EVEN_HEADS.includes(modelType) || isLoaded(count - removed)) return;
  const shares = Array.from({ length: count - 1 }, (_, index) => index + 1)
    .filter((gone) => isLoaded(count - gone))
    .map((gone) => Math.ceil((1e6 * gone) / count) / 1e6);
  throw refusal(
    pruning,
    `${(count - removed) * group} heads left for a hidden size of ${hidden}`,
    `a number of heads that divides it, or transformers does not load model_type "${modelType}"`,
    shares.length > 0 ? `take a share of ${shares.join(", ")}` : "prune other parts",
  );
}

/** config.json with the numbers of what is left. */
function shrunkConfig(checkpoint: Checkpoint, { count, removed }: ModelParts, kept: KeptParts): JsonObject {
  const graph = decoderOf(checkpoint);
  const config = new Map<string, JsonValue>(checkpoint.config ?? []);
  const set = (key: string, value: number | readonly (number | string)[]) => config.set(key, jsonFromPlain(value));
  const left = count - removed;
  switch (kept.structure) {
    case "channels":
      set("intermediate_size", left);
      break;
    case "heads": {
      const { query, key } = attentionOf(graph.layers[0] ?? []);
      set("num_attention_heads", (query.count / key.count) * left);
      set("num_key_value_heads", left);
      // Where it was not said, it followed from the number of heads.
      set("head_dim", query.dim);
      break;
    }
    case "layers": {
      set("num_hidden_layers", left);
      const shorten = (key: string, stated: readonly (number | string)[]) => {
        const list = config.get(key);
        if (list && isJsonArray(list))
          config.set(
            key,
            kept.layers.map((layer) => list[layer] ?? null),
          );
        // What followed from a layer's place must be said once that is another.
        else if (new Set(stated).size > 1)
          set(
            key,
            kept.layers.map((layer) => stated[layer] ?? 0),
          );
      };
      const isWindowed = (steps: readonly Step[]) => attentionOf(steps).window !== null;
      shorten(
        "layer_types",
        graph.layers.map((steps) => (isWindowed(steps) ? "sliding_attention" : "full_attention")),
      );
      shorten(
        "no_rope_layers",
        graph.layers.map((steps) => Number(steps.some(({ kind }) => kind === "rotate"))),
      );
    }
  }
  return config;
}

/** Refuses a smaller checkpoint whose layers would be taken for others than they were. */
function requireSameLayers(
  checkpoint: Checkpoint,
  pruning: PartPruning,
  kept: KeptParts,
  { tensors, config }: Pick<ShrunkCheckpoint, "tensors" | "config">,
): void {
  const before = decoderOf(checkpoint).layers;
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const after = readDecoder(config, (name) => shapes.get(name) ?? null).layers;
  const expected = kept.structure === "layers" ? kept.layers.map((layer) => before[layer] ?? []) : before;
  const kindOf = (steps: readonly Step[]) =>
    JSON.stringify(
      steps.flatMap((step) => {
        if (step.kind === "rotate") return [step.frequencies, step.scale, step.pairing];
        return step.kind === "attend" ? [step.window, step.scale, step.softCap] : [];
      }),
    );
  const other = expected.findIndex((steps, layer) => kindOf(steps) !== kindOf(after[layer] ?? []));
  if (other < 0) return;
  throw refusal(
    pruning,
    `layer ${other} of the smaller model, whose kind of attention would follow from its new place`,
    "layers of one kind, or their kinds in layer_types of config.json",
    "write layer_types into config.json, or prune channels or heads",
  );
}

function refusal(pruning: PartPruning, found: string, allowed: string, advice: string): LabError {
  return new LabError({
    code: "scheme/cannot-remove",
    doing: `removing ${pruning.structure} (${pruningName(pruning)})`,
    found,
    allowed,
    advice,
    fields: { pruning: pruningName(pruning) },
  });
}
