// What the thread of untrusted text does: makes tokens, renders chat templates. Both run patterns and loops of a file, so
// that whoever started the thread ends it when it takes too long. Plain JavaScript, since Node starts a worker from a file
// as it is.
import { SequenceNormalizer, Tokenizer } from "@huggingface/tokenizers";
import { parseTemplate, renderTemplate } from "./chat-template.mjs";
import { boundedNormalizer, correctTokenizer } from "./library-corrections.mjs";

/** Fields that the library must find, and what stands for them where the file has none. */
const DEFAULTS = { normalizer: null, pre_tokenizer: null, post_processor: null, added_tokens: [] };

/**
 * The library's tokenizer of a checked tokenizer.json.
 * @param {string} text
 */
export function makeTokenizer(text) {
  // The text was read strictly before; `JSON.parse` makes the same values of it, `__proto__` as a plain key included.
  const parsed = JSON.parse(text);
  const config = { ...DEFAULTS, ...parsed, decoder: null, model: { ...parsed.model } };
  config.added_tokens ??= [];
  // The library knows neither Rust's untagged form nor an empty name for no token.
  config.model.type ??= "BPE";
  if (config.model.unk_token === "") config.model.unk_token = null;
  if (config.normalizer) {
    const steps = { type: "Sequence", normalizers: [config.normalizer] };
    const normalize = boundedNormalizer(new SequenceNormalizer(steps), steps);
    for (const token of config.added_tokens) if (token.normalized ?? !token.special) normalize(token.content);
  }
  const tokenizer = new Tokenizer(config, {});
  correctTokenizer(tokenizer, config);
  return tokenizer;
}

/**
 * Ids of texts.
 * @param tokenizer of `makeTokenizer`
 * @param {readonly string[]} texts
 * @param {boolean} addsSpecial with what the post-processor puts around a text
 * @returns {Uint32Array[]}
 */
export function encodeTexts(tokenizer, texts, addsSpecial) {
  return texts.map((text) => {
    const { ids } = tokenizer.encode(text, { add_special_tokens: addsSpecial });
    // A model without an unknown token drops what it does not know.
    return Uint32Array.from(ids.filter((id) => id !== undefined));
  });
}

/** One request; the answer's value. */
function answer(state, { kind, ...request }) {
  switch (kind) {
    case "tokenizer":
      state.tokenizer = makeTokenizer(request.text);
      return null;
    case "encode":
      return encodeTexts(state.tokenizer, request.texts, request.addsSpecial);
    case "template":
      state.template = parseTemplate(request.text);
      return null;
    case "render":
      return request.conversations.map((messages) =>
        renderTemplate(state.template, { ...request.variables, messages }),
      );
    default:
      throw new Error(`no request ${kind}`);
  }
}

/** What went wrong, in one of the words that the errors of `text-thread-client.ts` know. */
function failureOf(thrown) {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof Error && "kind" in thrown) return { kind: thrown.kind, words };
  return { kind: thrown instanceof SyntaxError ? "syntax" : "failed", words };
}

/**
 * Serves the other side of a port: says that it is there, then answers one request after the other.
 * @param {{ postMessage(message: unknown): void; onmessage: unknown }} port
 */
export function serve(port) {
  const state = { tokenizer: null, template: null };
  port.onmessage = ({ data }) => {
    try {
      port.postMessage({ value: answer(state, data) });
    } catch (thrown) {
      port.postMessage({ failure: failureOf(thrown) });
    }
  };
  port.postMessage({ value: "ready" });
}
