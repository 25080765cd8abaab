import { type ParseArgsConfig, parseArgs } from "node:util";
import { LabError, quote } from "../base/errors.ts";
import type { DeviceChoice } from "../engine/api.ts";
import { DEFAULT_GPU } from "../planner/gpus.ts";
import { DEFAULT_SCHEMES, PRESETS } from "../schemes/presets.ts";
import { parsePruning } from "../schemes/pruning.ts";
import { parseRecipe, withPruning } from "../schemes/recipe.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import { DEFAULT_IGNORE } from "../schemes/targets.ts";

/** The verbs that are built. */
export const VERBS = ["inspect", "compare", "measure", "quantize"] as const;
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
}

/** The text that `measure` runs models on. */
export interface TextOptions {
  /** A text file, or a file of token windows; null: the bundled texts. */
  readonly file: { readonly kind: "text" | "tokens"; readonly path: string } | null;
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
  help: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

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
  measure: [
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
    "against",
    "per-position",
  ],
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
             [--against DIR]… [--per-position DIR] [--json]
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
    schemes: canonicalSchemes(schemes.length > 0 || against.length > 0 ? schemes : DEFAULT_SCHEMES, values.prune),
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
  };
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

/** @param prune takes the place of a pruning that a scheme brings along */
function canonicalSchemes(schemes: readonly string[], prune: string | undefined): readonly string[] {
  const pruning = prune === undefined ? null : parsePruning(prune);
  return [...new Set(schemes.map((text) => (pruning ? withPruning(text, pruning) : parseRecipe(text).name)))];
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
