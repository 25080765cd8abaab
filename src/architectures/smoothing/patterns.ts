/** The two methods that move scales from activations into weights. */
export type SmoothingUse = "smoothquant" | "awq";

/** A mapping as LLM Compressor writes it: which modules go together, by the ends of their names. */
export interface MappingPattern {
  /** How the name of the divided module ends. */
  readonly smooth: string;
  /** How the names of the multiplied modules end; each must be found. */
  readonly balance: readonly string[];
  /** Why LLM Compressor leaves this mapping out of the family's list; absent where it is in it. */
  readonly leftOut?: string;
}

const ATTENTION: MappingPattern = { smooth: "input_layernorm", balance: ["q_proj", "k_proj", "v_proj"] };
const VALUES: MappingPattern = { smooth: "v_proj", balance: ["o_proj"] };
const MLP: MappingPattern = { smooth: "post_attention_layernorm", balance: ["gate_proj", "up_proj"] };
const MLP_AFTER_TWO_NORMS: MappingPattern = { ...MLP, smooth: "pre_feedforward_layernorm" };
const PRODUCT: MappingPattern = { smooth: "up_proj", balance: ["down_proj"] };

const FUSED_ATTENTION: MappingPattern = { smooth: "input_layernorm", balance: ["qkv_proj"] };
const FUSED_VALUES: MappingPattern = { smooth: "qkv_proj", balance: ["o_proj"] };
const FUSED_MLP: MappingPattern = { smooth: "post_attention_layernorm", balance: ["gate_up_proj"] };
const FUSED_PRODUCT: MappingPattern = { smooth: "gate_up_proj", balance: ["down_proj"] };

/**
 * The lists of mappings of families that have one of their own; all others have `DEFAULT`. Keys are values of `model_type`,
 * where the source has names of classes. The source's expressions begin with `.*`, and end with `$` or at the end of a module
 * that has no modules inside, so that ends of names say the same.
 * Source: LLM Compressor 0.14 `modifiers/transform/smoothquant/utils.py`, `MAPPINGS_REGISTRY`, and
 * `modifiers/transform/awq/mappings.py`, `AWQ_MAPPING_REGISTRY`.
 */
const OWN: Readonly<Record<SmoothingUse, ReadonlyMap<string, readonly MappingPattern[]>>> = {
  smoothquant: new Map([
    ["phi3", [FUSED_ATTENTION, FUSED_MLP]],
    ["mixtral", [ATTENTION, { ...MLP, leftOut: "one scale for all experts unbalances them" }]],
  ]),
  awq: new Map([
    ["phi3", [FUSED_ATTENTION, FUSED_VALUES, FUSED_MLP, FUSED_PRODUCT]],
    ["gemma2", [ATTENTION, VALUES, MLP_AFTER_TWO_NORMS, PRODUCT]],
    [
      "gemma3_text",
      [
        {
          ...ATTENTION,
          // https://github.com/vllm-project/llm-compressor/issues/2522
          leftOut:
            "queries and keys are normalized after their projections, and smoothing them was worse than rounding",
        },
        VALUES,
        MLP_AFTER_TWO_NORMS,
        PRODUCT,
      ],
    ],
  ]),
};

const DEFAULT: Readonly<Record<SmoothingUse, readonly MappingPattern[]>> = {
  smoothquant: [ATTENTION, MLP],
  awq: [ATTENTION, VALUES, MLP, PRODUCT],
};

/** The mappings that LLM Compressor tries on a model, in its order. */
export function patternsOf(modelType: string, use: SmoothingUse): readonly MappingPattern[] {
  return OWN[use].get(modelType) ?? DEFAULT[use];
}

/** Ends of names that Mixtral's checkpoints have, and what transformers calls these modules. */
const STORED_ENDS: readonly (readonly [stored: RegExp, today: string])[] = [
  [/\.block_sparse_moe\./, ".mlp."],
  [/(\.experts\.\d+\.)w1$/, "$1gate_proj"],
  [/(\.experts\.\d+\.)w2$/, "$1down_proj"],
  [/(\.experts\.\d+\.)w3$/, "$1up_proj"],
];

/**
 * A module of the graph, which is named after its tensor, as the loaded model names it: LLM Compressor matches those names.
 * Source: transformers 5.17 `conversion_mapping.py`; LLM Compressor 0.14 `modeling/moe/linearize.py` for experts.
 */
export function loadedName(module: string): string {
  return STORED_ENDS.reduce((name, [stored, today]) => name.replace(stored, today), module);
}

/**
 * The multiplied modules that go with a divided one: those below its nearest parent that has one for each end.
 * Source: compressed-tensors 0.19 `utils/match.py`, `match_modules_set`, which finds the same in one walk.
 * @param names of the layer's modules, in order
 * @returns null where an end has no module
 */
export function balanceNames(
  smooth: string,
  ends: readonly string[],
  names: readonly string[],
): readonly string[] | null {
  for (let scope = parentName(smooth); ; scope = parentName(scope)) {
    const inside = names.filter((name) => isInside(name, scope));
    if (ends.every((end) => inside.some((name) => name.endsWith(end)))) {
      return inside.filter((name) => ends.some((end) => name.endsWith(end)));
    }
    if (scope === "") return null;
  }
}

/** The name of the lowest module that holds all of some; one alone is its own. */
export function commonModule(first: string, others: readonly string[]): string {
  let common = first;
  while (!others.every((name) => name === common || isInside(name, common))) common = parentName(common);
  return common;
}

/** Whether a name lies below another; everything lies below the empty name. */
export function isInside(name: string, scope: string): boolean {
  return scope === "" || name.startsWith(`${scope}.`);
}

function parentName(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}
