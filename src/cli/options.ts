import { type ParseArgsConfig, parseArgs } from "node:util";
import { LabError, quote } from "../base/errors.ts";
import type { DeviceChoice } from "../engine/api.ts";
import { MAX_RECIPES } from "../engine/api.ts";
import type { HealRequest } from "../engine/diagnosis-api.ts";
import type { Roundings } from "../engine/roundings.ts";
import { EVALUATION_TEXTS } from "../engine/text-api.ts";
import { DEFAULT_GPU } from "../planner/gpus.ts";
import { kvCacheName, parseKvCache } from "../schemes/kv-cache.ts";
import { PLAIN_ROUNDING, parseMethod } from "../schemes/method.ts";
import { DEFAULT_SCHEMES } from "../schemes/presets.ts";
import { parsePruning } from "../schemes/pruning.ts";
import {
  namesMethod,
  parseRecipe,
  parseRunRecipe,
  withMethod,
  withPlainTwins,
  withPruning,
} from "../schemes/recipe.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import { DEFAULT_IGNORE } from "../schemes/targets.ts";

/** The verbs that are built. */
export const VERBS = ["inspect", "compare", "measure", "diagnose", "quantize"] as const;
export type Verb = (typeof VERBS)[number];

/** A command line, read and checked. */
export interface Command {
  readonly verb: Verb;
  /** Null: the bundled model. */
  readonly model: string | null;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Recipes in their canonical spelling, the pruning of `--prune` and the method of `--method` in them; each once. */
  readonly schemes: readonly string[];
  readonly ignore: readonly string[];
  readonly arithmetic: Arithmetic;
  readonly device: DeviceChoice;
  readonly throughput: boolean;
  readonly plan: { readonly gpu: string; readonly contextTokens: number; readonly sequences: number };
  /** Of `inspect`: also list every tensor. */
  readonly tensors: boolean;
  /** Of `inspect`: list what is kept of earlier measurements instead of a model, or let go of it. */
  readonly kept: "list" | "forget" | null;
  /** Of `quantize`. */
  readonly out: string | null;
  /** Of `measure`. */
  readonly text: TextOptions;
  /** Folders of other checkpoints, measured beside the schemes. */
  readonly against: readonly string[];
  /** Folder for the KL divergence of every scored position. */
  readonly perPosition: string | null;
  /** File for what is known of every scored position, a line of JSON each. */
  readonly words: string | null;
  readonly roundings: Roundings;
  readonly served: boolean;
  /** The text that static scales and calibrated weights are taken from; null: the bundled one. */
  readonly calibration: TextFile | null;
  readonly diagnosis: DiagnosisOptions;
}

/** What `diagnose` looks at. */
const PLAIN_LOOKS = ["depth", "activations", "layers", "kinds", "generation", "tasks"] as const;
/** Looks that run a recipe again and again, each from a calibration text: taken only where they are asked for. */
const SWEEPS = ["strength", "samples", "salient"] as const;
export const LOOKS = [...PLAIN_LOOKS, ...SWEEPS] as const;
export type Look = (typeof LOOKS)[number];

/** Options of `diagnose`. */
export interface DiagnosisOptions {
  readonly looks: readonly Look[];
  /** Positions whose divergence is healed; null: those of all windows. */
  readonly at: HealRequest["at"];
  /** Tokens that prompts go on by. */
  readonly tokens: number;
  /** File of multiple-choice items; null: the bundled ones. */
  readonly items: string | null;
  /** Statistics of activations that were collected before; null: they are collected. */
  readonly statistics: string | null;
  readonly saveStatistics: string | null;
  /** Strengths of SmoothQuant; null: the engine's. */
  readonly strengths: readonly number[] | null;
  /** Numbers of calibration samples; null: the engine's. */
  readonly samples: readonly number[] | null;
  /** Of the input channels that are kept; null: the engine's. */
  readonly share: number | null;
}

/** Whether a look takes a calibration text whatever the schemes. */
export function isSweep(look: Look): boolean {
  return SWEEPS.some((sweep) => sweep === look);
}

/** A text, or windows of token ids, on the disk. */
export interface TextFile {
  readonly kind: "text" | "tokens";
  readonly path: string;
}

/** The text that `measure` runs models on. */
export interface TextOptions {
  /** A text file, or a file of token windows; null: the bundled texts. */
  readonly file: TextFile | null;
  /** Windows at most; null: the default of the text. */
  readonly windows: number | null;
  /** Tokens of a window; null: the default of the text. */
  readonly context: number | null;
  /** Which windows of a longer text; null: the first. */
  readonly seed: number | null;
}

const OPTIONS = {
  json: { type: "boolean" },
  quiet: { type: "boolean" },
  scheme: { type: "string", multiple: true },
  schemes: { type: "string", multiple: true },
  prune: { type: "string" },
  method: { type: "string" },
  ignore: { type: "string", multiple: true },
  "no-default-ignore": { type: "boolean" },
  arithmetic: { type: "string" },
  device: { type: "string" },
  throughput: { type: "boolean" },
  gpu: { type: "string" },
  context: { type: "string" },
  sequences: { type: "string" },
  tensors: { type: "boolean" },
  kept: { type: "boolean" },
  forget: { type: "boolean" },
  out: { type: "string" },
  text: { type: "string" },
  tokens: { type: "string" },
  windows: { type: "string" },
  seed: { type: "string" },
  against: { type: "string", multiple: true },
  "per-position": { type: "string" },
  words: { type: "string" },
  weights: { type: "string" },
  activations: { type: "string" },
  kv: { type: "string" },
  served: { type: "boolean" },
  calibration: { type: "string" },
  only: { type: "string", multiple: true },
  at: { type: "string" },
  generate: { type: "string" },
  items: { type: "string" },
  statistics: { type: "string" },
  "save-statistics": { type: "string" },
  strengths: { type: "string" },
  samples: { type: "string" },
  share: { type: "string" },
  help: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

/** Of verbs that run the model: what is rounded, and over which text. */
const RUN_OPTIONS = [
  "scheme",
  "schemes",
  "prune",
  "method",
  "ignore",
  "no-default-ignore",
  "arithmetic",
  "device",
  "text",
  "tokens",
  "windows",
  "context",
  "seed",
  "weights",
  "activations",
  "kv",
  "calibration",
] as const;

/** Tokens that a prompt goes on by unless said: where most schemes of few bits have parted from the original. */
export const DEFAULT_GENERATED = 64;

/** Options that a verb takes besides `--json`, `--quiet` and `--help`. */
const TAKEN: Readonly<Record<Verb, readonly string[]>> = {
  inspect: ["tensors", "kept", "forget"],
  compare: [
    "scheme",
    "prune",
    "method",
    "calibration",
    "ignore",
    "no-default-ignore",
    "arithmetic",
    "device",
    "throughput",
    "gpu",
    "context",
    "sequences",
  ],
  measure: [...RUN_OPTIONS, "against", "per-position", "words", "served"],
  diagnose: [
    ...RUN_OPTIONS,
    "only",
    "at",
    "generate",
    "items",
    "statistics",
    "save-statistics",
    "strengths",
    "samples",
    "share",
  ],
  quantize: ["scheme", "prune", "method", "calibration", "ignore", "no-default-ignore", "arithmetic", "device", "out"],
};

/**
 * Reads a command line, without the program's name.
 * @returns null where help was asked for
 * @throws LabError `usage/…`; `scheme/…` for a scheme, a pruning or a method that cannot be read
 */
export function readCommand(argv: readonly string[]): Command | null {
  const { values, positionals } = parse(argv);
  if (values.help || positionals[0] === "help") return null;
  const [verb, model, ...rest] = positionals;
  if (!isVerb(verb)) {
    throw usage("unknown-verb", verb === undefined ? "no verb" : `the verb "${quote(verb)}"`, VERBS.join(", "));
  }
  if (rest.length > 0) throw usage("too-many", `more than one model: ${quote(rest.join(" "))}`, "one MODEL at most");
  const strange = Object.keys(values).find((name) => !["json", "quiet", ...TAKEN[verb]].includes(name));
  if (strange) throw usage("not-taken", `--${strange} with ${verb}`, TAKEN[verb].map((name) => `--${name}`).join(", "));
  const schemes = [...(values.scheme ?? []), ...(values.schemes ?? []).flatMap((list) => list.split(","))];
  const against = values.against ?? [];
  if (values.text !== undefined && values.tokens !== undefined) {
    throw usage("two-texts", "--text and --tokens", "one of them");
  }
  if (verb === "quantize" && schemes.length !== 1) {
    throw usage("one-scheme", `${schemes.length} schemes`, "exactly one --scheme with quantize");
  }
  if (verb === "quantize" && values.out === undefined) throw usage("no-output", "no --out", "--out DIR with quantize");
  return {
    verb,
    model: model ?? null,
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    schemes: canonicalSchemes(
      verb,
      schemes.length > 0 || against.length > 0 ? schemes : DEFAULT_SCHEMES,
      values,
      values.kv === undefined ? parseRecipe : parseRunRecipe,
    ),
    ignore: [...(values["no-default-ignore"] ? [] : DEFAULT_IGNORE), ...(values.ignore ?? [])],
    arithmetic: oneOf("arithmetic", values.arithmetic ?? "eager", ["eager", "triton"]),
    device: oneOf("device", values.device ?? "auto", ["auto", "gpu", "wasm", "cpu", "reference"]),
    throughput: values.throughput ?? false,
    plan: {
      gpu: values.gpu ?? DEFAULT_GPU,
      contextTokens: count("context", values.context ?? "4096"),
      sequences: count("sequences", values.sequences ?? "1"),
    },
    tensors: values.tensors ?? false,
    kept: values.forget ? "forget" : values.kept ? "list" : null,
    out: values.out ?? null,
    text: {
      file: textFile(values.text, values.tokens),
      windows: values.windows === undefined ? null : count("windows", values.windows),
      context: values.context === undefined ? null : count("context", values.context),
      seed: values.seed === undefined ? null : count("seed", values.seed),
    },
    against,
    perPosition: values["per-position"] ?? null,
    words: values.words ?? null,
    roundings: {
      weights: isOn("weights", values.weights),
      activations: isOn("activations", values.activations),
      kvCache: values.kv === undefined ? null : kvCacheName(parseKvCache(values.kv)),
    },
    served: values.served ?? false,
    calibration: values.calibration === undefined ? null : calibrationFile(values.calibration),
    diagnosis: {
      looks: values.only === undefined ? PLAIN_LOOKS : values.only.flatMap((list) => list.split(",")).map(lookOf),
      at: values.at === undefined ? null : placeOf(values.at),
      tokens: values.generate === undefined ? DEFAULT_GENERATED : count("generate", values.generate),
      items: values.items ?? null,
      statistics: values.statistics ?? null,
      saveStatistics: values["save-statistics"] ?? null,
      strengths: values.strengths === undefined ? null : shares("strengths", values.strengths),
      samples:
        values.samples === undefined ? null : values.samples.split(",").map((own) => count("samples", own.trim())),
      share: values.share === undefined ? null : share("share", values.share),
    },
  };
}

function lookOf(name: string): Look {
  return oneOf("only", name.trim(), LOOKS);
}

function placeOf(text: string): DiagnosisOptions["at"] {
  const [, window, position] = /^([0-9]{1,9}):([0-9]{1,9})$/.exec(text) ?? [];
  if (window !== undefined && position !== undefined) return { window: Number(window), position: Number(position) };
  if (EVALUATION_TEXTS.some((name) => name === text)) return { slice: text };
  const texts = EVALUATION_TEXTS.join(", ");
  throw usage("bad-value", `--at ${quote(text)}`, `a window and a position from 0, such as 2:130, or ${texts}`);
}

function isOn(option: string, value = "on"): boolean {
  return oneOf(option, value, ["on", "off"]) === "on";
}

function calibrationFile(path: string): TextFile {
  return { kind: path.toLowerCase().endsWith(".json") ? "tokens" : "text", path };
}

function textFile(text: string | undefined, tokens: string | undefined): TextOptions["file"] {
  if (text !== undefined) return { kind: "text", path: text };
  return tokens === undefined ? null : { kind: "tokens", path: tokens };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw usage(
      "bad-option",
      quote(cause instanceof Error ? cause.message : String(cause)),
      "the options that lab --help lists",
    );
  }
}

/**
 * Recipes as they are called for. Where several are compared, methods have their plain twins beside them.
 * @param prune takes the place of a pruning that a scheme brings along
 * @param method is for schemes that name none
 * @param read what reads a scheme
 */
function canonicalSchemes(
  verb: Verb,
  schemes: readonly string[],
  { prune, method: methodText }: { readonly prune?: string | undefined; readonly method?: string | undefined },
  read: typeof parseRecipe,
): readonly string[] {
  const pruning = prune === undefined ? null : parsePruning(prune);
  const method = methodText === undefined ? PLAIN_ROUNDING : parseMethod(methodText);
  const names = schemes.map((text) => {
    const pruned = pruning ? withPruning(text, pruning) : text;
    return method === PLAIN_ROUNDING || namesMethod(text) ? read(pruned).name : withMethod(pruned, method);
  });
  const once = [...new Set(names)];
  return verb === "compare" || verb === "measure" ? withPlainTwins(once, MAX_RECIPES) : once;
}

function isVerb(text: string | undefined): text is Verb {
  return VERBS.some((verb) => verb === text);
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found) return found;
  throw usage("bad-value", `--${option} ${quote(value)}`, allowed.join(", "));
}

function shares(option: string, list: string): readonly number[] {
  return list.split(",").map((text) => share(option, text.trim()));
}

function share(option: string, text: string): number {
  if (/^(?:[01]|[01]?\.[0-9]{1,6})$/.test(text) && Number(text) <= 1) return Number(text);
  throw usage(
    "bad-value",
    `--${option} ${quote(text)}`,
    "a number from 0 to 1, with at most six digits after the point",
  );
}

function count(option: string, text: string): number {
  if (/^[0-9]{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw usage("bad-value", `--${option} ${quote(text)}`, "a whole number of 1 or more");
}

function usage(code: string, found: string, allowed: string): LabError {
  return new LabError({
    code: `usage/${code}`,
    doing: "reading the command line",
    found,
    allowed,
    advice: "see npm run --silent lab -- --help",
  });
}
