import type { DecoderGraph } from "../architectures/graph.ts";
import { LabError } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import { runModel } from "./model-run.ts";
import type { Parameters } from "./parameters.ts";
import type { LogitsSink, LogitsTile } from "./run-setup.ts";
import { batchWindows, type WindowBatch } from "./windows.ts";

/** Parameters for one pass over a model. */
export interface PassParameters extends Parameters {
  destroy(): void;
}

/** What is decoded. */
export interface Decoding {
  readonly device: Device;
  readonly graph: DecoderGraph;
  /** Token ids that each prompt begins with, one or more; they may have different lengths. */
  readonly prompts: readonly (readonly number[])[];
  /** Tokens that each prompt goes on by, at most; from 1. */
  readonly tokens: number;
  /** Tokens that end a text: a prompt goes on up to the first, which counts. */
  readonly ends: ReadonlySet<number>;
  /** Asked for each pass: the first is of the whole prompts, and each later one of one token a prompt. */
  readonly parametersOf: (pass: number) => PassParameters;
}

/** Tokens of a prompt that a cache must have room for: the last one that is made is read by nobody. */
export function decodingCapacity(longestPrompt: number, tokens: number): number {
  return longestPrompt + tokens - 1;
}

/**
 * Goes on with all prompts side by side, always by the most likely token, the lower id where several are. Keys and values are
 * kept, so that a token costs one row and not the whole text; weights come by once for each token of all prompts.
 * @returns ids that each prompt goes on by
 * @throws LabError `run/not-finite` where a logit is NaN or +∞; as `runModel` does
 */
export async function decodeGreedily(decoding: Decoding): Promise<readonly (readonly number[])[]> {
  const { device, graph, prompts, tokens, ends } = decoding;
  const lengths = prompts.map(({ length }) => length);
  const cache = new KeyValueCache(device, graph, prompts.length, decodingCapacity(Math.max(...lengths), tokens));
  const texts = prompts.map((prompt) => [...prompt]);
  const isOver = prompts.map(() => false);
  try {
    for (let pass = 0; pass < tokens && isOver.includes(false); pass++) {
      const isFirst = pass === 0;
      const batch = isFirst ? batchWindows(prompts) : newestTokens(texts);
      const sink = new TopTokens(device, isFirst ? lastRows(lengths) : Uint32Array.from(prompts.keys()));
      const parameters = decoding.parametersOf(pass);
      try {
        const rows = cacheRows(batch, isFirst ? lengths : lengths.map(() => 1), cache.capacity);
        const own = { cache, rows, isRead: !isFirst };
        await runModel({ device, graph, parameters, variants: [{ roundsTo: null }], batch, sink, cache: own });
      } finally {
        parameters.destroy();
      }
      for (const [prompt, text] of texts.entries()) {
        // What is over stays where it is: its last token is run again, into the same row of the cache.
        if (isOver[prompt]) continue;
        const top = sink.top(prompt);
        text.push(top);
        isOver[prompt] = ends.has(top);
      }
    }
  } finally {
    cache.destroy();
  }
  return texts.map((text, prompt) => text.slice(prompts[prompt]?.length));
}

/** The last row of each prompt of a batch of whole prompts. */
function lastRows(lengths: readonly number[]): Uint32Array<ArrayBuffer> {
  let end = 0;
  return Uint32Array.from(lengths, (length) => {
    end += length;
    return end - 1;
  });
}

/** A batch of the newest token of each text. */
function newestTokens(texts: readonly (readonly number[])[]): WindowBatch {
  const positions = Uint32Array.from(texts, ({ length }) => length - 1);
  return {
    rows: texts.length,
    tokens: Uint32Array.from(texts, (text) => text.at(-1) ?? 0),
    positions,
    starts: [...texts.keys()],
    longest: Math.max(...positions) + 1,
  };
}

/** @param counts rows of each prompt in the batch */
function cacheRows({ positions }: WindowBatch, counts: readonly number[], capacity: number): Uint32Array<ArrayBuffer> {
  const prompts = counts.flatMap((count, prompt) => Array.from({ length: count }, () => prompt));
  return positions.map((position, row) => (prompts[row] ?? 0) * capacity + position);
}

/** The most likely next token of some rows: their logits are read back tile by tile of the vocabulary, and not kept. */
export class TopTokens implements LogitsSink {
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly #device: Device;
  readonly #largest: Float64Array;
  readonly #top: Uint32Array;
  #tile: LogitsTile | null = null;

  constructor(device: Device, rows: Uint32Array<ArrayBuffer>) {
    this.rows = rows;
    this.#device = device;
    this.#largest = new Float64Array(rows.length).fill(Number.NEGATIVE_INFINITY);
    this.#top = new Uint32Array(rows.length);
  }

  take(tile: LogitsTile): void {
    this.#tile = tile;
  }

  async endTile(): Promise<void> {
    if (!this.#tile) throw new Error("a tile without logits");
    const { logits, first, columns } = this.#tile;
    const found = new Float32Array((await this.#device.read(logits, this.rows.length * columns * 4)).buffer);
    for (const row of this.rows.keys()) {
      for (let column = 0; column < columns; column++) {
        const logit = found[row * columns + column] ?? Number.NaN;
        if (!(logit < Number.POSITIVE_INFINITY)) throw notFinite();
        if (logit <= (this.#largest[row] ?? 0)) continue;
        this.#largest[row] = logit;
        this.#top[row] = first + column;
      }
    }
  }

  /** Of the row at that place of `rows`. */
  top(place: number): number {
    return this.#top[place] ?? 0;
  }
}

function notFinite(): LabError {
  return new LabError({
    code: "run/not-finite",
    doing: "choosing the most likely token",
    found: "logits of the original that are no finite numbers",
    allowed: "a model whose logits can be compared",
    advice: "look for damaged weights, or for numbers beyond what the model was made for",
  });
}
