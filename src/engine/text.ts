import { cancelledError, LabError, quote } from "../base/errors.ts";
import { formatCount } from "../base/format.ts";
import { isJsonNumber, isJsonObject, type JsonObject } from "../base/json.ts";
import { sha256, sha256OfText } from "../base/sha256.ts";
import type { ByteSource, Folder } from "../formats/byte-source.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { examineText } from "../formats/text/doctor.ts";
import { MIN_WINDOW_TOKENS, plainText, readTextFile, type TextDocument } from "../formats/text/text-file.ts";
import {
  type CutText,
  chooseWindows,
  cutWindows,
  hashWindows,
  shareWindows,
  type TokenWindow,
} from "../formats/text/windows.ts";
import { hasTokenizer, type OpenTokenizer, openTokenizer } from "../formats/tokenizer/open-tokenizer.ts";
import {
  BUNDLED_CONTEXT,
  type BundledText,
  DEFAULT_CONTEXT,
  type PreparedText,
  type TextHost,
  type TextRequest,
  type TextSlice,
} from "./text-api.ts";

const DOING = "preparing text";

/** The tokenizer that the bundled ids were made with: SHA-256 of its tokenizer.json. */
const BUNDLED_TOKENIZER = "3f70f6585e3cda04e9df65f53bded21bc2be52552dd896af4b4b2e1e845feabc";

/** What a model says of the windows that it takes. */
interface ModelLimits {
  /** Rows of its embedding; null where config.json does not say. */
  readonly vocabularySize: number | null;
  readonly maxPositions: number | null;
}

/** One text, cut but not yet chosen from. */
interface ReadText extends CutText {
  readonly name: string;
  readonly hash: string;
  readonly isTemplated: boolean;
}

/** What a text is read with. */
interface Reading {
  readonly request: TextRequest;
  readonly limits: ModelLimits;
  readonly tokenizer: OpenTokenizer | null;
  /** The model's tokenizer is the one that the bundled ids were made with. */
  readonly isBundledTokenizer: boolean;
  readonly host: TextHost;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes the windows that a measurement runs on: reads a text, writes conversations out by the model's chat template, makes
 * tokens in a thread of their own, cuts, chooses, and looks the result over.
 * @throws LabError `text/…`, `tokenizer/…`, `template/…`, `json/…`, `source/…`, `run/cancelled`
 */
export async function prepareText(
  checkpoint: Checkpoint,
  request: TextRequest,
  host: TextHost,
  signal?: AbortSignal,
): Promise<PreparedText> {
  const folder = tokenizerFolder(checkpoint);
  const tokenizer = hasTokenizer(folder) ? await openTokenizer(folder, host.startThread, signal) : null;
  try {
    const limits = limitsOf(checkpoint.config);
    const isBundledTokenizer = tokenizer !== null && (await sha256(tokenizer.bytes)) === BUNDLED_TOKENIZER;
    const reading = { request, limits, tokenizer, isBundledTokenizer, host, signal };
    const texts = await readTexts(reading);
    if (signal?.aborted) throw cancelledError(DOING);
    return await assemble(texts, reading);
  } finally {
    tokenizer?.close();
  }
}

/** The files at the top of a checkpoint that are neither weights nor config.json. */
export function tokenizerFolder(checkpoint: Checkpoint): Folder {
  return { name: checkpoint.name, files: new Map(checkpoint.sideFiles.map(({ path, source }) => [path, source])) };
}

function limitsOf(config: JsonObject | null): ModelLimits {
  const inner = config?.get("text_config");
  const text = isJsonObject(inner) ? inner : config;
  const integer = (...keys: readonly string[]) => {
    for (const key of keys) {
      const value = text?.get(key);
      const number = isJsonNumber(value) ? value.asUnsignedInteger() : undefined;
      if (number !== undefined && number > 0n && number < 2n ** 32n) return Number(number);
    }
    return null;
  };
  return {
    vocabularySize: integer("vocab_size"),
    maxPositions: integer("max_position_embeddings", "n_positions", "n_ctx"),
  };
}

async function readTexts(reading: Reading): Promise<readonly ReadText[]> {
  const { source } = reading.request;
  if (source.kind === "bundled") {
    const texts: ReadText[] = [];
    for (const name of source.names) texts.push(await readBundled(name, reading));
    return texts;
  }
  if (source.kind === "pasted") {
    const name = "pasted text";
    const hash = await sha256OfText(source.text);
    return [{ name, hash, ...(await readContent(plainText(source.text, name), DEFAULT_CONTEXT, reading)) }];
  }
  const { file } = source;
  const content = await readTextFile(file);
  const hash = await hashOf(file);
  return [{ name: quote(file.name), hash, ...(await readContent(content, DEFAULT_CONTEXT, reading)) }];
}

/** Bundled ids where they fit the model's tokenizer, or where it has none; else its own tokens of the same text. */
async function readBundled(name: BundledText, reading: Reading): Promise<ReadText> {
  const { request, tokenizer, isBundledTokenizer, host } = reading;
  const takesIds =
    tokenizer === null || (isBundledTokenizer && (request.context ?? BUNDLED_CONTEXT) === BUNDLED_CONTEXT);
  const text = await host.openBundled(`text/${name}.txt`);
  const hash = await hashOf(text);
  const content = await readTextFile(takesIds ? await host.openBundled(`text/${name}.tokens.json`) : text);
  return { name, hash, ...(await readContent(content, BUNDLED_CONTEXT, reading)) };
}

async function hashOf(source: ByteSource): Promise<string> {
  return sha256(await source.read(0, source.sizeBytes));
}

async function readContent(
  content: Awaited<ReturnType<typeof readTextFile>>,
  usualContext: number,
  reading: Reading,
): Promise<CutText & Pick<ReadText, "isTemplated">> {
  if (content.kind === "windows") return { windows: content.windows, droppedTokens: 0, isTemplated: false };
  const context = contextOf(usualContext, reading);
  if (reading.tokenizer === null) throw noTokenizer();
  const { ids, isTemplated } = await encodeDocuments(content.documents, reading.tokenizer, reading.signal);
  const cut = cutWindows(ids, context, reading.tokenizer.facts.leading?.id ?? null);
  if (cut.windows.length === 0) throw tooShort(ids.length, context);
  return { ...cut, isTemplated };
}

function contextOf(usual: number, { request, limits }: Reading): number {
  const most = limits.maxPositions ?? Number.POSITIVE_INFINITY;
  const context = request.context ?? Math.min(usual, most);
  if (Number.isInteger(context) && context >= MIN_WINDOW_TOKENS && context <= most) return context;
  const allowed = `a whole number from ${MIN_WINDOW_TOKENS} to ${Number.isFinite(most) ? most : "the model's positions"}`;
  throw textError("bad-context", `windows of ${context} tokens`, allowed, "choose another length");
}

/** Ids of documents, one after the other, each with what the tokenizer puts around a text. */
async function encodeDocuments(
  documents: readonly TextDocument[],
  tokenizer: OpenTokenizer,
  signal: AbortSignal | undefined,
): Promise<{ readonly ids: Uint32Array; readonly isTemplated: boolean }> {
  const conversations = documents.flatMap((own) => (own.kind === "conversation" ? [own.messages] : []));
  const rendered = conversations.length > 0 ? await tokenizer.render(conversations, signal) : [];
  const plain = documents.flatMap((own) => (own.kind === "plain" ? [own.text] : []));
  // A template writes its own special tokens, as `apply_chat_template` of transformers leaves them to it.
  const fromTemplate = await tokenizer.encode(rendered, { addsSpecial: false, signal });
  const fromPlain = await tokenizer.encode(plain, { addsSpecial: true, signal });
  const next = { conversation: fromTemplate.values(), plain: fromPlain.values() };
  const parts = documents.map(({ kind }) => next[kind].next().value ?? new Uint32Array());
  const ids = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return { ids, isTemplated: conversations.length > 0 };
}

/** Chooses windows from the texts, checks them against the model, and has the doctor look at them. */
async function assemble(texts: readonly ReadText[], reading: Reading): Promise<PreparedText> {
  const { request, tokenizer } = reading;
  const wanted = request.windows;
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0)) {
    throw textError("bad-count", `${wanted} windows`, "a whole number from 1", "choose another number of windows");
  }
  const shares = shareWindows(
    texts.map((own) => own.windows.length),
    wanted,
  );
  // A window of each text in turn: the first ones are of all texts, and stay the first ones when more are asked for.
  const windows: TokenWindow[] = [];
  const chosen = texts.map(({ name, windows: own }, text) => ({
    name,
    own: chooseWindows(own.length, shares[text], request.seed).map((place) => own[place] ?? []),
    places: [] as number[],
  }));
  for (let turn = 0; chosen.some(({ own }) => turn < own.length); turn++) {
    for (const { own, places } of chosen) {
      const window = own[turn];
      if (window) places.push(windows.push(window) - 1);
    }
  }
  const slices = chosen
    .filter(({ places }) => places.length > 0)
    .map(({ name, places }): TextSlice => ({ name, places }));
  if (windows.length === 0) throw textError("empty", "no text", "one text or more", "choose a text");
  checkWindows(windows, reading.limits);

  const textHashes = texts.map(({ hash }) => hash);
  const shared = texts.find(({ hash }) => request.calibration?.textHashes.includes(hash));
  if (shared) {
    const found = `${shared.name}, which recipes were calibrated on`;
    const advice = "measure on another text: on this one calibrated recipes look better than they are";
    throw textError("same-as-calibration", found, "different texts for calibration and evaluation", advice);
  }
  const windowHashes = await hashWindows(windows);
  const leading = tokenizer?.facts.leading ?? null;
  return {
    windows,
    slices,
    source: sourceWords(texts, windows, request),
    tokenizer: tokenizer?.facts.words ?? "none: ids are used as they are",
    bos: leading && { id: leading.id, token: quote(leading.token) },
    hash: await sha256OfText(windowHashes.join("\n")),
    windowHashes,
    textHashes,
    findings: examineText({
      windows,
      windowHashes,
      sliceStarts: slices.map(({ places }) => places[0] ?? 0),
      droppedTokens: texts.reduce((sum, own) => sum + own.droppedTokens, 0),
      tokenizer: tokenizer?.facts ?? null,
      isTemplated: texts.some((own) => own.isTemplated),
      calibration: new Set(request.calibration?.windowHashes ?? []),
    }),
  };
}

function checkWindows(windows: readonly TokenWindow[], { vocabularySize, maxPositions }: ModelLimits): void {
  for (const [place, window] of windows.entries()) {
    if (maxPositions !== null && window.length > maxPositions) {
      const allowed = `at most ${maxPositions}, the positions that the model was made for`;
      throw textError("window-too-long", `${window.length} tokens in window ${place}`, allowed, "cut shorter windows");
    }
    const bad = vocabularySize === null ? undefined : window.find((id) => id >= vocabularySize);
    if (bad !== undefined) {
      const allowed = `ids below ${vocabularySize}, the model's vocabulary`;
      const advice = "take the tokenizer that belongs to the weights";
      throw textError("id-outside-vocabulary", `token id ${bad} in window ${place}`, allowed, advice);
    }
  }
}

function sourceWords(texts: readonly ReadText[], windows: readonly TokenWindow[], { seed }: TextRequest): string {
  const available = texts.reduce((sum, own) => sum + own.windows.length, 0);
  const chosen = seed === undefined ? "the first" : `chosen with seed ${seed}`;
  const part = windows.length < available ? ` of ${formatCount(available)}, ${chosen}` : "";
  return `${texts.map(({ name }) => name).join(", ")}: ${formatCount(windows.length)} windows${part}`;
}

function noTokenizer(): LabError {
  const advice = 'add it to the folder, or give the text as token ids: {"windows": [[1, 2, …], …]}';
  return textError("no-tokenizer", "no tokenizer.json beside the weights", "a model folder with its tokenizer", advice);
}

function tooShort(tokens: number, context: number): LabError {
  const advice = "give a longer text, or choose shorter windows";
  return textError("too-short", `${tokens} tokens`, `at least ${context}, one window`, advice);
}

function textError(kind: string, found: string, allowed: string, advice: string): LabError {
  return new LabError({ code: `text/${kind}`, doing: DOING, found, allowed, advice });
}
