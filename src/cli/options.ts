import { type ParseArgsConfig, parseArgs } from "node:util";
import { LabError, quote } from "../base/errors.ts";
import type { DeviceChoice } from "../engine/api.ts";
import type { HealRequest } from "../engine/diagnosis-api.ts";
import type { Roundings } from "../engine/roundings.ts";
import { EVALUATION_TEXTS } from "../engine/text-api.ts";
import { DEFAULT_GPU } from "../planner/gpus.ts";
import { kvCacheName, parseKvCache } from "../schemes/kv-cache.ts";
import { DEFAULT_SCHEMES, PRESETS } from "../schemes/presets.ts";
import { parsePruning } from "../schemes/pruning.ts";
import { parseRecipe, parseRunRecipe, withPruning } from "../schemes/recipe.ts";
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
  /** Recipes in their canonical spelling, the pruning of `--prune` in them; each once. */
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
  /** The text that static scales are taken from; null: the bundled one. */
  readonly calibration: TextFile | null;
  readonly diagnosis: DiagnosisOptions;
}

/** What `diagnose` looks at. */
export const LOOKS = ["depth", "activations", "layers", "kinds", "generation", "tasks"] as const;
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
  help: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

/** Of verbs that run the model: what is rounded, and over which text. */
const RUN_OPTIONS = [
  "scheme",
  "schemes",
  "prune",
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
const DEFAULT_GENERATED = 64;

/** Options that a verb takes besides `--json`, `--quiet` and `--help`. */
const TAKEN: Readonly<Record<Verb, readonly string[]>> = {
  inspect: ["tensors", "kept", "forget"],
  compare: [
    "scheme",
    "prune",
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
  diagnose: [...RUN_OPTIONS, "only", "at", "generate", "items", "statistics", "save-statistics"],
  quantize: ["scheme", "prune", "ignore", "no-default-ignore", "arithmetic", "device", "out"],
};

/** Names of the presets that leave activations alone, or of those that round them. */
const presetNames = (roundsActivations: boolean) =>
  PRESETS.filter(({ inputActivations }) => (inputActivations !== null) === roundsActivations)
    .map(({ name }) => name)
    .join(" ");

export const HELP = `lab inspect  [MODEL] [--tensors] [--json]
lab inspect  --kept | --forget [--json]
lab compare  [MODEL] [--scheme S]… [options] [--throughput] [--gpu NAME --context N --sequences N] [--json]
lab measure  [MODEL] [--schemes A,B,…] [options] [--text F | --tokens F] [--windows N] [--context N] [--seed N]
             [--weights on|off] [--activations on|off] [--kv K] [--served] [--calibration F]
             [--against DIR]… [--per-position DIR] [--words FILE] [--json]
lab diagnose [MODEL] [--schemes A,B,…] [options of measure] [--only L,…] [--at W:P] [--generate N] [--items F]
             [--statistics F] [--save-statistics F] [--json]
lab quantize [MODEL] --scheme S [options] --out DIR [--json]

MODEL  a Hugging Face folder; inspect also takes a .safetensors file, an index or a config.json. None: the bundled model.

options
  --tensors             list every tensor, not only the bytes by role
  --kept, --forget      list what is kept of earlier measurements on this machine, or let go of it
  --scheme S            what the weights become, see below; compare takes several (default ${DEFAULT_SCHEMES.join(", ")})
  --schemes A,B,…       the same for several, separated by commas
  --prune P             what becomes zero before that: magnitude:N:M (N of every M neighbours), magnitude:SHARE,
                        magnitude:rows:SHARE, magnitude:columns:SHARE; alone with --scheme none
  --ignore P            leave a module alone: its exact name, or re: and a pattern matched at the start; adds to
                        ${DEFAULT_IGNORE.join(", ")}
  --no-default-ignore   drop that default list
  --arithmetic RULE     eager (default): as torch on a CPU, verified byte for byte; triton: as the kernel on CUDA
  --device WHERE        auto (default: gpu or wasm, what a probe finds quicker), gpu (WebGPU) or wasm (WebAssembly) or exit 3,
                        cpu (WebAssembly, else the oracles), reference (the oracles)
  --text F              run the models on this text: .txt, or .jsonl with "text" or "messages" (default: the bundled texts)
  --tokens F            … or on these windows of token ids, as they are: {"windows": [[id, …], …]}
  --windows N           windows at most; --context N tokens each; --seed N draws them from all of the text (default: the first)
  --against DIR         also measure another checkpoint of the same architecture
  --weights on|off      whether weights are rounded (default on), --activations on|off: what goes into layers, where the scheme
                        says so (default on)
  --kv K                round keys and values too: int8:tensor, int8:attn_head (as compressed-tensors; ranges of all the
                        calibration text, or with :minmax behind it moving averages), int8:token-head (as vLLM); alone with
                        --scheme none
  --calibration F       where static scales come from: .txt, .jsonl, or windows of token ids in .json (default: the bundled
                        calibration text)
  --served              also measure schemes with int8 activations per token as vLLM rounds them
  --words FILE          write what is known of every scored position, a line of JSON each
  --only L,…            looks of diagnose (default all): depth (error layer by layer), activations (loud channels), layers and
                        kinds (which of them heals when it is put back), generation (tokens until greedy text differs),
                        tasks (multiple choice)
  --at W:P              heal position P of window W alone, both from 0, or with the name of a bundled text the positions of
                        that (default: every scored position)
  --generate N          tokens that a prompt goes on by (default ${DEFAULT_GENERATED}); prompts are the first halves of the windows
  --items F             multiple-choice items: lines of {"context", "choices", "answer"} (default: bundled ones)
  --statistics F        take activation statistics from a file that --save-statistics wrote of the same weights
  --per-position DIR    write the KL divergence of every scored position, in nats: a file of little-endian float64 for each
  --quiet               no progress

schemes, in any letter case
  weights alone         ${presetNames(false)}
  and activations       ${presetNames(true)}
  custom                int<2…8>[:tensor|:channel|:group=N][:asym], groups of 128 unless said: int4:group=32:asym
                        (int8 alone is the preset INT8)
  mixed                 "W8A16@re:.*down_proj@re:.*o_proj; W4A16": the first whose @target matches a module takes it,
                        a scheme without a target all that is left
  pruned                "magnitude:2:4 | W4A16" is --scheme W4A16 --prune magnitude:2:4

exit  0 done · 1 refused or failed · 2 usage · 3 device · 4 input or output · 130 interrupted`;

/**
 * Reads a command line, without the program's name.
 * @returns null where help was asked for
 * @throws LabError `usage/…`; `scheme/…` for a scheme or a pruning that cannot be read
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
      schemes.length > 0 || against.length > 0 ? schemes : DEFAULT_SCHEMES,
      values.prune,
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
      looks: values.only === undefined ? LOOKS : values.only.flatMap((list) => list.split(",")).map(lookOf),
      at: values.at === undefined ? null : placeOf(values.at),
      tokens: values.generate === undefined ? DEFAULT_GENERATED : count("generate", values.generate),
      items: values.items ?? null,
      statistics: values.statistics ?? null,
      saveStatistics: values["save-statistics"] ?? null,
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
 * @param prune takes the place of a pruning that a scheme brings along
 * @param read what reads a scheme
 */
function canonicalSchemes(
  schemes: readonly string[],
  prune: string | undefined,
  read: typeof parseRecipe,
): readonly string[] {
  const pruning = prune === undefined ? null : parsePruning(prune);
  return [...new Set(schemes.map((text) => (pruning ? withPruning(text, pruning) : read(text).name)))];
}

function isVerb(text: string | undefined): text is Verb {
  return VERBS.some((verb) => verb === text);
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found) return found;
  throw usage("bad-value", `--${option} ${quote(value)}`, allowed.join(", "));
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
