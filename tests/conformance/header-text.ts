// Header text cut into tokens, and edits of it that keep most of the text whole: byte edits alone rarely get past the
// JSON rules. Text here is bytes as Latin-1, so that invalid UTF-8 passes through.

/** A source of choices. */
export interface Chooser {
  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Tokens `start` to `end - 1`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

interface Member extends Span {
  /** Where its container begins: siblings have the same. */
  readonly container: number;
}

const TOKEN = /"(?:[^"\\]|\\[\s\S])*"?|-?[0-9][0-9.eE+-]*|[A-Za-z]+|[ \t\r\n]+|[\s\S]/g;

const DTYPES = ["BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ"];
const MORE_DTYPES = ["F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64"];
const NO_DTYPES = ["f32", "F8_E4M3FN", "I4", "BF16 ", "toString", "__proto__"];
const FIELDS = ["dtype", "shape", "data_offsets", "__metadata__", "data_offset", "Shape", "offset"];
/** Contents of strings as they stand in the file. */
const CONTENTS = [
  ...["", "a", "b", "\\u0061", "\\u005f_metadata__", "d\\u0074ype", "\\/", "\\\\", '\\"', "\\b\\f\\n\\r\\t", "\\u0000"],
  ...["\\ud83d\\ude00", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf", "\xc3\xa9", "e\xcc\x81", "\xe2\x80\xa8", "\xe2\x80\xae"],
  ...["\x7f", "constructor", "0"],
];
/** Escapes, control characters and bytes that no header may hold. */
const BAD_CONTENTS = [
  ...["\\ud800", "\\ude00\\ud83d", "\\ud83dx", "\\uD83D\\u0041", "\\x41", "\\u12", "\\u00gg", "\\", "\t", "\0", "\x1f"],
  ...["\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"],
];
const quoted = (content: string): string => `"${content}"`;
const STRINGS = [...DTYPES, ...MORE_DTYPES, ...NO_DTYPES, ...FIELDS, ...CONTENTS].map(quoted);
const ANY_STRINGS = [...STRINGS, ...BAD_CONTENTS.map(quoted)];

const INTEGERS = [0, 1, 2, 3, 4, 7, 8, 9, 12, 16, 24, 32, 64, 127, 128, 255, 256, 65535, 65536].map(String);
const DECIMALS = ["-0", "-1", "1.0", "0.0", "1e1", "1E2", "1e308", "1e-999", "0e999", `0.${"1".repeat(400)}`];
const EDGES = [31n, 32n, 53n, 61n, 63n, 64n].flatMap((bits) => [-1n, 0n, 1n].map((step) => `${2n ** bits + step}`));
/** Some of them no JSON numbers, some no doubles. */
const NUMBERS = [
  ...[...INTEGERS, ...EDGES, ...DECIMALS, "1e309", "-1e999", "01", "00", "+1", ".5", "5.", "1e", "1e+", "-", "0x10"],
  ...["NaN", "Infinity", "-Infinity", "9".repeat(400)],
];

const WORDS = ["null", "true", "false"];
const VALUES = [
  ...[
    ...WORDS,
    "{}",
    "[]",
    "[0]",
    "[[]]",
    '{"a":null}',
    '{"I32":null}',
    '{"F32":[]}',
    '{"a":"b"}',
    '{"a":"b","a":"c"}',
  ],
  ...['{"dtype":"U8","shape":[0],"data_offsets":[0,0]}', '["U8",[0],[0,0]]'],
];
/** The first five may stand between any two tokens. */
const SPACES = [
  " ",
  "\t",
  "\n",
  "\r",
  " \r\n\t ",
  "\f",
  "\v",
  "\xa0",
  "\xc2\xa0",
  "\xef\xbb\xbf",
  "\0",
  "//",
  "/**/",
  ",",
];

const isString = (token: string): boolean => token.startsWith('"');
const isNumber = (token: string): boolean => /^-?[0-9]/.test(token);
const OPENING = new Map([
  ["}", "{"],
  ["]", "["],
]);

/** The members of all containers, in no order: `key: value` of objects, values of lists. Broken text gives some of them. */
function membersOf(tokens: readonly string[]): readonly Member[] {
  const members: Member[] = [];
  const open: { readonly bracket: string; readonly container: number; start: number }[] = [];
  const close = (end: number): void => {
    const container = open.at(-1);
    if (container && end > container.start)
      members.push({ start: container.start, end, container: container.container });
  };
  tokens.forEach((token, at) => {
    if (token === "{" || token === "[") open.push({ bracket: token, container: at, start: at + 1 });
    else if (token === ",") {
      close(at);
      const container = open.at(-1);
      if (container) container.start = at + 1;
    } else if (OPENING.has(token) && open.at(-1)?.bracket === OPENING.get(token)) {
      close(at);
      open.pop();
    }
  });
  return members;
}

/** Where the value of a member begins: after its colon, where it has one. */
function valueSpan(tokens: readonly string[], { start, end }: Span): Span {
  const colon = tokens.indexOf(":", start);
  const isKeyed = colon !== -1 && colon < end && !tokens.slice(start, colon).some((token) => /^[{[]$/.test(token));
  return { start: isKeyed ? colon + 1 : start, end };
}

type Edit = (tokens: string[], chooser: Chooser) => void;

/** An edit of one token of a kind; nothing where there is none. */
function onToken(fits: (token: string) => boolean, change: (token: string, chooser: Chooser) => string): Edit {
  return (tokens, chooser) => {
    const places = [...tokens.keys()].filter((at) => fits(tokens[at] ?? ""));
    if (places.length === 0) return;
    const at = chooser.pick(places);
    tokens[at] = change(tokens[at] ?? "", chooser);
  };
}

/** An edit of one member; nothing where there is none. */
function onMember(
  change: (tokens: string[], member: Member, chooser: Chooser, members: readonly Member[]) => void,
): Edit {
  return (tokens, chooser) => {
    const members = membersOf(tokens);
    if (members.length > 0) change(tokens, chooser.pick(members), chooser, members);
  };
}

const nearby: Edit = onToken(
  (token) => /^[0-9]{1,19}$/.test(token),
  (token, { pick }) => {
    const value = BigInt(token);
    return `${pick([value + 1n, value > 0n ? value - 1n : 0n, value * 2n, value / 2n, value * 8n, value << 32n])}`;
  },
);

const escapeOne: Edit = onToken(isString, (token, { below }) => {
  const at = 1 + below(Math.max(token.length - 2, 1));
  const code = token.charCodeAt(at);
  if (!(code > 0x20 && code < 0x7f) || /["\\]/.test(token.slice(at - 1, at + 1))) return token;
  return `${token.slice(0, at)}\\u${code.toString(16).padStart(4, "0")}${token.slice(at + 1)}`;
});

const duplicate: Edit = onMember((tokens, { start, end }, { pick }, members) => {
  const copy = tokens.slice(start, end);
  const place = pick(members);
  tokens.splice(place.end, 0, ",", ...copy);
});

const remove: Edit = onMember((tokens, { start, end }) => {
  const hasComma = tokens[end] === ",";
  tokens.splice(start, end - start + (hasComma ? 1 : 0));
  if (!hasComma && tokens[start - 1] === ",") tokens.splice(start - 1, 1);
});

const swap: Edit = onMember((tokens, one, { pick }, members) => {
  const other = pick(members.filter(({ container }) => container === one.container));
  const [first, second] = one.start < other.start ? [one, other] : [other, one];
  if (first === second) return;
  const [a, b] = [tokens.slice(first.start, first.end), tokens.slice(second.start, second.end)];
  tokens.splice(second.start, b.length, ...a);
  tokens.splice(first.start, a.length, ...b);
});

const replaceValue: Edit = onMember((tokens, member, { pick }) => {
  const { start, end } = valueSpan(tokens, member);
  tokens.splice(start, end - start, pick([...VALUES, "nul", "True", ...ANY_STRINGS, ...NUMBERS]));
});

const wrapValue: Edit = onMember((tokens, member, { pick, below }) => {
  const { start, end } = valueSpan(tokens, member);
  const value = tokens.slice(start, end).join("");
  const nest = pick([1, 2, 60, 123, 124, 125, 126, 127, 128]);
  const wraps = [`[${value}]`, `{"I32":${value}}`, `{${value}:null}`, `${"[".repeat(nest)}${value}${"]".repeat(nest)}`];
  tokens.splice(start, end - start, wraps[below(wraps.length)] ?? value);
});

/** An entry as the list of its three values, which serde takes for the object. */
const entryAsList: Edit = onMember((tokens, member) => {
  const { start, end } = valueSpan(tokens, member);
  const parts = membersOf(tokens.slice(start, end)).map((part) => ({
    start: part.start + start,
    end: part.end + start,
  }));
  const values = ["dtype", "shape", "data_offsets"].map((name) => {
    const part = parts.find((candidate) => tokens[candidate.start] === `"${name}"`);
    return part ? tokens.slice(valueSpan(tokens, part).start, part.end).join("") : null;
  });
  if (!values.includes(null)) tokens.splice(start, end - start, `[${values.join(",")}]`);
});

const addField: Edit = onMember((tokens, { start, end }, { pick }) => {
  if (tokens[start + 1] === ":")
    tokens.splice(end, 0, ",", pick(STRINGS), ":", pick([...VALUES, ...STRINGS, ...INTEGERS, ...EDGES, ...DECIMALS]));
});

/** Another name for something whose value is an object: a tensor. */
const rename: Edit = onMember((tokens, member, { pick }) => {
  const { start } = valueSpan(tokens, member);
  if (start > member.start && tokens[start] === "{") tokens[member.start] = pick(STRINGS);
});

/** `[2, 2]` as `[1, 2, 2]`: another shape of the same size. */
const growShape: Edit = onMember((tokens, { start, end }) => {
  const at = tokens.indexOf("[", start);
  if (tokens[start] === '"shape"' && at < end) tokens.splice(at + 1, 0, tokens[at + 1] === "]" ? "1" : "1,");
});

const addMetadata: Edit = (tokens, { pick }) => {
  const at = tokens.indexOf("{");
  const value = pick(["null", "{}", '{"a":"b"}', '{"a":"b","a":"c"}', '{"a":1}', "[]", '"x"']);
  tokens.splice(at + 1, 0, `"__metadata__":${value}${tokens[at + 1] === "}" ? "" : ","}`);
};

const addEmptyTensor: Edit = (tokens, { pick, below }) => {
  const at = tokens.lastIndexOf("}");
  const place = pick([...tokens.filter((token) => /^[0-9]{1,9}$/.test(token)), "0"]);
  const name = below(2) === 0 ? `"z${below(99)}"` : pick(STRINGS);
  const entry = `${name}:{"dtype":"F32","shape":[0,${pick(INTEGERS)}],"data_offsets":[${place},${place}]}`;
  if (at > 0) tokens.splice(at, 0, tokens[at - 1] === "{" ? entry : `,${entry}`);
};

const dropToken: Edit = (tokens, { below }) => void tokens.splice(below(tokens.length), 1);
const repeatToken: Edit = (tokens, { below }) => {
  const at = below(tokens.length);
  tokens.splice(at, 0, tokens[at] ?? "");
};
const addSpace: Edit = (tokens, { below, pick }) => void tokens.splice(below(tokens.length + 1), 0, pick(SPACES));

/** Edits that often leave a good file, on which both readers must agree in every tensor. */
const GENTLE: readonly Edit[] = [
  ...[growShape, escapeOne, swap, addField, addMetadata, addEmptyTensor],
  onToken(
    (token) => DTYPES.concat(MORE_DTYPES).includes(token.slice(1, -1)),
    (_, { pick }) => `"${pick([...DTYPES, ...MORE_DTYPES])}"`,
  ),
  (tokens, { below, pick }) => void tokens.splice(below(tokens.length + 1), 0, pick(SPACES.slice(0, 5))),
  rename,
];

const HARSH: readonly Edit[] = [
  onToken(isNumber, (_, { pick }) => pick(NUMBERS)),
  onToken(isNumber, (_, { pick }) => pick(INTEGERS)),
  onToken(isString, (_, { pick }) => pick(ANY_STRINGS)),
  ...[nearby, duplicate, remove, replaceValue, wrapValue, entryAsList, dropToken, repeatToken, addSpace],
];

/** The text with one edit, or as it was where that edit finds nothing to change. */
export function editHeaderText(text: string, chooser: Chooser): string {
  const tokens = text.match(TOKEN) ?? [];
  if (tokens.length === 0) return chooser.pick(VALUES);
  chooser.pick(chooser.pick([GENTLE, GENTLE, HARSH]))(tokens, chooser);
  return tokens.join("");
}
