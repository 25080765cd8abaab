import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "./errors.ts";
import {
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  JsonNumber,
  type JsonValue,
  jsonFromPlain,
  type PlainJsonValue,
  parseJson,
  stringifyJson,
} from "./json.ts";
import { compareCodePoints } from "./json-text.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): JsonValue => parseJson(encode(text), "a test");

function errorOf(action: () => unknown): LabError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof LabError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

/** A parsed value as `JSON.parse` would give it, for texts without odd keys. */
function toPlain(value: JsonValue): unknown {
  if (isJsonNumber(value)) return value.asNumber();
  if (isJsonArray(value)) return value.map(toPlain);
  if (isJsonObject(value)) return Object.fromEntries([...value].map(([key, inner]) => [key, toPlain(inner)]));
  return value;
}

describe("parseJson", () => {
  test("agrees with JSON.parse on whatever JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), fc.constantFrom(0, 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(toPlain(parse(spaced))).toEqual(JSON.parse(spaced));
      }),
    );
  });

  test("refuses whatever JSON.parse refuses, and never throws anything but a LabError", () => {
    const token = fc.constantFrom(
      ...'{}[]:,"\\0123456789.eE+-tfn \n\t',
      "true",
      "null",
      '"a"',
      "\\u",
      "d800",
      "\u2028",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join("");
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(errorOf(() => parse(text)).code).toMatch(/^json\//);
          return;
        }
        try {
          expect(toPlain(parse(text))).toEqual(expected);
        } catch (thrown) {
          if (!(thrown instanceof LabError)) throw thrown;
          expect(["json/duplicate-key", "json/lone-surrogate", "json/number-range"]).toContain(thrown.code);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["an empty text", "", "json/syntax"],
    ["white space alone", " \n", "json/syntax"],
    ["two values", "1 2", "json/syntax"],
    ["a trailing comma in a list", "[1,]", "json/syntax"],
    ["a trailing comma in an object", '{"a":1,}', "json/syntax"],
    ["a comment", "/* */ 1", "json/syntax"],
    ["NaN", "NaN", "json/syntax"],
    ["a negative infinity", "-Infinity", "json/syntax"],
    ["a leading zero", "01", "json/syntax"],
    ["a leading plus", "+1", "json/syntax"],
    ["a fraction without digits", "1.", "json/syntax"],
    ["an exponent without digits", "1e+", "json/syntax"],
    ["a hexadecimal number", "0x10", "json/syntax"],
    ["single quotes", "'a'", "json/syntax"],
    ["an unknown escape", '"\\x41"', "json/syntax"],
    ["three hexadecimal digits", '"\\u12"', "json/syntax"],
    ["an open string", '"a', "json/syntax"],
    ["an open object", '{"a":1', "json/syntax"],
    ["a no-break space", "\u00a01", "json/syntax"],
    ["a key without quotes", "{a:1}", "json/syntax"],
    ["a raw tab in a string", '"\t"', "json/control-character"],
    ["a byte order mark", "\ufeff1", "json/byte-order-mark"],
    ["a lone high surrogate", '"\\ud800"', "json/lone-surrogate"],
    ["a high surrogate before a plain escape", '"\\ud800\\u0041"', "json/lone-surrogate"],
    ["a lone low surrogate", '"\\udc00"', "json/lone-surrogate"],
    ["a number beyond a double", "1e309", "json/number-range"],
    ["a long number beyond a double", "9".repeat(400), "json/number-range"],
    ["a key twice", '{"a":1,"a":1}', "json/duplicate-key"],
    ["a key twice, once escaped", '{"a":1,"\\u0061":1}', "json/duplicate-key"],
    ["128 nested containers", "[".repeat(128) + "]".repeat(128), "json/too-deep"],
    ["100 000 open lists", "[".repeat(100_000), "json/too-deep"],
  ])("refuses %s", (_, text, code) => {
    expect(errorOf(() => parse(text)).code).toBe(code);
  });

  test.each([
    ["an overlong form", [0x22, 0xc0, 0xaf, 0x22]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a cut sequence", [0x22, 0xe2, 0x82]],
  ])("refuses %s as UTF-8", (_, bytes) => {
    expect(errorOf(() => parseJson(new Uint8Array(bytes), "a test")).code).toBe("json/not-utf8");
  });

  test("accepts 127 nested containers", () => {
    expect(isJsonArray(parse("[".repeat(127) + "]".repeat(127)))).toBe(true);
  });

  test("keeps the text of numbers", () => {
    const value = parse("[16, 16.0, -0, 1E1, 18446744073709551615]");
    const numbers = isJsonArray(value) ? value.filter(isJsonNumber) : [];
    expect(numbers.map(({ text }) => text)).toEqual(["16", "16.0", "-0", "1E1", "18446744073709551615"]);
    expect(numbers.map((number) => number.asUnsignedInteger())).toEqual([
      16n,
      undefined,
      undefined,
      undefined,
      2n ** 64n - 1n,
    ]);
  });

  test("keeps the key __proto__ as a plain key and no prototype changes", () => {
    const value = parse('{"__proto__":{"polluted":1},"constructor":2}');
    expect(isJsonObject(value) && [...value.keys()]).toEqual(["__proto__", "constructor"]);
    expect("polluted" in {}).toBe(false);
  });

  test("stops at the limits of its caller", () => {
    expect(errorOf(() => parseJson(encode("[1,2]"), "a test", { maxBytes: 4 })).code).toBe("json/too-large");
    expect(errorOf(() => parseJson(encode("[1,2]"), "a test", { maxValues: 2 })).code).toBe("json/too-many-values");
    expect(errorOf(() => parseJson(encode("[[]]"), "a test", { maxDepth: 1 })).code).toBe("json/too-deep");
  });

  test("says where a key stands twice", () => {
    expect(errorOf(() => parse('{"a":{"b":{"c":1,"c":2}}}')).fields).toMatchObject({ path: ["a", "b"], key: "c" });
  });

  test("escapes control and direction characters of the text in its message", () => {
    expect(errorOf(() => parse('{"\u202e\\u001b":1,"\u202e\\u001b":2}')).message).not.toMatch(/\p{Cf}|\p{Cc}/u);
  });

  test("takes a number of a million digits without a stack overflow", () => {
    expect(toPlain(parse(`0.${"1".repeat(1_000_000)}`))).toBeCloseTo(0.1111);
  });
});

describe("stringifyJson", () => {
  test("writes what Python's json.dumps(indent=2, sort_keys=True) writes", () => {
    const value = parse(
      '{"b":[1.0,1e-05,[],{}],"a":{"ü\\u007f😀\\n\\u0001":null},"B":true,"\\ue000":1,"😀":"/\\\\\\""}',
    );
    expect(stringifyJson(value, { indent: 2, sortKeys: true })).toBe(`{
  "B": true,
  "a": {
    "\\u00fc\\u007f\\ud83d\\ude00\\n\\u0001": null
  },
  "b": [
    1.0,
    1e-05,
    [],
    {}
  ],
  "\\ue000": 1,
  "\\ud83d\\ude00": "/\\\\\\""
}`);
  });

  test("is read back to the same value", () => {
    const leaf = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const { tree } = fc.letrec<{ tree: PlainJsonValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: "binary" }), tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.boolean(), fc.constantFrom(0, 2), (plain, sortKeys, indent) => {
        const value = jsonFromPlain(plain);
        expect(parse(stringifyJson(value, { indent, sortKeys }))).toEqual(value);
      }),
    );
  });

  test("refuses text that no UTF-8 file can hold", () => {
    expect(errorOf(() => stringifyJson(["\ud800"])).code).toBe("json/lone-surrogate");
  });

  test("orders keys by code point, as UTF-8 bytes order", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

test("a JsonNumber takes number tokens alone", () => {
  expect(new JsonNumber("-1.5e3").asNumber()).toBe(-1500);
  for (const text of ["", "1 ", "NaN", "0x1", "1,2", "--1"]) {
    expect(errorOf(() => new JsonNumber(text)).code).toBe("json/syntax");
  }
});
