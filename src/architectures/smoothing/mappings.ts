import type { DecoderGraph, LinearStep, MatrixPlace, NormStep, Step } from "../graph.ts";
import { disturbance, writtenBy } from "./flow.ts";
import {
  balanceNames,
  commonModule,
  isInside,
  loadedName,
  type MappingPattern,
  patternsOf,
  type SmoothingUse,
} from "./patterns.ts";

export type { SmoothingUse } from "./patterns.ts";

/**
 * Scales that change nothing but how well numbers round: what `smooth` makes is divided by them, channel by channel, and the
 * columns of the matrices that read it are multiplied.
 */
export interface SmoothingMapping {
  /** Decoder layer. */
  readonly layer: number;
  /** Of the smooth layer as the loaded model names it: `model.layers.0.input_layernorm`, `…self_attn.v_proj`. */
  readonly name: string;
  readonly smooth: SmoothLayer;
  /** Linear layers that are multiplied, column j by the scale of channel j, in the graph's order. */
  readonly balance: readonly BalanceLayer[];
  /** How many scales there are: input features of each balance layer. */
  readonly channels: number;
  readonly parent: SmoothingParent;
}

/** What is divided by the scales. */
export type SmoothLayer = SmoothNorm | SmoothLinear;

/** Weight and bias of a norm, both [channels]. How a divided weight is stored: `smoothedNorm`. A bias has no offset. */
export interface SmoothNorm {
  readonly kind: "norm";
  readonly weight: string;
  readonly bias: string | null;
  /** The norm multiplies with weight + offset: 1 for Gemma, so that weight + offset is what is divided. */
  readonly offset: 0 | 1;
}

/** Rows of a matrix, and the elements of its bias that belong to them: row firstRow + j by the scale of channel j. */
export interface SmoothLinear {
  readonly kind: "linear";
  readonly module: string;
  readonly weight: MatrixPlace;
  readonly bias: string | null;
  /** First output feature that is divided: not 0 where values, or the factor of a gate, are the last rows of a fused matrix. */
  readonly firstRow: number;
}

export interface BalanceLayer {
  readonly module: string;
  readonly weight: MatrixPlace;
  readonly outFeatures: number;
}

/**
 * The module whose output AWQ compares: the lowest that holds all balance layers, for one balance layer that one itself.
 * Steps from `firstStep` (inclusive) to `endStep` (exclusive) of `graph.layers[layer]`. They read `input` alone of what is not
 * written among them; `output` may be the same register.
 */
export interface SmoothingParent {
  readonly module: string;
  readonly firstStep: number;
  readonly endStep: number;
  readonly input: string;
  readonly output: string;
}

/** A mapping of LLM Compressor's list, or one that its users expect, which is not applied. */
export interface RefusedMapping {
  readonly layer: number;
  /** Of the smooth layer; where the layer has none, how its name would end. */
  readonly name: string;
  readonly reason: string;
}

export interface SmoothingMappings {
  readonly mappings: readonly SmoothingMapping[];
  readonly refused: readonly RefusedMapping[];
}

/** A step that has weights of its own. */
type Weighted = NormStep | LinearStep;

/** A layer as LLM Compressor sees it: its modules by their names in the loaded model, in the order of the graph. */
interface Layer {
  readonly graph: DecoderGraph;
  readonly number: number;
  readonly steps: readonly Step[];
  readonly modules: ReadonlyMap<string, Weighted>;
}

/**
 * What SmoothQuant or AWQ scales in a model, as LLM Compressor 0.14 chooses it by the names of modules: layer by layer, in
 * the order in which its list has the mappings. What would change the model's function is refused, also where LLM Compressor
 * does it: the MLP of Gemma 2 and 3 under SmoothQuant, whose norm it takes for another, and the experts of Mixtral under AWQ,
 * whose router it forgets. AWQ also passes over a mapping of which nothing is quantized; that is the recipe's to say.
 * Source: LLM Compressor 0.14 `modifiers/transform/smoothquant/base.py`, `_resolve_mappings`;
 * `modifiers/transform/awq/base.py`, `_set_resolved_mappings`.
 */
export function smoothingMappings(graph: DecoderGraph, use: SmoothingUse): SmoothingMappings {
  const patterns = patternsOf(graph.modelType, use);
  const mappings: SmoothingMapping[] = [];
  const refused: RefusedMapping[] = [];
  for (const [number, steps] of graph.layers.entries()) {
    const layer = { graph, number, steps, modules: weightedModules(steps) };
    for (const pattern of patterns) {
      for (const found of resolve(layer, pattern)) {
        if ("reason" in found) refused.push(found);
        else mappings.push(found);
      }
    }
  }
  return { mappings, refused };
}

/**
 * The stored weight of a norm once what it multiplies with is divided by a scale. Without offset: RN(w / s), the quotient
 * rounded to float32 first. With offset 1 the exact weight would be (1 + w) / s − 1; LLM Compressor has 1 + w in a weight of its
 * own while it calibrates, so that each step is rounded: a = RN(1 + w), b = RN(a / s), RN(b − 1). It rewrites every such norm
 * of a model, smoothed or not: with scale 1 this is RN(RN(1 + w) − 1).
 * Source: LLM Compressor 0.14 `modeling/offset_norm.py`, `CalibrationOffsetNorm`.
 * @param weight as stored
 * @param scale in float32, above 0
 * @param round to the element type in which the weight is stored, of a float32
 */
export function smoothedNorm(weight: number, scale: number, offset: 0 | 1, round: (value: number) => number): number {
  const rounded = (value: number) => round(Math.fround(value));
  if (offset === 0) return rounded(weight / scale);
  return rounded(rounded(rounded(1 + weight) / scale) - 1);
}

function weightedModules(steps: readonly Step[]): ReadonlyMap<string, Weighted> {
  const weighted = steps.filter((step) => step.kind === "norm" || step.kind === "linear");
  return new Map(weighted.map((step) => [moduleName(step), step]));
}

function moduleName(step: Weighted): string {
  return step.kind === "linear" ? loadedName(step.module) : step.weight.replace(/\.weight$/, "");
}

/** What becomes of a pattern in a layer. */
function resolve(layer: Layer, pattern: MappingPattern): readonly (SmoothingMapping | RefusedMapping)[] {
  const names = [...layer.modules.keys()];
  const refuse = (name: string, reason: string): RefusedMapping => ({ layer: layer.number, name, reason });
  const smoothNames = names.filter((name) => name.endsWith(pattern.smooth));
  if (smoothNames.length === 0) return [refuse(pattern.smooth, missingReason(pattern, names))];
  return smoothNames.map((name) => {
    if (pattern.leftOut !== undefined) return refuse(name, `LLM Compressor leaves it out: ${pattern.leftOut}`);
    const balance = balanceNames(name, pattern.balance, names)?.map((one) => layer.modules.get(one));
    const linears = balance?.filter((step) => step?.kind === "linear");
    const smooth = layer.modules.get(name);
    const [first, ...others] = linears ?? [];
    if (!smooth || !first) return refuse(name, missingReason(pattern, names));
    const made = mappingOf(layer, name, smooth, [first, ...others]);
    return typeof made === "string" ? refuse(name, made) : made;
  });
}

/** Steps that are multiplied: never none. */
type Balance = readonly [LinearStep, ...LinearStep[]];

/** The mapping between steps, or why there is none. */
function mappingOf(layer: Layer, name: string, smooth: Weighted, balance: Balance): SmoothingMapping | string {
  const channels = balance[0].inFeatures;
  const shared = smooth.kind === "linear" ? sharedHeads(layer.steps, smooth, balance[0]) : null;
  if (shared !== null) return shared;
  const firstRow = smooth.kind === "linear" ? smooth.outFeatures - channels : 0;
  const divided = { register: smooth.output, start: firstRow, width: channels };
  const reason = disturbance(stepsAfter(layer, smooth), divided, new Set(balance));
  if (reason !== null) return `${reason}; LLM Compressor scales it all the same, which changes the model`;
  return {
    layer: layer.number,
    name,
    smooth: smoothLayer(smooth, firstRow),
    balance: balance.map(({ module, weight, outFeatures }) => ({ module, weight, outFeatures })),
    channels,
    parent: parentOf(layer.steps, balance),
  };
}

function smoothLayer(step: Weighted, firstRow: number): SmoothLayer {
  const { bias } = step;
  if (step.kind === "norm") return { kind: "norm", weight: step.weight, bias, offset: step.offset };
  return { kind: "linear", module: step.module, weight: step.weight, bias, firstRow };
}

/**
 * Why values cannot be divided where several query heads share a value head; null where none do. LLM Compressor sees it by
 * the numbers of features: `_check_layers_are_compatible`.
 */
function sharedHeads(steps: readonly Step[], smooth: LinearStep, reader: LinearStep): string | null {
  const attends = steps.filter((step) => step.kind === "attend");
  const attend = attends.find(({ value, output }) => value.register === smooth.output && output === reader.input);
  if (!attend || attend.value.count === attend.query.count) return null;
  const [from, to] = [smooth, reader].map(({ module }) => loadedName(module).split(".").at(-1));
  const made = attend.value.count * attend.value.dim;
  const part = made < smooth.outFeatures ? " for values" : "";
  return `${from} makes ${made} features${part}, ${to} takes ${reader.inFeatures}: several query heads share a value head`;
}

/** Steps after one of a layer, up to the end of the model. */
function* stepsAfter({ graph, number, steps }: Layer, step: Step): Generator<Step> {
  yield* steps.slice(steps.indexOf(step) + 1);
  for (const later of graph.layers.slice(number + 1)) yield* later;
  yield* graph.ending;
}

function parentOf(steps: readonly Step[], balance: Balance): SmoothingParent {
  const [first, ...others] = balance;
  const module = commonModule(
    first.module,
    others.map((step) => step.module),
  );
  const last = steps.findLast((step) => belongsTo(step, module)) ?? first;
  return {
    module,
    firstStep: steps.findIndex((step) => belongsTo(step, module)),
    endStep: steps.indexOf(last) + 1,
    input: first.input,
    output: writtenBy(last),
  };
}

function belongsTo(step: Step, module: string): boolean {
  if (step.kind === "norm") return isInside(step.weight, module);
  if (step.kind !== "linear" && step.kind !== "attend") return false;
  return step.module === module || isInside(step.module, module);
}

/** Why a pattern has no modules in a layer, and what LLM Compressor does about it. */
function missingReason({ smooth, balance }: MappingPattern, names: readonly string[]): string {
  const ends = [smooth, ...balance];
  const missing = ends.filter((end) => !names.some((name) => name.endsWith(end)));
  const lacks = `no module of the layer is named ${missing.join(", ")}`;
  if (missing.length === ends.length) return `${lacks}; LLM Compressor passes over it`;
  return `${lacks}; LLM Compressor stops with an error, for it finds ${ends.filter((end) => !missing.includes(end)).join(", ")}`;
}
