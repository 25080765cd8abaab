import { LabError, quote } from "../base/errors.ts";

/** A strength of SmoothQuant for the decoder layers from `first` to `last`, both included and counted from 0. */
export interface LayerStrength {
  readonly first: number;
  readonly last: number;
  readonly strength: number;
}

/**
 * A change of the weights that leaves what the model computes as it is and makes it easier to round: factors move from the
 * inputs of layers into their columns.
 * `smoothquant`: s = a^strength / w^(1 − strength) for each input channel, of the activations' range a and the weights'
 *   range w. `rule` `tool`: LLM Compressor's ranges (largest minus smallest activation, twice the largest weight);
 *   `paper`: largest magnitudes. `layers` take another strength than the rest, in order and without overlap.
 *   Source: Xiao et al., SmoothQuant (2023), equation 4; LLM Compressor 0.14 `modifiers/transform/smoothquant/base.py ::
 *   _calculate_smoothing_scales`; mit-han-lab/smoothquant `smoothquant/smooth.py :: smooth_ln_fcs`.
 * `awq`: the factors of `grid` that leave the smallest error of the outputs once the weights are rounded. `duoScaling`:
 *   factors of the weights' magnitudes too, not of the activations' alone; `both` tries half of the grid with each.
 *   `clip`: also narrows the range of each group to where its error is smallest, which llm-awq does and LLM Compressor does
 *   not. Source: Lin et al., AWQ (2024), section 3; LLM Compressor 0.14 `modifiers/transform/awq/base.py ::
 *   _get_grid_search_params`; mit-han-lab/llm-awq `awq/quantize/auto_clip.py :: auto_clip_layer`.
 */
export type Transform =
  | {
      readonly kind: "smoothquant";
      readonly strength: number;
      readonly rule: "tool" | "paper";
      readonly layers: readonly LayerStrength[];
    }
  | {
      readonly kind: "awq";
      readonly duoScaling: boolean | "both";
      readonly grid: number;
      readonly clip: boolean;
    };

/**
 * In which order GPTQ rounds columns. `static`: those whose inputs are loudest first, each with the scale of the group that
 * it lies in; `none`: as they lie. The older `group`, which forms groups in that order, is refused by LLM Compressor 0.14.
 */
export type ActivationOrder = "static" | "none";

/**
 * How a weight becomes a code.
 * `rtn`: the nearest, each for itself.
 * `gptq`: column by column, the error of each spread over the columns that are still to come. `dampening` is the share of
 *   the mean of the Hessian's diagonal that is added to it. Source: Frantar et al., GPTQ (2023), section 3.3; LLM Compressor
 *   0.14 `modifiers/gptq/gptq_quantize.py :: quantize_weight`.
 */
export type Rounding =
  | { readonly kind: "rtn" }
  | { readonly kind: "gptq"; readonly actorder: ActivationOrder; readonly dampening: number };

/** How weights become codes: what is done to them first, in order, and how they are rounded then. */
export interface Method {
  /** In one canonical spelling, which `parseMethod` reads back: `smoothquant:strength=0.8+gptq`; `rtn` for plain rounding. */
  readonly name: string;
  readonly transforms: readonly Transform[];
  readonly rounding: Rounding;
}

/** Round to nearest and nothing else: what every recipe does that names no method. */
export const PLAIN_ROUNDING: Method = { name: "rtn", transforms: [], rounding: { kind: "rtn" } };

/** The words that a method begins with; no preset has such a name. */
const PART_NAMES = ["smoothquant", "awq", "gptq", "rtn"] as const;
type PartName = (typeof PART_NAMES)[number];

const DEFAULT_STRENGTH = 0.5;
const DEFAULT_GRID = 20;
const DEFAULT_DAMPENING = 0.01;

/** Every point of the grid is a run of a block over the calibration text; finer than this tells no factors apart. */
const MAX_GRID = 100;

/**
 * The tool divides by the steps of the grid: its points less one, of each half for `both`; duo scaling spends one more point
 * on no scaling at all.
 */
const MIN_GRID = { no: 2, yes: 3, both: 4 };

/** Deeper models than any that exists, and no list of them as long as a hostile text would have it. */
const MAX_LAYER = 999;

/** At most six digits after the point: finer differences change no factor of any model that exists. */
const DECIMAL = /^(?:[01]|[01]?\.[0-9]{1,6})$/;

/** Whether a text is meant as a method, by the word that it begins with. */
export function beginsMethod(text: string): boolean {
  const [word] = /^[a-z]*(?=\s*(?:[:+]|$))/i.exec(text.trim()) ?? [];
  return PART_NAMES.some((name) => name === word?.toLowerCase());
}

/**
 * A method by its name, whatever the letter case: transforms first and then the rounding, joined by `+`.
 * ```
 * smoothquant[:strength=0.5][:rule=paper][:layers=3-5/0.8,7/0.6]
 * awq[:duo=yes|no|both][:grid=20][:clip]
 * gptq[:actorder=static|none][:damp=0.01]
 * rtn
 * ```
 * Without a rounding it is `rtn`. 0 ≤ strength ≤ 1; 3 ≤ grid ≤ 100, without duo scaling from 2 on, for `both` from 4 on and
 * even; 0 < damp ≤ 1.
 * @throws LabError `scheme/bad-method`
 */
export function parseMethod(text: string): Method {
  const parts = text.split("+").map((part) => new Part(part, text));
  const transforms = parts.flatMap((part) => readTransform(part));
  const roundings = parts.flatMap((part) => readRounding(part));
  for (const part of parts) part.requireUsedUp();
  for (const name of PART_NAMES) {
    if (parts.filter((part) => part.name === name).length > 1) {
      throw badMethod(text, `"${name}" twice`, "each transform and one rounding, once");
    }
  }
  const at = parts.findIndex(({ name }) => name === "gptq" || name === "rtn");
  if (roundings.length > 1 || (at >= 0 && at < parts.length - 1)) {
    throw badMethod(text, `"${quote(parts[at + 1]?.name ?? "")}" after the rounding`, "transforms, then one rounding");
  }
  return makeMethod(transforms, roundings[0] ?? PLAIN_ROUNDING.rounding);
}

function makeMethod(transforms: readonly Transform[], rounding: Rounding): Method {
  const names = [...transforms.map(transformName), ...(rounding.kind === "gptq" ? [gptqName(rounding)] : [])];
  return names.length === 0 ? PLAIN_ROUNDING : { name: names.join("+"), transforms, rounding };
}

/** One part of a method: its name and its options, which readers take out one by one. */
class Part {
  readonly name: PartName;
  readonly #text: string;
  readonly #options: Map<string, string | null>;

  constructor(part: string, text: string) {
    this.#text = text;
    const [name = "", ...options] = part
      .trim()
      .toLowerCase()
      .split(":")
      .map((word) => word.trim());
    const known = PART_NAMES.find((own) => own === name);
    if (!known) throw badMethod(text, `"${quote(name)}"`, PART_NAMES.join(", "));
    this.name = known;
    const pairs = options.map((option): [string, string | null] => {
      const sign = option.indexOf("=");
      return sign < 0 ? [option, null] : [option.slice(0, sign).trim(), option.slice(sign + 1).trim()];
    });
    this.#options = new Map(pairs);
    if (this.#options.size < pairs.length) throw badMethod(text, `an option of "${name}" twice`, "each option once");
  }

  /** The value of an option that has one; null where it is not there. */
  value(option: string): string | null {
    const value = this.#options.get(option);
    if (value === undefined) return null;
    this.#options.delete(option);
    if (value === null) throw this.refuse(option, "", `${option}=…`);
    return value;
  }

  flag(option: string): boolean {
    if (this.#options.get(option) !== null) return false;
    return this.#options.delete(option);
  }

  oneOf<T extends string>(option: string, allowed: readonly T[], otherwise: T): T {
    const value = this.value(option);
    if (value === null) return otherwise;
    const found = allowed.find((name) => name === value);
    if (found === undefined) throw this.refuse(option, value, allowed.join(", "));
    return found;
  }

  decimal(option: string, isAllowed: (value: number) => boolean, allowed: string, otherwise: number): number {
    const value = this.value(option);
    return value === null ? otherwise : this.readDecimal(option, value, isAllowed, allowed);
  }

  readDecimal(option: string, text: string, isAllowed: (value: number) => boolean, allowed: string): number {
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (isAllowed(value)) return value;
    throw this.refuse(option, text, `${allowed}, with at most six digits after the point`);
  }

  refuse(option: string, value: string, allowed: string): LabError {
    return badMethod(this.#text, `"${quote(option)}${value && `=${quote(value)}`}" of "${this.name}"`, allowed);
  }

  requireUsedUp(): void {
    const [left] = this.#options;
    if (left) throw this.refuse(left[0], left[1] ?? "", OPTION_FORMS[this.name]);
  }
}

const OPTION_FORMS: Readonly<Record<PartName, string>> = {
  smoothquant: "strength=, rule=, layers=",
  awq: "duo=, grid=, clip",
  gptq: "actorder=, damp=",
  rtn: "no options",
};

function readTransform(part: Part): readonly Transform[] {
  if (part.name === "smoothquant") {
    const strength = part.decimal("strength", isStrength, STRENGTHS, DEFAULT_STRENGTH);
    const rule = part.oneOf("rule", ["tool", "paper"], "tool");
    return [{ kind: "smoothquant", strength, rule, layers: readLayers(part, strength) }];
  }
  if (part.name !== "awq") return [];
  const duo = part.oneOf("duo", ["yes", "no", "both"], "yes");
  const duoScaling = duo === "both" ? duo : duo === "yes";
  return [{ kind: "awq", duoScaling, grid: readGrid(part, duo), clip: part.flag("clip") }];
}

function readRounding(part: Part): readonly Rounding[] {
  if (part.name === "rtn") return [PLAIN_ROUNDING.rounding];
  if (part.name !== "gptq") return [];
  const actorder = part.oneOf("actorder", ["static", "none"], "static");
  const isShare = (value: number) => value > 0 && value <= 1;
  const dampening = part.decimal("damp", isShare, "a number above 0 and up to 1", DEFAULT_DAMPENING);
  return [{ kind: "gptq", actorder, dampening }];
}

const STRENGTHS = "a number from 0 to 1";

function isStrength(value: number): boolean {
  return value >= 0 && value <= 1;
}

function readGrid(part: Part, duo: "yes" | "no" | "both"): number {
  const text = part.value("grid");
  if (text === null) return DEFAULT_GRID;
  const grid = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : Number.NaN;
  const least = MIN_GRID[duo];
  const isBoth = duo === "both";
  if (grid >= least && grid <= MAX_GRID && !(isBoth && grid % 2 === 1)) return grid;
  throw part.refuse("grid", text, `${isBoth ? "an even" : "a whole"} number from ${least} to ${MAX_GRID}`);
}

/** In order; neighbours of one strength are joined, and what says the same as the strength of the rest is left out. */
function readLayers(part: Part, rest: number): readonly LayerStrength[] {
  const text = part.value("layers");
  if (text === null) return [];
  const spans = text.split(",").map((span) => readSpan(part, span.trim(), text));
  spans.sort((a, b) => a.first - b.first);
  const joined: LayerStrength[] = [];
  for (const span of spans) {
    const before = joined.at(-1);
    if (before && span.first <= before.last) throw part.refuse("layers", text, `layer ${span.first} once`);
    if (before && span.first === before.last + 1 && span.strength === before.strength) {
      joined[joined.length - 1] = { ...before, last: span.last };
    } else {
      joined.push(span);
    }
  }
  return joined.filter(({ strength }) => strength !== rest);
}

function readSpan(part: Part, span: string, text: string): LayerStrength {
  const [, first = "", last = first, strength = ""] = /^([0-9]{1,3})(?:-([0-9]{1,3}))?\/(.*)$/.exec(span) ?? [];
  if (first === "" || Number(last) < Number(first)) {
    throw part.refuse("layers", text, `layers from 0 to ${MAX_LAYER} as 3-5/0.8 or 7/0.6, separated by commas`);
  }
  return {
    first: Number(first),
    last: Number(last),
    strength: part.readDecimal("layers", strength, isStrength, STRENGTHS),
  };
}

function transformName(transform: Transform): string {
  if (transform.kind === "awq") {
    const { duoScaling, grid, clip } = transform;
    const duo = duoScaling === "both" ? ":duo=both" : duoScaling ? "" : ":duo=no";
    return `awq${duo}${grid === DEFAULT_GRID ? "" : `:grid=${grid}`}${clip ? ":clip" : ""}`;
  }
  const { strength, rule, layers } = transform;
  const spans = layers.map((span) => `${span.first}${span.last > span.first ? `-${span.last}` : ""}/${span.strength}`);
  return [
    "smoothquant",
    ...(strength === DEFAULT_STRENGTH ? [] : [`strength=${strength}`]),
    ...(rule === "tool" ? [] : [`rule=${rule}`]),
    ...(spans.length === 0 ? [] : [`layers=${spans.join(",")}`]),
  ].join(":");
}

function gptqName({ actorder, dampening }: Extract<Rounding, { kind: "gptq" }>): string {
  return `gptq${actorder === "static" ? "" : `:actorder=${actorder}`}${dampening === DEFAULT_DAMPENING ? "" : `:damp=${dampening}`}`;
}

/** A method in words: `SmoothQuant of strength 0.8, then GPTQ with static activation order and dampening 0.01`. */
export function describeMethod({ transforms, rounding }: Method): string {
  return [...transforms.map(describeTransform), describeRounding(rounding)].join(", then ");
}

function describeTransform(transform: Transform): string {
  if (transform.kind === "awq") {
    const { duoScaling, grid, clip } = transform;
    const duo = duoScaling === "both" ? "with and without duo scaling" : `with${duoScaling ? "" : "out"} duo scaling`;
    return `AWQ ${duo} over ${grid} grid points${clip ? " and with clipping" : ""}`;
  }
  const { strength, rule, layers } = transform;
  const others = layers.map(
    ({ first, last, strength }) =>
      ` and ${strength} in ${last > first ? `the layers ${first} to ${last}` : `layer ${first}`}`,
  );
  return `SmoothQuant${rule === "paper" ? " by the paper's rule" : ""} of strength ${strength}${others.join("")}`;
}

function describeRounding(rounding: Rounding): string {
  if (rounding.kind === "rtn") return "rounding to nearest";
  const order = rounding.actorder === "static" ? "with static activation order" : "without activation order";
  return `GPTQ ${order} and dampening ${rounding.dampening}`;
}

function badMethod(text: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "scheme/bad-method",
    doing: `reading the method "${quote(text)}"`,
    found,
    allowed,
    advice: "write it like gptq, awq or smoothquant:strength=0.8+gptq",
    fields: { method: quote(text) },
  });
}
