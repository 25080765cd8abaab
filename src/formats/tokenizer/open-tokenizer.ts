import { cancelledError, quote } from "../../base/errors.ts";
import { formatCount } from "../../base/format.ts";
import type { Folder } from "../byte-source.ts";
import { type StartTextThread, TextThreadClient } from "./text-thread-client.ts";
import { readTokenizerConfig, type TokenizerConfig } from "./tokenizer-config.ts";
import { readTokenizerJson, TOKENIZER_FILE, TOKENIZER_LIMITS, tokenizerError } from "./tokenizer-errors.ts";
import { readTokenizerStructure, type TokenizerStructure } from "./tokenizer-file.ts";

/** A token that has a part to play. */
export interface NamedToken {
  readonly id: number;
  /** Its text; untrusted. */
  readonly token: string;
}

/** What the lab tells of a tokenizer. */
export interface TokenizerFacts {
  /** One more than the largest id. */
  readonly idCount: number;
  /** The token that encoding puts first; null where it puts none. */
  readonly leading: NamedToken | null;
  /** Tokens that encoding puts after a text. */
  readonly trailing: readonly NamedToken[];
  readonly bos: NamedToken | null;
  readonly eos: NamedToken | null;
  readonly padding: NamedToken | null;
  readonly unknown: NamedToken | null;
  /** tokenizer_config.json says the opposite of what the post-processor does about a leading BOS. transformers ignores it. */
  readonly isBosSettingIgnored: boolean;
  readonly hasChatTemplate: boolean;
  /** In one line, safe to print. */
  readonly words: string;
}

/** What an encoding may be told. */
export interface EncodeOptions {
  /** With the tokens that the post-processor puts around a text. */
  readonly addsSpecial: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A tokenizer with a thread of its own, until it is closed. */
export interface OpenTokenizer {
  readonly facts: TokenizerFacts;
  /** SHA-256 is taken of these bytes where a tokenizer must be known again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Ids of texts.
   * @throws LabError `tokenizer/…`, `run/cancelled`
   */
  encode(texts: readonly string[], options: EncodeOptions): Promise<readonly Uint32Array[]>;
  /**
   * Conversations as the model's chat template writes them, without a prompt for an answer.
   * @throws LabError `template/missing`, `template/…`, `run/cancelled`
   */
  render(conversations: readonly (readonly unknown[])[], signal?: AbortSignal): Promise<readonly string[]>;
  close(): void;
}

/**
 * Time limits: a part that every request has, and one that grows with its size. Ordinary patterns take about 1 µs a
 * character on a 2-core machine; the limit is fifty times that.
 */
const LIMITS = { baseMs: 800, msPerMegabyte: 2000, msPerCharacter: 0.05 };

/** A conversation takes about a millisecond. */
const CONVERSATION_MS = 50;

/** Whether a folder brings a tokenizer. */
export function hasTokenizer(folder: Folder): boolean {
  return folder.files.has(TOKENIZER_FILE);
}

/**
 * Reads and checks a folder's tokenizer, then builds it in a thread of its own. Nothing of the file runs in this one.
 * @throws LabError `tokenizer/missing`, those of `readTokenizerStructure`, of `readTokenizerConfig` and of
 *   `TextThreadClient.request`
 */
export async function openTokenizer(
  folder: Folder,
  startThread: StartTextThread,
  signal?: AbortSignal,
): Promise<OpenTokenizer> {
  const source = folder.files.get(TOKENIZER_FILE);
  if (!source) throw missing();
  const config = await readTokenizerConfig(folder);
  const { json, bytes } = await readTokenizerJson(source, TOKENIZER_FILE, TOKENIZER_LIMITS);
  const structure = readTokenizerStructure(json);
  if (signal?.aborted) throw cancelledError("preparing text");
  const client = new TextThreadClient(startThread);
  try {
    const limitMs = LIMITS.baseMs + LIMITS.msPerMegabyte * (bytes.byteLength / 1e6);
    await client.request({ kind: "tokenizer", text: new TextDecoder().decode(bytes) }, { limitMs, signal });
  } catch (thrown) {
    client.close();
    throw thrown;
  }
  return {
    facts: factsOf(structure, config),
    bytes,
    async encode(texts, { addsSpecial, signal: own }) {
      const characters = texts.reduce((sum, text) => sum + text.length, 0);
      const limitMs = Math.ceil(LIMITS.baseMs + LIMITS.msPerCharacter * characters);
      return (await client.request(
        { kind: "encode", texts, addsSpecial },
        { limitMs, signal: own },
      )) as readonly Uint32Array[];
    },
    async render(conversations, own) {
      if (config.chatTemplate === null) throw noTemplate();
      await client.request({ kind: "template", text: config.chatTemplate }, { limitMs: LIMITS.baseMs, signal: own });
      const variables = {
        ...Object.fromEntries(config.tokens),
        add_generation_prompt: false,
        tools: null,
        documents: null,
      };
      const limitMs = LIMITS.baseMs + CONVERSATION_MS * conversations.length;
      return (await client.request(
        { kind: "render", conversations, variables },
        { limitMs, signal: own },
      )) as readonly string[];
    },
    close: () => client.close(),
  };
}

function factsOf(structure: TokenizerStructure, config: TokenizerConfig): TokenizerFacts {
  const tokenOf = new Map<number, string>();
  const wanted = new Set([...structure.template.before, ...structure.template.after, structure.unknownId]);
  for (const [token, id] of structure.ids) if (wanted.has(id)) tokenOf.set(id, token);
  const byId = (id: number): NamedToken => ({ id, token: tokenOf.get(id) ?? "" });
  const byKey = (key: string): NamedToken | null => {
    const token = config.tokens.get(key);
    const id = token === undefined ? undefined : structure.ids.get(token);
    return id === undefined || token === undefined ? null : { id, token };
  };
  const [first] = structure.template.before;
  const leading = first === undefined ? null : byId(first);
  const bos = byKey("bos_token");
  const addsBos = leading !== null && (bos === null || bos.id === leading.id);
  const start = leading === null ? "puts no token first" : `puts ${quote(leading.token)} (${leading.id}) first`;
  return {
    idCount: structure.idCount,
    leading,
    trailing: structure.template.after.map(byId),
    bos,
    eos: byKey("eos_token"),
    padding: byKey("pad_token"),
    unknown: structure.unknownId === null ? null : byId(structure.unknownId),
    isBosSettingIgnored: config.addsBos !== null && config.addsBos !== addsBos,
    hasChatTemplate: config.chatTemplate !== null,
    words: `${structure.model}, ${formatCount(structure.ids.size)} tokens; ${start}`,
  };
}

function missing() {
  return tokenizerError({
    code: "tokenizer/missing",
    rule: "K11",
    file: TOKENIZER_FILE,
    found: "no such file beside the weights",
    allowed: "a model folder with a tokenizer.json",
    advice: 'add it to the folder, or give the text as token ids: {"windows": [[1, 2, …], …]}',
  });
}

function noTemplate() {
  return tokenizerError({
    code: "template/missing",
    rule: "K13",
    file: "tokenizer_config.json",
    found: "no chat template beside the tokenizer",
    allowed: "chat_template in tokenizer_config.json, or chat_template.jinja",
    advice: 'add the template, or give each line as {"text": …}',
  });
}
