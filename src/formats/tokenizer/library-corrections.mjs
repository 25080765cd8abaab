// Where @huggingface/tokenizers 0.2.0 makes other tokens than its reference, tokenizers (Rust) 0.23: steps replaced by
// ones that do as the reference does. tests of `text-thread` hold them to what the reference made.
import { PreTokenizer } from "@huggingface/tokenizers";

/** Unicode's white space, as the reference has it; JavaScript's `\s` has U+FEFF too and lacks U+0085. */
const SPACE = "\\p{White_Space}";
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu;
const BYTE_LEVEL = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`,
  "gu",
);

/** A text that normalizing makes longer than this is refused, so that forty doublings of a letter do not fill memory. */
const GROWTH = { times: 32, atLeast: 100_000 };

/** Thrown by a normalizer; its `kind` becomes the second half of an error code. */
export class TextGrows extends Error {
  kind = "grows";
}

/** The matches of a pattern. The reference skips an empty one right after another match. */
function* matchesOf(text, pattern) {
  let end = -1;
  for (const match of text.matchAll(pattern)) {
    if (match[0] === "" && match.index === end) continue;
    end = match.index + match[0].length;
    yield match;
  }
}

/**
 * Pieces of a text at the matches of a pattern (`SplitDelimiterBehavior`).
 * @param {string} text
 * @param {RegExp} pattern with the flag g
 * @param {string} behavior
 * @param {boolean} invert matches are what lies between the pattern's
 */
function splitText(text, pattern, behavior, invert) {
  const pieces = [];
  let end = 0;
  for (const match of matchesOf(text, pattern)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), isMatch: invert });
    // An empty match is no piece of its own, but it parts its neighbours.
    pieces.push({ text: match[0], isMatch: !invert });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), isMatch: invert });
  return joined(pieces, behavior).filter((piece) => piece !== "");
}

function joined(pieces, behavior) {
  if (behavior === "Removed") return pieces.filter(({ isMatch }) => !isMatch).map(({ text }) => text);
  const out = [];
  let before = null;
  const steps = behavior === "MergedWithNext" ? pieces.toReversed() : pieces;
  for (const { text, isMatch } of steps) {
    const joins =
      behavior === "Contiguous"
        ? before === isMatch
        : behavior === "MergedWithPrevious" || behavior === "MergedWithNext"
          ? isMatch && before === false
          : false;
    if (!joins) out.push(text);
    else out.push(behavior === "MergedWithNext" ? text + out.pop() : out.pop() + text);
    before = isMatch;
  }
  return behavior === "MergedWithNext" ? out.toReversed() : out;
}

/** A pre-tokenizer from a function of one text. */
class Step extends PreTokenizer {
  constructor(split) {
    super();
    this.pre_tokenize_text = split;
  }
}

/** The reference's form of a pre-tokenizer, or the library's own where they agree. */
function correctedPreTokenizer(own, config) {
  switch (config.type) {
    case "Sequence":
      own.tokenizers = config.pretokenizers.map((inner, place) => correctedPreTokenizer(own.tokenizers[place], inner));
      return own;
    case "ByteLevel":
      own.pattern = BYTE_LEVEL;
      return own;
    case "Split":
      return new Step((text) => splitText(text, own.pattern, config.behavior, config.invert === true));
    case "Punctuation":
      return new Step((text) => splitText(text, PUNCTUATION, config.behavior ?? "Isolated", false));
    case "Digits": {
      const behavior = config.individual_digits ? "Isolated" : "Contiguous";
      return new Step((text) => splitText(text, /\p{N}/gu, behavior, false));
    }
    case "Whitespace": {
      const pattern = new RegExp(`[${WORD}]+|[^${WORD}${SPACE}]+`, "gu");
      return new Step((text) => splitText(text, pattern, "Removed", true));
    }
    case "WhitespaceSplit":
      return new Step((text) => splitText(text, /\p{White_Space}/gu, "Removed", false));
    case "BertPreTokenizer":
      return new Step((text) =>
        splitText(text, /\p{White_Space}/gu, "Removed", false).flatMap((word) =>
          splitText(word, PUNCTUATION, "Isolated", false),
        ),
      );
    case "Metaspace":
      return metaspace(config);
    default:
      return own;
  }
}

function metaspace(config) {
  const mark = config.replacement ?? "\u2581";
  const scheme = config.add_prefix_space === false ? "never" : (config.prepend_scheme ?? "always");
  const pattern = new RegExp(mark.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"), "gu");
  return new Step((text, options) => {
    let marked = text.replaceAll(" ", () => mark);
    const isPrefixed = scheme === "always" || (scheme === "first" && options?.section_index === 0);
    if (isPrefixed && !marked.startsWith(mark)) marked = mark + marked;
    return config.split === false ? [marked] : splitText(marked, pattern, "MergedWithNext", false);
  });
}

/**
 * A normalizer as a function that refuses to grow a text beyond all use.
 * @returns {(text: string) => string}
 */
export function boundedNormalizer(own, config) {
  const steps = flatSteps(own, config);
  return (text) => {
    const most = Math.max(GROWTH.atLeast, GROWTH.times * text.length);
    return steps.reduce((sofar, step) => {
      const next = step(sofar, most);
      if (next.length > most) throw new TextGrows(`more than ${most} characters`);
      return next;
    }, text);
  };
}

function flatSteps(own, config) {
  if (config.type === "Sequence") {
    return config.normalizers.flatMap((inner, place) => flatSteps(own.normalizers[place], inner));
  }
  if (config.type === "Strip") return [(text) => strip(text, config)];
  if (config.type !== "Replace") return [(text) => own.normalize(text)];
  return [(text, most) => replaceAll(text, own.pattern, config.content, most)];
}

function strip(text, { strip_left, strip_right }) {
  const left = strip_left ? text.replace(/^\p{White_Space}+/u, "") : text;
  return strip_right ? left.replace(/\p{White_Space}+$/u, "") : left;
}

/** The content stands as it is: for `String.replaceAll` a `$` in it has a meaning. */
function replaceAll(text, pattern, content, most) {
  const parts = [];
  let [end, length] = [0, 0];
  for (const match of matchesOf(text, pattern)) {
    parts.push(text.slice(end, match.index), content);
    length += match.index - end + content.length;
    if (length > most) throw new TextGrows(`more than ${most} characters`);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.join("");
}

/**
 * Replaces steps of the library's tokenizer.
 * @param tokenizer of the library
 * @param config the tokenizer.json that it was made from
 */
export function correctTokenizer(tokenizer, config) {
  if (config.normalizer) tokenizer.normalizer = boundedNormalizer(tokenizer.normalizer, config.normalizer);
  if (config.pre_tokenizer) {
    tokenizer.pre_tokenizer = correctedPreTokenizer(tokenizer.pre_tokenizer, config.pre_tokenizer);
  }
  if (config.model.type === "BPE" && config.model.fuse_unk) fuseWithinWords(tokenizer.model);
}

/** The reference joins neighbouring unknown characters of one word, the library those of different words too. */
function fuseWithinWords(model) {
  model.fuse_unk = false;
  const encode = model.encode.bind(model);
  model.encode = (words) =>
    words.flatMap((word) =>
      encode([word]).filter((token, place, all) => token !== model.unk_token || all[place - 1] !== token),
    );
}
