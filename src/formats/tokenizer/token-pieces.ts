import { quote } from "../../base/errors.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { Folder } from "../byte-source.ts";
import { readTokenizerJson, TOKENIZER_FILE, TOKENIZER_LIMITS } from "./tokenizer-errors.ts";
import { readTokenizerStructure } from "./tokenizer-file.ts";

/** Characters of a piece that are shown. */
const MAX_SHOWN = 200;

/** The text of a token, safe to show; null for an id that the vocabulary does not have. */
export type PieceOf = (id: number) => string | null;

/** How a vocabulary writes text down. */
type Spelling = "bytes" | "metaspace" | "plain";

/**
 * The text of each token of a folder's tokenizer, from its vocabulary: nothing of the file is run. Bytes that are no whole
 * UTF-8 become `⟨E2 80⟩`; line feeds and tabs stay, all other control, bidirectional and zero-width characters become `\u{…}`.
 * @returns null where the folder has no tokenizer
 * @throws LabError those of `readTokenizerStructure`, `json/…`, `source/…`
 */
export async function readPieces(folder: Folder): Promise<PieceOf | null> {
  const source = folder.files.get(TOKENIZER_FILE);
  if (!source) return null;
  const { json } = await readTokenizerJson(source, TOKENIZER_FILE, TOKENIZER_LIMITS);
  const { ids, idCount, added } = readTokenizerStructure(json);
  const spelling = isJsonObject(json) ? spellingOf(json) : "plain";
  const tokens = new Array<string | null>(idCount).fill(null);
  for (const [token, id] of ids) tokens[id] = token;
  return (id) => {
    const token = tokens[id] ?? null;
    return token === null ? null : safe(added.has(id) ? token : spelled(token, spelling));
  };
}

/**
 * GPT-2's alphabet of bytes, SentencePiece's sign for a space, or neither: told by the steps that make tokens and text of
 * each other.
 */
function spellingOf(json: JsonObject): Spelling {
  const steps = [
    ...stepsOf(json.get("pre_tokenizer")),
    ...stepsOf(json.get("decoder")),
    ...stepsOf(json.get("normalizer")),
  ];
  const types = new Set(steps.map((step) => step.get("type")));
  if (types.has("ByteLevel")) return "bytes";
  const replacesSpaces = steps.some((step) => step.get("content") === SPACE_SIGN);
  return types.has("Metaspace") || types.has("ByteFallback") || replacesSpaces ? "metaspace" : "plain";
}

/** A step and those that it is made of. */
function stepsOf(step: JsonValue | undefined): readonly JsonObject[] {
  if (!isJsonObject(step)) return [];
  const inner = ["pretokenizers", "decoders", "normalizers"].map((key) => step.get(key));
  return [step, ...inner.flatMap((own) => (isJsonArray(own) ? own.flatMap(stepsOf) : []))];
}

const SPACE_SIGN = "▁";

function spelled(token: string, spelling: Spelling): string {
  switch (spelling) {
    case "plain":
      return token;
    case "metaspace": {
      const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
      return byte === undefined ? token.replaceAll(SPACE_SIGN, " ") : textOfBytes([Number.parseInt(byte, 16)]);
    }
    case "bytes": {
      const bytes = Array.from(token, (character) => BYTES.get(character) ?? -1);
      return bytes.includes(-1) ? token : textOfBytes(bytes);
    }
  }
}

/**
 * Bytes by the characters that stand for them.
 * Source: openai/gpt-2 `src/encoder.py :: bytes_to_unicode`: printable characters of Latin-1 stand for themselves, the others
 * for what comes from U+0100 on.
 */
const BYTES: ReadonlyMap<string, number> = (() => {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 0x100; byte++) {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    bytes.set(String.fromCharCode(isPrintable ? byte : next++), byte);
  }
  return bytes;
})();

/** UTF-8 where it is whole; runs of other bytes as `⟨E2 80⟩`. */
function textOfBytes(bytes: readonly number[]): string {
  let text = "";
  let broken: string[] = [];
  const endBroken = () => {
    if (broken.length > 0) text += `⟨${broken.join(" ")}⟩`;
    broken = [];
  };
  for (let at = 0; at < bytes.length; ) {
    const found = characterAt(bytes, at);
    if (found) {
      endBroken();
      text += found.character;
      at += found.length;
    } else {
      broken.push((bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0"));
      at++;
    }
  }
  endBroken();
  return text;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function characterAt(
  bytes: readonly number[],
  at: number,
): { readonly character: string; readonly length: number } | null {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return null;
  try {
    return { character: UTF8.decode(Uint8Array.from(bytes.slice(at, at + length))), length };
  } catch {
    return null;
  }
}

function safe(piece: string): string {
  const cut = piece.length > MAX_SHOWN ? `${piece.slice(0, MAX_SHOWN)}…` : piece;
  return cut.replace(/[^\n\t]+/g, quote);
}
