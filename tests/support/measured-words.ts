import { SeededRandom } from "../../src/base/random.ts";
import type { GenerationResult, HealResult, TaskResult, TokenLook } from "../../src/engine/diagnosis-api.ts";
import type { MeasuredTokens, TokenScores } from "../../src/engine/measure-result.ts";
import { WHOLE_PRESET } from "../../src/engine/roundings.ts";
import type { PreparedText } from "../../src/engine/text-api.ts";

const WORDS =
  "And Ruth said, Intreat me not to leave thee, or to return from following after thee: for whither thou goest, I will go; and where thou lodgest, I will lodge: thy people shall be my people, and thy God my God:\nWhere thou diest, will I die, and there will I be buried: the LORD do so to me, and more also, if ought but death part thee and me.\n";

/** Scores of made-up predictions, for panels and charts. Their figures mean nothing. */
export interface SampleWords {
  readonly tokens: MeasuredTokens;
  readonly text: PreparedText;
  readonly pieces: ReadonlyMap<number, string>;
}

interface SampleSize {
  readonly windows: number;
  readonly context: number;
  /** Windows with scores. */
  readonly done: number;
  /** Recipes with their mean divergence, about. */
  readonly schemes: readonly (readonly [scheme: string, kld: number])[];
  readonly words: string;
}

const SIZE: SampleSize = {
  windows: 3,
  context: 64,
  done: 3,
  schemes: [
    ["W2A16", 0.9],
    ["W4A16", 0.03],
    ["W8A8", 1e-3],
  ],
  words: WORDS,
};

/** Words are tokens; the second half of each window is scored. */
export function sampleWords(change: Partial<SampleSize> = {}): SampleWords {
  const { windows, context, done, schemes, words } = { ...SIZE, ...change };
  const list = words.match(/\n|[ ]?[^\s]+/g) ?? [];
  const vocabulary = [...new Set(list)];
  const ids = new Map(vocabulary.map((piece, id) => [piece, id]));
  const idAt = (at: number): number => ids.get(list[at % list.length] ?? "") ?? 0;
  const text = Array.from({ length: windows }, (_, window) =>
    Array.from({ length: context }, (_, place) => idAt(window * context + place)),
  );
  const places = Array.from({ length: context - 1 - Math.floor(context / 2) }, (_, at) => Math.floor(context / 2) + at);
  const rows = text
    .slice(0, done)
    .flatMap((own, window) => places.map((place) => ({ window, place, next: own[place + 1] ?? 0 })));
  return {
    tokens: {
      doneWindows: done,
      windows: Uint32Array.from(rows, ({ window }) => window),
      places: Uint32Array.from(rows, ({ place }) => place),
      rows: schemes.map(([scheme, kld], at) => ({
        scheme,
        scores: madeScores(
          rows.map(({ next }) => next),
          kld,
          vocabulary.length,
          at,
        ),
      })),
    },
    text: madeText(text),
    pieces: new Map(vocabulary.map((piece, id) => [id, piece])),
  };
}

function madeScores(next: readonly number[], mean: number, vocabulary: number, seed: number): TokenScores {
  const base = new SeededRandom(7);
  const own = new SeededRandom(11 + seed);
  const predictions = next.map((id) => {
    const pTopBase = 0.05 + 0.9 * base.nextUniform();
    const topBase = base.nextUniform() < 0.4 ? id : Math.floor(base.nextUniform() * vocabulary);
    // Heavy-tailed, as divergences are: most far below their mean.
    const kld = mean * 6 * own.nextUniform() ** 6;
    const isSame = own.nextUniform() > Math.min(0.6, 4 * kld);
    const top = isSame ? topBase : own.nextUniform() < 0.2 ? id : Math.floor(own.nextUniform() * vocabulary);
    const pTop = Math.min(0.99, pTopBase * (0.8 + 0.3 * own.nextUniform()));
    const pNext = topBase === id ? pTopBase : 0.2 * base.nextUniform();
    const deltaP = Math.max(-pNext, (own.nextUniform() - 0.55) * Math.min(0.4, 2 * kld));
    return { topBase, top, pTopBase, pTop, kld, deltaP, pNext };
  });
  const column = <Key extends keyof (typeof predictions)[number]>(key: Key): Float64Array =>
    Float64Array.from(predictions, (one) => one[key]);
  return {
    nllBase: Float64Array.from(predictions, ({ pNext }) => -Math.log(pNext)),
    nll: Float64Array.from(predictions, ({ pNext, deltaP }) => -Math.log(pNext + deltaP)),
    kld: column("kld"),
    deltaP: column("deltaP"),
    topBase: Uint32Array.from(predictions, ({ topBase }) => topBase),
    top: Uint32Array.from(predictions, ({ top }) => top),
    pTopBase: column("pTopBase"),
    pTop: column("pTop"),
    sameTop: Uint8Array.from(predictions, ({ top, topBase }) => Number(top === topBase)),
    notFinite: 0,
  };
}

function madeText(windows: readonly (readonly number[])[]): PreparedText {
  return {
    windows,
    slices: [{ name: "scripture", places: windows.map((_, at) => at) }],
    source: `scripture: ${windows.length} windows`,
    tokenizer: "BPE",
    bos: null,
    hash: "abc",
    windowHashes: windows.map((_, at) => String(at)),
    textHashes: ["y"],
    findings: [],
  };
}

/** Rules of a run as the page first asks for them. */
export const SAMPLE_RULES = {
  arithmetic: "eager",
  ignore: ["lm_head", "re:.*embed_tokens"],
  roundings: WHOLE_PRESET,
  calibration: null,
} as const;

/** The most likely tokens somewhere: the second came next. */
export function sampleLook(scheme = "W4A16"): TokenLook {
  const original = Array.from({ length: 10 }, (_, id) => ({ id, p: 0.31 / (id + 1), q: 0.22 / (id + 1) }));
  const variant = [...original].reverse().map(({ id, p }, at) => ({ id: at === 0 ? 12 : id, p, q: 0.28 / (at + 1) }));
  const [, next = null] = original;
  return { kind: "token", scheme, window: 0, position: 40, next, original, variant, kld: 0.42 };
}

/** Three layers that were put back, one of which made it worse. */
export function sampleHeal(change: Partial<HealResult> = {}): HealResult {
  return {
    kind: "heal",
    scheme: "W4A16",
    unit: "layer",
    at: { window: 0, position: 40 },
    positions: 1,
    kld: 0.42,
    healed: 0,
    parts: [
      { name: "2", modules: ["model.layers.2.mlp.down_proj"], kld: 0.122, recovered: 0.71 },
      { name: "0", modules: ["model.layers.0.mlp.down_proj"], kld: 0.3, recovered: 0.29 },
      { name: "1", modules: ["model.layers.1.mlp.down_proj"], kld: 0.47, recovered: -0.12 },
    ],
    outcome: "done",
    kernels: [],
    ...change,
  };
}

export function sampleGeneration(): GenerationResult {
  const first = [3, 5, 8, 9, 12, 13, 20, 21, 30, 41, 55, null, null, null, null, null];
  return {
    kind: "generation",
    prompts: 16,
    promptTokens: 128,
    tokens: 64,
    rows: [
      {
        scheme: "W4A16",
        firstDifference: first,
        same: 5,
        median: 25.5,
        interval: { low: 9, high: null },
      },
      {
        scheme: "W2A16",
        firstDifference: first.map((_, at) => 1 + (at % 5)),
        same: 0,
        median: 3,
        interval: { low: 2, high: 4 },
      },
      {
        scheme: "W8A16",
        firstDifference: first.map(() => null),
        same: 16,
        median: null,
        interval: { low: null, high: null },
      },
    ],
    kernels: [],
  };
}

export function sampleTasks(): TaskResult {
  return {
    kind: "tasks",
    name: "bundled",
    items: 100,
    chance: 0.25,
    original: 0.61,
    rows: [
      { scheme: "W4A16", accuracy: 0.6, difference: -0.01, interval: { low: -0.05, high: 0.03 }, lost: 3, won: 2 },
      { scheme: "W2A16", accuracy: 0.4, difference: -0.21, interval: { low: -0.3, high: -0.12 }, lost: 24, won: 3 },
    ],
    evidence: "100 items tell differences of about 8 points apart.",
    kernels: [],
  };
}
