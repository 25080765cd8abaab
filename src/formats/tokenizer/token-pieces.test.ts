import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBufferSource } from "../sources/buffer-source.ts";
import { readPieces } from "./token-pieces.ts";

const BYTE_LEVEL = { pre_tokenizer: { type: "ByteLevel" }, decoder: { type: "ByteLevel" } };
const SENTENCE_PIECE = {
  normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
  decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }] },
};

async function piecesIn(document: object) {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const files = new Map([["tokenizer.json", createBufferSource("tokenizer.json", bytes)]]);
  const pieceOf = await readPieces({ name: "made", files });
  if (!pieceOf) throw new Error("there is a tokenizer");
  return pieceOf;
}

/** Pieces of a BPE vocabulary of these tokens, in order. */
async function piecesFor(tokens: readonly string[], rest: object) {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const pieceOf = await piecesIn({ model: { type: "BPE", vocab, merges: [] }, ...rest });
  return tokens.map((_, id) => pieceOf(id));
}

describe("pieces", () => {
  test("of bytes are their text, and what is no whole UTF-8 in hex", async () => {
    const found = await piecesFor(["Ġheaven", "Ċ", "ĉ", "Ã©", "âĢ", "ĠâĢ", "aâĢb", "č", "¡", "ðŁĺĢ", "日"], BYTE_LEVEL);
    const expected = [" heaven", "\n", "\t", "é", "⟨E2 80⟩", " ⟨E2 80⟩", "a⟨E2 80⟩b", "\\u{d}", "⟨A1⟩", "😀", "日"];
    expect(found).toEqual(expected);
  });

  test("of SentencePiece have spaces for its sign, and bytes for their names", async () => {
    const found = await piecesFor(["▁the", "▁▁", "<0x0A>", "<0xE2>", "<0x41>", "a▁b"], SENTENCE_PIECE);
    expect(found).toEqual([" the", "  ", "\n", "⟨E2⟩", "A", "a b"]);
    const metaspace = { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Metaspace" }] } };
    expect(await piecesFor(["▁the"], metaspace)).toEqual([" the"]);
  });

  test("of other vocabularies stay as they are", async () => {
    expect(await piecesFor(["▁the", "##ing", "Ġa", "<0x0A>"], {})).toEqual(["▁the", "##ing", "Ġa", "<0x0A>"]);
  });

  test("that were added are their own text", async () => {
    const added = [
      { id: 1, content: "<|end|>", special: true },
      { id: 7, content: "Ġ  é", special: false },
    ];
    const vocab = { Ġx: 0, "<|end|>": 1 };
    const pieceOf = await piecesIn({ model: { type: "BPE", vocab, merges: [] }, ...BYTE_LEVEL, added_tokens: added });
    expect([0, 1, 7, 2, 8, -1, 0.5].map(pieceOf)).toEqual([" x", "<|end|>", "Ġ  é", null, null, null, null]);
  });

  test("cannot turn a line around, hide, or flood a screen", async () => {
    const hostile = ["\u202eabc", "a\u200bb", "\u0000\u001b[31m", "x".repeat(5000), "\u2028"];
    const found = await piecesFor(hostile, {});
    expect(found).toEqual(["\\u{202e}abc", "a\\u{200b}b", "\\u{0}\\u{1b}[31m", `${"x".repeat(200)}…`, "\\u{2028}"]);
  });

  test("are safe whatever the vocabulary says", async () => {
    const token = fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.string({ unit: "grapheme", minLength: 1 }));
    const rest = fc.constantFrom({}, BYTE_LEVEL, SENTENCE_PIECE);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(token, { minLength: 1, maxLength: 20 }), rest, async (tokens, own) => {
        for (const piece of await piecesFor(
          tokens.filter((text) => text !== "__proto__"),
          own,
        ).catch(() => [])) {
          expect(piece).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        }
      }),
    );
  });

  test("of the bundled tokenizer, joined, are the text", async () => {
    const fixtures = new URL("../../../fixtures/", import.meta.url);
    const source = readFileSync(new URL("models/quantlab-4m/tokenizer.json", fixtures));
    const files = new Map([["tokenizer.json", createBufferSource("tokenizer.json", source)]]);
    const pieceOf = await readPieces({ name: "bundled", files });
    const { windows } = JSON.parse(readFileSync(new URL("text/scripture.tokens.json", fixtures), "utf8"));
    const text = readFileSync(new URL("text/scripture.txt", fixtures), "utf8");
    const [, , ...ids] = windows[0] as number[];
    const joined = ids.map((id) => pieceOf?.(id)).join("");
    expect(text.startsWith(joined)).toBe(true);
    expect(joined.length).toBeGreaterThan(600);
  });

  test("are none without a tokenizer", async () => {
    expect(await readPieces({ name: "empty", files: new Map() })).toBeNull();
  });
});
