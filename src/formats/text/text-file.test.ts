import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBufferSource } from "../sources/buffer-source.ts";
import { plainText, readTextFile } from "./text-file.ts";

const read = (name: string, text: string | Uint8Array) =>
  readTextFile(createBufferSource(name, typeof text === "string" ? new TextEncoder().encode(text) : text));

describe("plain text", () => {
  test("is one document, as it stands but for a byte order mark", async () => {
    expect(await read("a.txt", "\ufeffone\r\n\r\ntwo\n")).toEqual({
      kind: "documents",
      documents: [{ kind: "plain", text: "one\r\n\r\ntwo\n" }],
    });
  });

  test("must be UTF-8 and not empty", async () => {
    await expect(read("a.txt", Uint8Array.of(0x61, 0xff))).rejects.toMatchObject({ code: "text/not-utf8" });
    await expect(read("a.txt", " \n")).rejects.toMatchObject({ code: "text/empty" });
    expect(() => plainText("", "pasted text")).toThrow(/no text/);
  });

  test("of too many bytes is not read", async () => {
    const source = { name: "a.txt", sizeBytes: 16_000_001, read: () => Promise.reject(new Error("it was read")) };
    await expect(readTextFile(source)).rejects.toMatchObject({ code: "text/too-large" });
  });
});

describe("lines of JSON", () => {
  test("are texts and conversations, in their order; empty lines do not count", async () => {
    const lines = '{"text": "a\\nb"}\n\r\n{"messages": [{"role": "user", "content": "x", "__proto__": {"y": [1]}}]}\n';
    const content = await read("a.JSONL", lines);
    if (content.kind !== "documents") throw new Error("no documents");
    const [plain, conversation] = content.documents;
    expect(plain).toEqual({ kind: "plain", text: "a\nb" });
    if (conversation?.kind !== "conversation") throw new Error("no conversation");
    const [message] = conversation.messages;
    expect(Object.getPrototypeOf(message)).toBeNull();
    expect(Object.keys(message as object)).toEqual(["role", "content", "__proto__"]);
    // As it arrives in a thread.
    expect(Object.entries(structuredClone(message) as object)).toContainEqual(["__proto__", { y: [1] }]);
    expect(({} as { y?: unknown }).y).toBeUndefined();
  });

  test.each([
    ["no JSON", "{"],
    ["another key", '{"prompt": "x"}'],
    ["both keys", '{"text": "x", "messages": [{"role": "user", "content": "x"}]}'],
    ["no messages", '{"messages": []}'],
    ["a message without content", '{"messages": [{"role": "user"}]}'],
    ["content in parts", '{"messages": [{"role": "user", "content": [{"type": "text"}]}]}'],
    ["an array", '["x"]'],
  ])("with %s are refused by their number", async (_, line) => {
    const reading = read("a.jsonl", `{"text": "fine"}\n\n${line}\n`);
    await expect(reading).rejects.toMatchObject({ code: "text/bad-line", fields: { line: 3, file: "a.jsonl" } });
    await expect(reading).rejects.toThrow(/line 3/);
  });
});

describe("token files", () => {
  test("give their windows as they are", async () => {
    const windows = [[0, 1, 4294967295], Array.from({ length: 9 }, (_, at) => at)];
    expect(await read("a.tokens.json", JSON.stringify({ windows, note: "x" }))).toEqual({ kind: "windows", windows });
  });

  test.each([
    ["{}", "no windows"],
    ['{"windows": []}', "no windows"],
    ['{"windows": [[1, 2]]}', "window 0"],
    ['{"windows": [[1, 2, 3], 4]}', "window 1"],
    ['{"windows": [[1, 2, -3]]}', "window 0"],
    ['{"windows": [[1, 2, 3.0]]}', "window 0"],
    ['{"windows": [[1, 2, "3"]]}', "window 0"],
    ['{"windows": [[1, 2, 4294967296]]}', "window 0"],
  ])("%s: %s", async (text, words) => {
    await expect(read("a.json", text)).rejects.toMatchObject({
      code: "text/bad-windows",
      found: expect.stringContaining(words),
    });
  });

  test("any windows survive being written and read", async () => {
    const window = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 3, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(window, { minLength: 1, maxLength: 8 }), async (windows) => {
        expect(await read("w.json", JSON.stringify({ windows }))).toEqual({ kind: "windows", windows });
      }),
    );
  });
});

test("no bytes give anything but a text or a typed error", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("a.txt", "a.json", "a.jsonl"),
      fc.uint8Array({ maxLength: 60 }),
      async (name, bytes) => {
        await read(name, bytes).catch((thrown) =>
          expect(thrown).toMatchObject({ code: expect.stringMatching(/^(text|json)\//) }),
        );
      },
    ),
  );
});
