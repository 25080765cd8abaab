import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { memoryHost } from "../../tests/support/memory-host.ts";
import type { Folder } from "../formats/byte-source.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { openNodeFolder } from "../formats/sources/node-file-source.ts";
import { createEngine } from "./engine.ts";
import { nodeText } from "./node-text.ts";
import type { TextRequest } from "./text-api.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const fixture = (path: string) => readFileSync(`${FIXTURES}${path}`, "utf8");
const tokens = (name: string): readonly (readonly number[])[] =>
  JSON.parse(fixture(`text/${name}.tokens.json`)).windows;
const file = (name: string, text: string) => createBufferSource(name, new TextEncoder().encode(text));

const bundled = await openNodeFolder(`${FIXTURES}models/quantlab-4m`);

/** The bundled model's folder with other files in it; null takes one away. */
function folderWith(changes: Readonly<Record<string, string | null>>): Folder {
  const files = new Map(bundled.files);
  for (const [name, text] of Object.entries(changes)) {
    if (text === null) files.delete(name);
    else files.set(name, file(name, text));
  }
  return { name: "changed", files };
}

async function prepare(request: TextRequest, folder: Folder = bundled) {
  const engine = createEngine(memoryHost({ text: nodeText() }));
  await engine.open(folder);
  return engine.prepareText(request);
}

const codesOf = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);
const pasted = (text: string) => ({ kind: "pasted", text }) as const;
const SENTENCE = "the words of the Preacher, the son of David. ";
const CHATML = "{% for m in messages %}{{ '<|begin|>' + m.role + ': ' + m.content + '<|end|>' }}{% endfor %}";

describe("bundled texts", () => {
  test("are used verbatim by the bundled model", async () => {
    const names = ["scripture", "jargon", "satire"] as const;
    const text = await prepare({ source: { kind: "bundled", names } });
    expect(text.slices.map(({ name, places }) => [name, places.map((place) => text.windows[place])])).toEqual(
      names.map((name) => [name, tokens(name)]),
    );
    expect(text.slices.flatMap(({ places }) => places).sort((a, b) => a - b)).toEqual([...text.windows.keys()]);
    expect(text.bos).toEqual({ id: 0, token: "<|begin|>" });
    expect(text.tokenizer).toMatch(/^BPE, 2\s048 tokens; puts <\|begin\|> \(0\) first$/);
    expect(codesOf(text.findings)).toEqual(["tokens", "shortest-window", "bos-doubled"]);
  });

  test("take turns, so that more windows begin with the fewer", async () => {
    const source = { kind: "bundled", names: ["scripture", "jargon", "satire"] } as const;
    const few = await prepare({ source, windows: 7 });
    const more = await prepare({ source, windows: 40 });
    expect(few.slices.map(({ places }) => places)).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
    expect(more.windowHashes.slice(0, 7)).toEqual(few.windowHashes);
  });

  test.each(["calibration", "scripture", "jargon", "satire"] as const)(
    "%s: the tokenizer makes of its paragraphs the ids of its windows",
    async (name) => {
      // They were made so: each paragraph between <|begin|> and <|end|>, the stream cut by 255 after a <|begin|>.
      const lines = fixture(`text/${name}.txt`)
        .split("\n\n")
        .map((text) => JSON.stringify({ text }));
      const ends = JSON.parse(fixture("models/quantlab-4m/tokenizer.json"));
      ends.post_processor.single = [
        { SpecialToken: { id: "<|begin|>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "<|end|>", type_id: 0 } },
      ];
      ends.post_processor.special_tokens["<|end|>"] = { id: "<|end|>", ids: [1], tokens: ["<|end|>"] };
      const source = { kind: "file", file: file("paragraphs.jsonl", lines.join("\n")) } as const;
      const { windows } = await prepare(
        { source, context: 255 },
        folderWith({ "tokenizer.json": JSON.stringify(ends) }),
      );
      const bodies = tokens(name).map((window) => window.slice(1));
      // The first token of each window gives way to the BOS.
      expect(windows.slice(0, bodies.length).map((window) => window.slice(1))).toEqual(
        bodies.map((body) => body.slice(1)),
      );
    },
  );

  test("are tokenized anew for another tokenizer, and for other windows", async () => {
    const source = { kind: "bundled", names: ["satire"] } as const;
    const other = JSON.parse(fixture("models/quantlab-4m/tokenizer.json"));
    other.post_processor = null;
    const text = await prepare({ source }, folderWith({ "tokenizer.json": JSON.stringify(other) }));
    expect([text.windows.length, text.windows[0]?.[0], text.bos]).toEqual([11, 3, null]);
    const short = await prepare({ source, context: 100 });
    expect(short.windows.every((window) => window.length === 100 && window[0] === 0)).toBe(true);
    expect(codesOf(short.findings)).toContain("tail-dropped");
  });

  test("are used as they are where the model has no tokenizer", async () => {
    const text = await prepare(
      { source: { kind: "bundled", names: ["satire"] } },
      folderWith({ "tokenizer.json": null }),
    );
    expect(text.windows).toEqual(tokens("satire"));
    expect(codesOf(text.findings)).toContain("no-tokenizer");
  });
});

describe("own texts", () => {
  test("are cut into windows of 512 by default, or of as many as the model has positions", async () => {
    const source = pasted(SENTENCE.repeat(400));
    const { windows } = await prepare({ source });
    expect(new Set(windows.map(({ length }) => length))).toEqual(new Set([512]));
    const config = JSON.parse(fixture("models/quantlab-4m/config.json"));
    const few = folderWith({ "config.json": JSON.stringify({ ...config, max_position_embeddings: 64 }) });
    expect((await prepare({ source }, few)).windows[0]).toHaveLength(64);
    await expect(prepare({ source, context: 65 }, few)).rejects.toMatchObject({ code: "text/bad-context" });
  });

  test("that fill no window are refused", async () => {
    await expect(prepare({ source: pasted(SENTENCE) })).rejects.toMatchObject({ code: "text/too-short" });
  });

  test("give the first windows, or any by seed", async () => {
    const source = pasted(fixture("text/satire.txt"));
    const all = await prepare({ source, context: 64 });
    const first = await prepare({ source, context: 64, windows: 3 });
    expect(first.windows).toEqual(all.windows.slice(0, 3));
    const any = await prepare({ source, context: 64, windows: 3, seed: 5 });
    expect(any.windows).not.toEqual(first.windows);
    expect(all.windows).toEqual(expect.arrayContaining([...any.windows]));
    expect(any.hash).not.toBe(first.hash);
    expect(any.source).toMatch(/3 windows of \d+, chosen with seed 5/);
    await expect(prepare({ source, context: 64, windows: 0 })).rejects.toMatchObject({ code: "text/bad-count" });
  });

  test("of conversations go through the chat template, which writes its own special tokens", async () => {
    const line = JSON.stringify({ messages: [{ role: "user", content: SENTENCE.repeat(20) }] });
    const source = { kind: "file", file: file("chat.jsonl", `${line}\n${line}`) } as const;
    const text = await prepare({ source, context: 64 }, folderWith({ "chat_template.jinja": CHATML }));
    const plain = { text: `<|begin|>user: ${SENTENCE.repeat(20)}<|end|>` };
    const bare = JSON.parse(fixture("models/quantlab-4m/tokenizer.json"));
    bare.post_processor = null;
    const written = await prepare(
      {
        source: { kind: "file", file: file("plain.jsonl", `${JSON.stringify(plain)}\n${JSON.stringify(plain)}`) },
        context: 64,
      },
      folderWith({ "tokenizer.json": JSON.stringify(bare) }),
    );
    expect(text.windows.map((window) => window.slice(1))).toEqual(written.windows.map((window) => window.slice(1)));
    expect(text.findings[0]?.words).toContain("after the chat template");
  });

  test("of conversations need a template", async () => {
    const source = { kind: "file", file: file("c.jsonl", '{"messages": [{"role": "user", "content": "x"}]}') } as const;
    await expect(prepare({ source })).rejects.toMatchObject({ code: "template/missing" });
  });

  test("that a template refuses say why", async () => {
    const source = { kind: "file", file: file("c.jsonl", '{"messages": [{"role": "user", "content": "x"}]}') } as const;
    const folder = folderWith({ "chat_template.jinja": "{{ raise_exception('roles must alternate') }}" });
    await expect(prepare({ source }, folder)).rejects.toMatchObject({
      code: "template/refused",
      found: "the template says: roles must alternate",
    });
  });

  test("need a tokenizer, ids do not", async () => {
    const folder = folderWith({ "tokenizer.json": null });
    await expect(prepare({ source: pasted(SENTENCE) }, folder)).rejects.toMatchObject({ code: "text/no-tokenizer" });
    const windows = [
      [5, 6, 7],
      [8, 9, 10, 11],
    ];
    const source = { kind: "file", file: file("w.json", JSON.stringify({ windows })) } as const;
    expect((await prepare({ source }, folder)).windows).toEqual(windows);
  });

  test("with ids that the model lacks are refused, and windows longer than it can take", async () => {
    const source = (window: readonly number[]) =>
      ({ kind: "file", file: file("w.json", JSON.stringify({ windows: [window] })) }) as const;
    expect((await prepare({ source: source([2047, 1, 2]) })).windows).toEqual([[2047, 1, 2]]);
    await expect(prepare({ source: source([2048, 1, 2]) })).rejects.toMatchObject({
      code: "text/id-outside-vocabulary",
    });
    const long = new Array<number>(4096).fill(5);
    await expect(prepare({ source: source(long) })).rejects.toMatchObject({ code: "text/window-too-long" });
  });
});

describe("calibration and evaluation", () => {
  test("on the same text is refused, whichever windows were taken", async () => {
    const source = { kind: "bundled", names: ["scripture"] } as const;
    const calibration = await prepare({ source, windows: 4 });
    const again = prepare({ source, windows: 4, seed: 9, calibration });
    await expect(again).rejects.toMatchObject({ code: "text/same-as-calibration" });
    const apart = await prepare({ source: { kind: "bundled", names: ["jargon"] }, windows: 4, calibration });
    expect(codesOf(apart.findings)).not.toContain("shared-windows");
  });

  test("on texts that share windows is told", async () => {
    const calibration = await prepare({ source: { kind: "bundled", names: ["scripture"] }, windows: 4 });
    const copied = JSON.stringify({ windows: [...calibration.windows.slice(0, 2), ...tokens("jargon").slice(0, 2)] });
    const text = await prepare({ source: { kind: "file", file: file("mixed.json", copied) }, calibration });
    expect(text.findings).toContainEqual(expect.objectContaining({ code: "shared-windows", count: 2 }));
  });
});

test("preparing is a job that can be cancelled", async () => {
  const engine = createEngine(memoryHost({ text: nodeText() }));
  await engine.open(bundled);
  const signal = AbortSignal.abort();
  const request = { source: pasted(SENTENCE.repeat(100)) };
  await expect(engine.prepareText(request, { signal })).rejects.toMatchObject({ code: "run/cancelled" });
  expect((await engine.prepareText(request)).windows.length).toBeGreaterThan(0);
});
