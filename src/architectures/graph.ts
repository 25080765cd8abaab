/**
 * A decoder as data: which tensors are multiplied with what, in which order. Plain and finite, so that a runner needs no
 * knowledge of families, and a test can print it.
 *
 * Registers are float32 arrays [tokens, width], one row a token; tokens of all windows lie one after the other. The residual
 * stream is the register `hidden`.
 */
export interface DecoderGraph {
  readonly modelType: string;
  readonly vocabularySize: number;
  /** Longest window the model was made for; null where the config does not say. */
  readonly maxPositions: number | null;
  /** Width of each register in float32. */
  readonly registers: ReadonlyMap<string, number>;
  readonly embedding: Embedding;
  /** Steps of each decoder layer. */
  readonly layers: readonly (readonly Step[])[];
  /** Steps between the last layer and the head: the final norm, which writes the register `final`. */
  readonly ending: readonly Step[];
  readonly head: Head;
}

export interface Embedding {
  /** Name of the tensor [vocabulary, width of `hidden`]. */
  readonly tensor: string;
  /** What each row is multiplied with: 1, or Gemma's square root of the width. */
  readonly scale: number;
  /** Learned positions: the row of position p is p + offset. Null where positions are rotary. */
  readonly positions: { readonly tensor: string; readonly offset: number } | null;
}

/** Logits of the register `final`. */
export interface Head {
  readonly module: string;
  /** `lm_head.weight`, or the embedding where they are tied. */
  readonly tensor: string;
  readonly isTied: boolean;
  /** Logits become cap · tanh(logits / cap). */
  readonly softCap: number | null;
}

/** The heads that lie in a register: head h has the columns from start + h · stride on, `dim` of them. */
export interface Heads {
  readonly register: string;
  readonly start: number;
  readonly stride: number;
  readonly count: number;
  readonly dim: number;
}

/** Some neighbouring columns of a register. */
export interface Columns {
  readonly register: string;
  readonly start: number;
  readonly width: number;
}

export type Step = NormStep | LinearStep | RotateStep | AttendStep | GateStep | AddStep | RouteStep | AccumulateStep;

/** Normalizes each of `pieces` equal parts of each row: all of it, or head by head. Input and output differ. */
export interface NormStep {
  readonly kind: "norm";
  /** Root mean square, or mean and variance. */
  readonly form: "rms" | "layer";
  readonly input: string;
  readonly output: string;
  readonly pieces: number;
  readonly weight: string;
  readonly bias: string | null;
  readonly epsilon: number;
  /** Added to each weight: 1 for Gemma. */
  readonly offset: 0 | 1;
}

/** output = input · Wᵀ + bias, over whole registers. */
export interface LinearStep {
  readonly kind: "linear";
  /** As transformers names it: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  readonly weight: MatrixPlace;
  readonly bias: string | null;
  readonly input: string;
  readonly output: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
}

/** Where a matrix stands. */
export interface MatrixPlace {
  readonly tensor: string;
  /** First of its rows where the tensor holds several matrices one below the other, as fused experts; else 0. */
  readonly firstRow: number;
  /** Stored [in, out], as GPT-2's Conv1D. LLM Compressor leaves such modules alone. */
  readonly isTransposed: boolean;
}

/** Rotates pairs of columns of each head in place, by angles of position · frequency. */
export interface RotateStep {
  readonly kind: "rotate";
  readonly heads: Heads;
  /** In radians per position, rounded to float32 as transformers has them; one for each pair. */
  readonly frequencies: readonly number[];
  /** Cosines and sines are multiplied with it: 1 but for scaled attention. */
  readonly scale: number;
  /** Column i goes with column i + pairs, or with its neighbour. */
  readonly pairing: "halves" | "neighbours";
}

/** Causal attention within each window; query head h uses key and value head ⌊h · kv heads / heads⌋. */
export interface AttendStep {
  readonly kind: "attend";
  /** As transformers names it: `model.layers.0.self_attn`. */
  readonly module: string;
  readonly query: Heads;
  readonly key: Heads;
  readonly value: Heads;
  /** Heads one after the other. */
  readonly output: string;
  /** What scores are multiplied with. */
  readonly scale: number;
  /** Tokens that a token sees, itself among them; null: all before it. */
  readonly window: number | null;
  /** Scores become cap · tanh(scores / cap). */
  readonly softCap: number | null;
}

/** `gelu` with the error function, `gelu-tanh` with its approximation. */
export type Activation = "silu" | "gelu" | "gelu-tanh" | "relu";

/** output = activation(gate) · up, element by element; without `up`, the activation alone. */
export interface GateStep {
  readonly kind: "gate";
  readonly activation: Activation;
  readonly gate: Columns;
  readonly up: Columns | null;
  readonly output: string;
}

/** target += source. */
export interface AddStep {
  readonly kind: "add";
  readonly target: string;
  readonly source: string;
}

/** Softmax of the router's logits [tokens, experts]; all but the `topK` largest become 0, ties in favour of lower numbers. */
export interface RouteStep {
  readonly kind: "route";
  readonly logits: string;
  readonly output: string;
  readonly topK: number;
  /** Whether those that stay are divided by their sum. */
  readonly isNormalized: boolean;
}

/** target += source · weights[:, expert], row by row. */
export interface AccumulateStep {
  readonly kind: "accumulate";
  readonly target: string;
  readonly source: string;
  readonly weights: string;
  readonly expert: number;
  /** Whether target is overwritten instead of added to: the first of a layer's experts. */
  readonly isFirst: boolean;
}
