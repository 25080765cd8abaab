import { Document } from "yaml";
import { quote } from "../base/errors.ts";
import { groupNames, isPlainPreset } from "./compression-config.ts";
import type { Transform } from "./method.ts";
import { type Pruning, prunesByCalibration, pruningName, removesParts } from "./pruning.ts";
import {
  type ConfigGroup,
  describeRecipe,
  EVERY_LINEAR,
  hasStaticActivations,
  needsMethodRun,
  type Recipe,
} from "./recipe.ts";
import {
  type ActivationScheme,
  ARITHMETIC_EVIDENCE,
  type Arithmetic,
  rangeSearcher,
  type WeightScheme,
} from "./scheme.ts";

/** The LLM Compressor version whose recipe dialect is written. */
export const RECIPE_DIALECT = "LLM Compressor 0.14";

/** A modifier's class and what it is made with. */
type Modifier = readonly [name: string, fields: Readonly<Record<string, unknown>>];

/**
 * `recipe.yaml` that makes `oneshot` do the same: the same tensors where nothing depends on a calibration text, else the
 * same method on the text that the caller gives it. What LLM Compressor cannot do stands in the first lines of the comment.
 * Magnitude pruning it cannot do without training: its `MagnitudePruningModifier` applies its masks after the steps of an
 * optimizer, so `oneshot` runs it and leaves every weight as it was; it has no N:M mask at all, and those of channels and
 * filters want convolutions.
 * The arithmetic stands in the comment and not in a key: the tool takes it from the device, not from the recipe.
 * @returns null where no modifier is left to write: magnitude pruning alone, or parts that are removed, for which the tool has none
 * Source: LLM Compressor 0.14 `recipe/recipe.py :: from_dict`, `modifiers/quantization/quantization/mixin.py`,
 * `modifiers/gptq/base.py`, `modifiers/transform`, `modifiers/pruning`.
 */
export function recipeYaml(recipe: Recipe, ignore: readonly string[], arithmetic: Arithmetic): string | null {
  const prune = pruningModifiers(recipe.pruning, ignore);
  const quantize = quantizingModifiers(recipe, ignore);
  if (prune.length + quantize.length === 0) return null;
  const stages = {
    ...(prune.length > 0 && { prune_stage: asGroups("pruning", prune) }),
    ...(quantize.length > 0 && { quant_stage: asGroups("quant", quantize) }),
  };
  // The tool reads YAML 1.1, in which 2:4 is a number of base 60 and `on` is true: such words are put in quotes.
  const document = new Document(stages, { compat: "yaml-1.1" });
  document.commentBefore = comment(recipe, arithmetic)
    .map((line) => ` ${line}`)
    .join("\n");
  return document.toString({ lineWidth: 0 });
}

/** Modifiers in order; a name that comes again begins a group of its own, because keys of a mapping are unique. */
function asGroups(group: string, modifiers: readonly Modifier[]) {
  const groups: Map<string, Modifier[1]>[] = [];
  for (const [name, fields] of modifiers) {
    const last = groups.at(-1);
    if (last && !last.has(name)) last.set(name, fields);
    else groups.push(new Map([[name, fields]]));
  }
  return Object.fromEntries(
    groups.map((own, at) => [`${group}${at === 0 ? "" : `_${at + 1}`}_modifiers`, Object.fromEntries(own)]),
  );
}

function pruningModifiers(pruning: Pruning | null, ignore: readonly string[]): readonly Modifier[] {
  if (pruning === null || !prunesByCalibration(pruning) || removesParts(pruning)) return [];
  const shape =
    pruning.structure === "n-of-m"
      ? { sparsity: pruning.n / pruning.m, mask_structure: `${pruning.n}:${pruning.m}` }
      : { sparsity: pruning.share, mask_structure: "0:0" };
  const name = pruning.criterion === "wanda" ? "WandaPruningModifier" : "SparseGPTModifier";
  return [[name, { ...shape, targets: [EVERY_LINEAR], ignore: ignore.map(dotted) }]];
}

/**
 * An entry of `ignore` that also matches a name with a dot behind it: where a target is a class, the pruning modifiers look
 * for `lm_head.`, miss the plain entry, and prune an embedding that is tied to it.
 * Source: LLM Compressor 0.14 `modifiers/pruning/sparsegpt/sgpt_base.py :: on_calibration_start`.
 */
function dotted(entry: string): string {
  if (!entry.startsWith("re:")) return `re:${entry.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}\\.?$`;
  // A `$` that is neither escaped nor in a class.
  return entry.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\$/gs, (part) => (part === "$" ? String.raw`(?=\.?$)` : part));
}

function quantizingModifiers({ method, groups }: Recipe, ignore: readonly string[]): readonly Modifier[] {
  const [first] = groups;
  if (!first) return [];
  const schemes = isPlainPreset(groups)
    ? { targets: [EVERY_LINEAR], scheme: first.scheme.name }
    : { config_groups: Object.fromEntries(groupNames(groups).map(({ name, group }) => [name, groupFields(group)])) };
  const fields = { ...schemes, ignore: [...ignore] };
  const { rounding } = method;
  return [
    ...method.transforms.flatMap(transformModifiers),
    rounding.kind === "rtn"
      ? ["QuantizationModifier", fields]
      : [
          "GPTQModifier",
          {
            ...fields,
            actorder: rounding.actorder === "static" ? "static" : null,
            dampening_frac: rounding.dampening,
          },
        ],
  ];
}

/**
 * A modifier takes one strength, and passes over layers whose norm and matrices are all ignored: so one for each strength,
 * which ignores the layers of the others.
 */
function transformModifiers(transform: Transform): readonly Modifier[] {
  if (transform.kind === "awq") {
    return [["AWQModifier", { duo_scaling: transform.duoScaling, n_grid: transform.grid }]];
  }
  const smooth = (strength: number, ignore: readonly string[]): Modifier => [
    "SmoothQuantModifier",
    { smoothing_strength: strength, ...(ignore.length > 0 && { ignore }) },
  ];
  const own = new Map<number, number[]>();
  for (const { first, last, strength } of transform.layers) {
    const layers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    own.set(strength, [...(own.get(strength) ?? []), ...layers]);
  }
  // The number of a decoder layer is the first one in a module's name.
  const within = (layers: readonly number[]) => String.raw`\D*\.(?:${layers.join("|")})\.`;
  const all = [...own.values()].flat();
  return [
    smooth(transform.strength, all.length === 0 ? [] : [`re:${within(all)}`]),
    ...[...own].map(([strength, layers]) => smooth(strength, [`re:(?!${within(layers)})`])),
  ];
}

function groupFields({ scheme: { weights, inputActivations }, targets }: ConfigGroup) {
  return {
    targets: targets.length === 0 ? [EVERY_LINEAR] : [...targets],
    weights: quantizationFields(weights),
    ...(inputActivations && {
      input_activations: {
        ...quantizationFields(inputActivations),
        dynamic: inputActivations.dynamic,
      },
    }),
  };
}

function quantizationFields({ type, bits, symmetric, granularity, observer }: WeightScheme | ActivationScheme) {
  return {
    num_bits: bits,
    type,
    symmetric,
    strategy: granularity.strategy,
    ...(granularity.strategy === "group" && { group_size: granularity.groupSize }),
    ...(observer && { observer }),
  };
}

function comment(recipe: Recipe, arithmetic: Arithmetic): readonly string[] {
  const isCalibrated = needsMethodRun(recipe);
  const gpu = arithmetic === "eager" ? "set CT_ENFORCE_EAGER=1" : "leave CT_ENFORCE_EAGER unset";
  const lines = [
    `${quote(recipe.name)}: ${quote(describeRecipe(recipe))}.`,
    ...differences(recipe, arithmetic),
    `For ${RECIPE_DIALECT}, oneshot(recipe="recipe.yaml").`,
    `arithmetic: ${arithmetic} (${ARITHMETIC_EVIDENCE[arithmetic]})`,
    isCalibrated ? `For the same rule of rounding on a GPU: ${gpu}.` : `To get these bytes on a GPU: ${gpu}.`,
    "oneshot picks modules by class: a weight of another class than Linear that the checkpoint beside this recipe",
    "quantized by name stays as it is there.",
  ];
  if (isCalibrated) {
    lines.push(
      "Its weights depend on a calibration text: give oneshot the dataset that the lab was given. The two add up in another",
      "order, so that their weights agree in what they do to the outputs, and not bit for bit.",
    );
  }
  if (hasStaticActivations(recipe)) {
    lines.push("Its static activations take their ranges from a calibration text: give oneshot a dataset.");
  }
  if (recipe.groups.filter(({ targets }) => targets.length > 0).length > 1) {
    lines.push(
      "Where targets overlap, oneshot takes exact names first, then patterns in the order of their letters; the checkpoint",
      "beside this recipe follows the order of the groups.",
    );
  }
  return lines;
}

/** What `oneshot` makes of the recipe otherwise than the lab. */
function differences({ pruning, method, groups }: Recipe, arithmetic: Arithmetic): readonly string[] {
  const lines: string[] = [];
  const searches = groups.some(({ scheme }) => rangeSearcher(scheme.weights) === "memoryless_mse");
  if (searches && arithmetic === "triton") {
    lines.push(
      "NOT THE SAME: on CUDA memoryless_mse is a kernel with another rule of when to stop, unless CT_ENFORCE_EAGER=1; the lab",
      "searched as torch does on a CPU.",
    );
  }
  if (pruning?.criterion === "magnitude") {
    lines.push(
      "PRUNE FIRST: LLM Compressor prunes by magnitude only while it trains, so this recipe cannot. Export",
      `"${pruningName(pruning)} | none" from the lab and run this recipe on that checkpoint.`,
    );
  }
  if (pruning && method.rounding.kind === "gptq") {
    lines.push(
      ...(pruning.criterion === "sparsegpt"
        ? [
            "NOT THE SAME: LLM Compressor prunes all of a model first and rounds then; the lab prunes and rounds column by",
            "column at once, as SparseGPT's authors do.",
          ]
        : []),
      "ZEROS GO: GPTQModifier pays no heed to them and makes other weights of many of them.",
    );
  }
  for (const transform of method.transforms) {
    if (transform.kind === "smoothquant" && transform.rule === "paper") {
      lines.push(
        "NOT THE SAME: SmoothQuantModifier goes by ranges, largest minus smallest activation and twice the largest weight; the",
        "lab went by the paper's rule, by largest magnitudes.",
      );
    }
    if (transform.kind === "awq" && transform.clip) {
      lines.push(
        "NOT THE SAME: AWQModifier does not clip; the lab also narrowed the ranges of groups, as llm-awq does.",
      );
    }
  }
  return lines;
}
