import type { ConfigReader, ShapeOf } from "../architecture.ts";
import type { DecoderGraph, Embedding, Head, Step } from "../graph.ts";
import { badValue } from "./config-errors.ts";
import type { GraphWriter, NormKind } from "./graph-writer.ts";
import { storedTensor } from "./stored-tensors.ts";

/** Every second column has a frequency: a hostile head size must not fill the memory. The largest known head has 512. */
const MAX_HEAD_DIM = 2 ** 20;

/** Sizes of a decoder's attention. */
export interface Sizes {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What transformers takes for keys that are absent; null stands for what follows from the other sizes. */
export interface SizeDefaults {
  readonly kvHeads: number | null;
  readonly headDim: number | null;
}

/**
 * Sizes of a decoder with grouped heads. Null KV heads mean as many as heads, a null head size hidden size / heads.
 * @throws LabError `config/missing-key`, `config/bad-value`
 */
export function readSizes(config: ConfigReader, absent: SizeDefaults): Sizes {
  const hidden = config.integer("hidden_size");
  const heads = config.integer("num_attention_heads");
  const stated = (key: string, value: number | null) => (config.has(key) ? config.optionalInteger(key) : value);
  const kvHeads = stated("num_key_value_heads", absent.kvHeads) ?? heads;
  const headDim = stated("head_dim", absent.headDim) ?? Math.floor(hidden / heads);
  if (heads % kvHeads !== 0) {
    throw badValue("num_key_value_heads", `${kvHeads}`, `a divisor of the ${heads} attention heads`);
  }
  if (headDim < 1 || headDim > MAX_HEAD_DIM) {
    throw badValue(
      "head_dim",
      `${headDim}`,
      `1 to ${MAX_HEAD_DIM}, the hidden size by the attention heads unless said`,
    );
  }
  return { hidden, layers: config.integer("num_hidden_layers"), heads, kvHeads, headDim };
}

/** Sizes of a decoder whose heads share out the hidden size. @throws LabError `config/bad-value` where they do not divide it */
export function readEvenSizes(hidden: number, layers: number, heads: number): Sizes {
  if (hidden % heads !== 0 || hidden / heads > MAX_HEAD_DIM) {
    throw badValue(
      "num_attention_heads",
      `${heads}`,
      `a divisor of the hidden size, ${hidden}, of at most ${MAX_HEAD_DIM}`,
    );
  }
  return { hidden, layers, heads, kvHeads: heads, headDim: hidden / heads };
}

/** What lies around the layers of a decoder. */
export interface Frame {
  readonly modelType: string;
  readonly vocabularySize: number;
  readonly maxPositions: number | null;
  readonly graph: GraphWriter;
  readonly shapeOf: ShapeOf;
  /** Name of the embedding as it should be stored. */
  readonly embedding: string;
  readonly embeddingScale: number;
  readonly positions: Embedding["positions"];
  readonly finalNorm: { readonly module: string; readonly kind: NormKind };
  /** Names under which the head may be stored, the usual one first. */
  readonly headNames: readonly string[];
  readonly isTied: boolean;
  readonly softCap: number | null;
}

/**
 * The graph of a decoder around its layers.
 * @param layerOf steps of a layer, from 0 on
 * @throws LabError `config/tensor-missing`, `config/tensor-shape`
 */
export function frameGraph(
  frame: Frame,
  layerCount: number,
  layerOf: (layer: number) => readonly Step[],
): DecoderGraph {
  const { graph, modelType, vocabularySize, maxPositions, embeddingScale, positions, finalNorm } = frame;
  const { embedding, head } = ends(frame);
  return {
    modelType,
    vocabularySize,
    maxPositions,
    registers: graph.registers,
    embedding: { tensor: embedding, scale: embeddingScale, positions },
    layers: Array.from({ length: layerCount }, (_, layer) => layerOf(layer)),
    ending: [graph.norm(finalNorm.module, finalNorm.kind, "hidden", "final")],
    head,
  };
}

/**
 * Where the embedding and the head are stored. A config that ties them may come with either name alone. Where both are stored
 * transformers ties them only if they are equal, so that taking each for itself is right in any case.
 * Source: transformers 5.17 `modeling_utils.py`, `tie_weights`.
 */
function ends(frame: Frame): { readonly embedding: string; readonly head: Head } {
  const { graph, shapeOf, vocabularySize, headNames, isTied, softCap } = frame;
  const shape = [vocabularySize, graph.width("hidden")];
  const storedHead = headNames.find((name) => shapeOf(name) !== null);
  const isHeadMissing = isTied && storedHead === undefined;
  const isEmbeddingMissing = isTied && storedHead !== undefined && shapeOf(frame.embedding) === null;
  const embedding = storedTensor(shapeOf, isEmbeddingMissing ? storedHead : frame.embedding, shape);
  const tensor = isHeadMissing ? embedding : storedTensor(shapeOf, storedHead ?? headNames[0] ?? "", shape);
  // As transformers names the module, whatever the tensor is called.
  return { embedding, head: { module: "lm_head", tensor, isTied: tensor === embedding, softCap } };
}
