import { isJsonArray, isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import { named, TOKENIZER_FILE, tokenizerError } from "./tokenizer-errors.ts";
import { checkPipeline, type SequenceTemplate } from "./tokenizer-pipeline.ts";

/** The ways of making tokens that the lab reads. */
export type TokenizerModel = "BPE" | "WordPiece" | "Unigram";

/** What a tokenizer.json says, as far as the lab asks. All of it was checked. */
export interface TokenizerStructure {
  readonly model: TokenizerModel;
  /** Ids by token: the model's own and those added to it. */
  readonly ids: ReadonlyMap<string, number>;
  /** One more than the largest id. */
  readonly idCount: number;
  /** Ids of tokens that were added to the model's own: their text stands as it is. */
  readonly added: ReadonlySet<number>;
  /** Ids of tokens marked as special. */
  readonly special: ReadonlySet<number>;
  /** The id that stands for text outside the vocabulary; null where the tokenizer has none. */
  readonly unknownId: number | null;
  /** Ids that encoding puts before and after a text. */
  readonly template: SequenceTemplate;
}

/**
 * Ids that a file may name. The largest public vocabularies have 262,144 tokens; a table by id is as long as the largest,
 * so that one id of four billion would ask for gigabytes.
 */
const MAX_IDS = 2 ** 22;

/** Characters of one token: a file of one token of 100 MB would be searched for in every text. */
const MAX_TOKEN_LENGTH = 16_384;

/**
 * Checks a parsed tokenizer.json before any library sees it.
 * @throws LabError `tokenizer/bad-vocabulary`, `tokenizer/bad-id` (K06), `tokenizer/bad-merges` (K08),
 *   `tokenizer/unknown-model`, `tokenizer/missing-token`, `tokenizer/bad-score`, `tokenizer/bad-structure`,
 *   `tokenizer/unsupported` (K11)
 */
export function readTokenizerStructure(json: JsonValue): TokenizerStructure {
  if (!isJsonObject(json)) throw badStructure("JSON that is not an object", "an object with a model");
  const model = json.get("model");
  if (!isJsonObject(model)) throw badStructure("no model", "an object under the key model");
  const kind = modelOf(model);
  const ids = new Map<string, number>();
  const isTaken = new Uint8Array(MAX_IDS);
  let idCount = 0;
  const add = (token: string, id: number) => {
    if (isTaken[id] === 1) throw badId(`id ${id} for ${named(token)} and for another token`);
    isTaken[id] = 1;
    idCount = Math.max(idCount, id + 1);
    ids.set(token, id);
  };
  if (kind === "Unigram") readScoredVocabulary(model.get("vocab"), add);
  else readVocabulary(model.get("vocab"), add);
  if (kind === "BPE") checkMerges(model, ids);
  checkUnusedOptions(model, kind);

  const [added, special] = [new Set<number>(), new Set<number>()];
  for (const { content, id, isSpecial } of readAddedTokens(json.get("added_tokens"))) {
    const known = ids.get(content);
    if (known === undefined) add(content, id);
    else if (known !== id) throw badId(`id ${id} for the added token ${named(content)}, whose id is ${known}`);
    added.add(id);
    if (isSpecial) special.add(id);
  }
  const template = checkPipeline(json, ids);
  return {
    model: kind,
    ids,
    idCount,
    added,
    special,
    unknownId: unknownIdOf(model, kind, ids),
    template,
  };
}

function modelOf(model: JsonObject): TokenizerModel {
  const type = model.get("type");
  if (type === "BPE" || type === "WordPiece" || type === "Unigram") return type;
  // Files of the first years, GPT-2's among them, name no type: the fields tell.
  if (type === undefined && model.has("merges")) return "BPE";
  const found = typeof type === "string" ? `the model type ${named(type)}` : "no model type";
  throw tokenizerError({
    code: "tokenizer/unknown-model",
    rule: "K11",
    file: TOKENIZER_FILE,
    found,
    allowed: "BPE, WordPiece or Unigram",
  });
}

function readVocabulary(vocab: JsonValue | undefined, add: (token: string, id: number) => void): void {
  if (!isJsonObject(vocab) || vocab.size === 0) throw badVocabulary(vocab, "an object of tokens and their ids");
  for (const [token, value] of vocab) add(checkToken(token), idOf(value, token));
}

function readScoredVocabulary(vocab: JsonValue | undefined, add: (token: string, id: number) => void): void {
  if (!isJsonArray(vocab) || vocab.length === 0) throw badVocabulary(vocab, "an array of tokens with scores");
  vocab.forEach((pair, id) => {
    const [token, score] = isJsonArray(pair) ? pair : [];
    if (!isJsonArray(pair) || pair.length !== 2 || typeof token !== "string" || !isJsonNumber(score)) {
      const found = `no pair of a token and a number at place ${id} of the vocabulary`;
      const allowed = 'pairs such as ["the", -3.1]';
      throw tokenizerError({ code: "tokenizer/bad-score", rule: "K11", file: TOKENIZER_FILE, found, allowed });
    }
    add(checkToken(token), id);
  });
}

function checkToken(token: string): string {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw badStructure(`a token of ${token.length} characters`, `at most ${MAX_TOKEN_LENGTH}`);
  }
  return token;
}

function idOf(value: JsonValue | undefined, token: string): number {
  const id = isJsonNumber(value) ? value.asUnsignedInteger() : undefined;
  if (id !== undefined && id < MAX_IDS) return Number(id);
  const words = isJsonNumber(value) ? value.text.slice(0, 40) : "no number";
  throw badId(`${words} as the id of ${named(token)}`);
}

/** Every merge must join two tokens to a third, so that merging makes text shorter and ends. */
function checkMerges(model: JsonObject, ids: ReadonlyMap<string, number>): void {
  const merges = model.get("merges");
  if (!isJsonArray(merges)) throw badMerges("no array of merges");
  const prefix = model.get("continuing_subword_prefix");
  const isPaired = isJsonArray(merges[0]);
  merges.forEach((merge, place) => {
    const parts = typeof merge === "string" ? merge.split(" ") : isJsonArray(merge) ? merge : [];
    const [left, right] = parts;
    if (parts.length !== 2 || typeof left !== "string" || typeof right !== "string" || left === "" || right === "") {
      throw badMerges(`merge ${place} is not of two parts`);
    }
    if (isJsonArray(merge) !== isPaired) throw badMerges(`merge ${place} is written in another way than the first`);
    const joined =
      typeof prefix === "string" && right.startsWith(prefix) ? left + right.slice(prefix.length) : left + right;
    for (const token of [left, right, joined]) {
      if (!ids.has(token)) throw badMerges(`merge ${place} needs ${named(token)}, which the vocabulary lacks`);
    }
  });
}

/** Options that change tokens and that the library behind `text-thread.mjs` leaves out. */
function checkUnusedOptions(model: JsonObject, kind: TokenizerModel): void {
  const dropout = model.get("dropout");
  const isDropped = isJsonNumber(dropout) && dropout.asNumber() !== 0;
  if (isDropped) throw unsupported("dropout: it makes tokens at random");
  if (kind === "BPE" && model.get("continuing_subword_prefix")) throw unsupported("continuing_subword_prefix");
  if (kind === "Unigram" && model.get("byte_fallback") === true) throw unsupported("byte_fallback of a Unigram model");
}

interface AddedToken {
  readonly content: string;
  readonly id: number;
  readonly isSpecial: boolean;
}

function readAddedTokens(added: JsonValue | undefined): readonly AddedToken[] {
  if (added === undefined || added === null) return [];
  if (!isJsonArray(added)) throw badStructure("added_tokens that is no array", "an array of added tokens");
  return added.map((token) => {
    const content = isJsonObject(token) ? token.get("content") : undefined;
    if (!isJsonObject(token) || typeof content !== "string" || content === "") {
      throw badStructure("an added token without content", "objects with id and content");
    }
    for (const flag of ["special", "normalized", "lstrip", "rstrip", "single_word"]) {
      const value = token.get(flag);
      if (value !== undefined && typeof value !== "boolean") {
        throw badStructure(`${flag} of the added token ${named(content)} that is no boolean`, "true or false");
      }
    }
    if (token.get("single_word") === true) throw unsupported(`single_word of the added token ${named(content)}`);
    return {
      content: checkToken(content),
      id: idOf(token.get("id"), content),
      isSpecial: token.get("special") === true,
    };
  });
}

function unknownIdOf(model: JsonObject, kind: TokenizerModel, ids: ReadonlyMap<string, number>): number | null {
  if (kind === "Unigram") {
    const value = model.get("unk_id");
    if (value === undefined || value === null) throw unsupported("a Unigram model without unk_id");
    const id = isJsonNumber(value) ? Number(value.asUnsignedInteger() ?? -1n) : -1;
    if (id >= 0 && id < ids.size) return id;
    throw missingToken("unk_id outside the vocabulary");
  }
  const token = model.get("unk_token");
  // GPT-2's file has an empty name for no token.
  if (token === undefined || token === null || token === "") {
    if (kind === "WordPiece") throw missingToken("a WordPiece model without unk_token");
    return null;
  }
  const id = typeof token === "string" ? ids.get(token) : undefined;
  if (id !== undefined) return id;
  throw missingToken(`unk_token ${typeof token === "string" ? named(token) : "that is no string"}`);
}

function badVocabulary(vocab: JsonValue | undefined, allowed: string) {
  const isEmpty = isJsonObject(vocab) || isJsonArray(vocab);
  const found = isEmpty ? "a vocabulary that is empty or of another form" : "no vocabulary";
  return tokenizerError({ code: "tokenizer/bad-vocabulary", rule: "K06", file: TOKENIZER_FILE, found, allowed });
}

function badId(found: string) {
  const allowed = `whole numbers from 0 to ${MAX_IDS - 1}, each for one token`;
  return tokenizerError({ code: "tokenizer/bad-id", rule: "K06", file: TOKENIZER_FILE, found, allowed });
}

function badMerges(found: string) {
  const allowed = "merges of two tokens whose join is a token";
  return tokenizerError({ code: "tokenizer/bad-merges", rule: "K08", file: TOKENIZER_FILE, found, allowed });
}

function missingToken(found: string) {
  const allowed = "names of tokens that the vocabulary has";
  return tokenizerError({ code: "tokenizer/missing-token", rule: "K11", file: TOKENIZER_FILE, found, allowed });
}

function badStructure(found: string, allowed: string) {
  return tokenizerError({ code: "tokenizer/bad-structure", rule: "K11", file: TOKENIZER_FILE, found, allowed });
}

function unsupported(found: string) {
  const allowed = "what the lab encodes exactly as its reference does";
  return tokenizerError({ code: "tokenizer/unsupported", rule: "K11", file: TOKENIZER_FILE, found, allowed });
}
