import { LabError, quote } from "../base/errors.ts";
import {
  type ActivationGranularity,
  type ActivationScheme,
  type Granularity,
  type IntBits,
  OBSERVERS,
  type Observer,
  rangeSearcher,
  type Scheme,
  WEIGHT_OBSERVERS,
  type WeightObserver,
  type WeightScheme,
} from "./scheme.ts";

/** Input widths of real layers end far below; a longer group is a slip of the hand. */
const MAX_GROUP_SIZE = 2 ** 24;

/** What LLM Compressor's presets take, and a custom scheme unless it says otherwise. */
const DEFAULT_GRANULARITY: Granularity = { strategy: "group", groupSize: 128 };

/** What the parts of one side, after its bits, may say: each kind at most once. */
type Kind = "granularity" | "symmetry" | "ranges" | "observer";

const GROUP = /^group=(.*)$/s;
const STATIC = /^static(?:=(.*))?$/s;
const OBSERVER = /^observer=(.*)$/s;

/** One side of a custom scheme. */
interface Side {
  /** The bits in its first place. */
  readonly head: RegExp;
  readonly kinds: readonly (readonly [Kind, RegExp])[];
  readonly allowed: string;
}

const WEIGHTS: Side = {
  head: /^int([2-8])$/,
  kinds: [
    ["granularity", /^(tensor|channel|group=.*)$/s],
    ["symmetry", /^a?sym$/],
    ["observer", OBSERVER],
  ],
  allowed: "int2 to int8, then :tensor, :channel or :group=N, :observer=NAME, and :sym or :asym, each at most once",
};

const ACTIVATIONS: Side = {
  head: /^int([48])$/,
  kinds: [
    ["granularity", /^(token|tensor|group=.*)$/s],
    ["symmetry", /^a?sym$/],
    ["ranges", STATIC],
  ],
  allowed:
    'after the "/" int4 or int8, then :token, :tensor or :group=N, :static or :static=OBSERVER, and :sym or :asym, each at most once',
};

/** Whether a name is meant as a custom scheme. Presets go first: `int8` alone is LLM Compressor's INT8. */
export function isCustom(name: string): boolean {
  return /^int/i.test(name);
}

/**
 * A custom scheme, whatever its letter case:
 * ```
 * scheme      := weights ["/" activations]
 * weights     := int<2…8> [:tensor|:channel|:group=N] [:observer=OBSERVER] [:sym|:asym]
 * activations := int<4|8> [:token|:tensor|:group=N] [:static|:static=OBSERVER] [:sym|:asym]
 * ```
 * The parts after the bits in any order, each at most once. Where nothing is said: symmetric, weights in groups of 128,
 * activations per token and dynamic. Static ranges go with `:tensor` only, their observers are those of `Observer`; those of
 * weights are `WeightObserver`, of which the ones that search do not go with `:tensor`.
 * Without activations the codes are packed; with any, each takes a byte.
 * Source of the format: compressed-tensors 0.19 `compressors/format.py :: COMPRESSION_FORMAT_PRIORITY`.
 * @returns the scheme under its canonical name, `customName`
 * @throws LabError `scheme/bad-custom`
 */
export function parseCustom(text: string): Scheme {
  const [weightSide = "", activationSide, ...more] = text.toLowerCase().split("/");
  if (more.length > 0) throw badCustom(text, `${more.length + 1} signs "/"`, 'one "/" at most, before the activations');
  const weights = parseWeights(weightSide.trim(), text);
  const inputActivations = activationSide === undefined ? null : parseActivations(activationSide.trim(), text);
  return {
    name: customName({ weights, inputActivations }),
    weights,
    inputActivations,
    format: inputActivations ? "int-quantized" : "pack-quantized",
  };
}

/**
 * The one spelling of a custom scheme: what shares a scale always said, `sym` never: `int4:group=32:asym`,
 * `int4:group=32:observer=mse`, `int8:channel/int8:tensor:static=static_minmax`.
 */
export function customName({ weights, inputActivations }: Pick<Scheme, "weights" | "inputActivations">): string {
  const own = sideName(weights, weights.observer ? `:observer=${weights.observer}` : "");
  return inputActivations ? `${own}/${activationsName(inputActivations)}` : own;
}

function activationsName(activations: ActivationScheme): string {
  const observer = activations.observer ? `=${activations.observer}` : "";
  return sideName(activations, activations.dynamic ? "" : `:static${observer}`);
}

function sideName({ bits, granularity, symmetric }: WeightScheme | ActivationScheme, ranges = ""): string {
  const shared = granularity.strategy === "group" ? `group=${granularity.groupSize}` : granularity.strategy;
  return `int${bits}:${shared}${ranges}${symmetric ? "" : ":asym"}`;
}

function parseWeights(side: string, text: string): WeightScheme {
  const { bits, parts } = parseSide(side, WEIGHTS, text);
  const shared = parts.get("granularity");
  const observer = parseWeightObserver(parts.get("observer"), text);
  if (shared === "tensor" && rangeSearcher({ observer })) {
    throw badCustom(
      text,
      `"observer=${observer}" with one scale per tensor: such a search looks at all of a matrix in each of its steps`,
      "an observer that searches with :channel or :group=N",
    );
  }
  return {
    type: "int",
    bits: bits as IntBits,
    symmetric: parts.get("symmetry") !== "asym",
    granularity:
      shared === undefined
        ? DEFAULT_GRANULARITY
        : shared === "tensor" || shared === "channel"
          ? { strategy: shared }
          : { strategy: "group", groupSize: parseGroupSize(shared, text) },
    observer,
  };
}

function parseActivations(side: string, text: string): ActivationScheme {
  const { bits, parts } = parseSide(side, ACTIVATIONS, text);
  const shared = parts.get("granularity") ?? "token";
  const ranges = parts.get("ranges");
  const granularity: ActivationGranularity =
    shared === "token" || shared === "tensor"
      ? { strategy: shared }
      : { strategy: "group", groupSize: parseGroupSize(shared, text) };
  if (ranges !== undefined && shared !== "tensor") {
    throw badCustom(
      text,
      `"${quote(ranges)}" with one scale per ${granularity.strategy}`,
      "static ranges with :tensor",
    );
  }
  return {
    type: "int",
    bits: bits as ActivationScheme["bits"],
    symmetric: parts.get("symmetry") !== "asym",
    granularity,
    dynamic: ranges === undefined,
    observer: ranges === undefined ? null : parseObserver(ranges, text),
  };
}

/** Splits one side into its bits and what its parts say. */
function parseSide(
  side: string,
  { head, kinds, allowed }: Side,
  text: string,
): { readonly bits: number; readonly parts: ReadonlyMap<Kind, string> } {
  const [first = "", ...rest] = side.split(":");
  const bits = head.exec(first)?.[1];
  if (bits === undefined) throw badCustom(text, `"${quote(first)}" where the bits belong`, allowed);
  const parts = new Map<Kind, string>();
  for (const part of rest) {
    const kind = kinds.find(([, pattern]) => pattern.test(part))?.[0];
    if (kind === undefined) throw badCustom(text, `the part "${quote(part)}"`, allowed);
    const earlier = parts.get(kind);
    if (earlier !== undefined) throw badCustom(text, `"${quote(part)}" beside "${quote(earlier)}"`, allowed);
    parts.set(kind, part);
  }
  return { bits: Number(bits), parts };
}

function parseGroupSize(part: string, text: string): number {
  const size = GROUP.exec(part)?.[1] ?? "";
  const groupSize = /^[1-9][0-9]{0,7}$/.test(size) ? Number(size) : 0;
  if (groupSize < 1 || groupSize > MAX_GROUP_SIZE) {
    throw badCustom(text, `a group size of "${quote(size)}"`, `whole numbers from 1 to ${MAX_GROUP_SIZE}`);
  }
  return groupSize;
}

function parseObserver(part: string, text: string): Observer | null {
  const name = STATIC.exec(part)?.[1];
  if (name === undefined) return null;
  const observer = OBSERVERS.find((known) => known === name);
  if (observer) return observer;
  throw badCustom(text, `the observer "${quote(name)}"`, OBSERVERS.join(", "));
}

function parseWeightObserver(part: string | undefined, text: string): WeightObserver | null {
  if (part === undefined) return null;
  const name = OBSERVER.exec(part)?.[1] ?? "";
  const observer = WEIGHT_OBSERVERS.find((known) => known === name);
  if (observer) return observer;
  throw badCustom(text, `the observer of weights "${quote(name)}"`, WEIGHT_OBSERVERS.join(", "));
}

function badCustom(text: string, found: string, allowed: string): LabError {
  return new LabError({
    code: "scheme/bad-custom",
    doing: `reading the custom scheme "${quote(text)}"`,
    found,
    allowed,
    advice: "write it like int4:group=32:asym, int8:channel or int8:channel/int8:token",
    fields: { scheme: quote(text) },
  });
}
