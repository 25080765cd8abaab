import { afterEach, describe, expect, test, vi } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { nodeText } from "../../src/engine/node-text.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { openTokenizer } from "../../src/formats/tokenizer/open-tokenizer.ts";
import { hostileCases, hostileFolder } from "../support/hostile-cases.ts";
import { expectationOf } from "../support/hostile-expectations.ts";
import { completedFolder, judgeInTime, judgeTokenizer, PROBE_IDS } from "../support/hostile-tokenizers.ts";
import { memoryHost } from "../support/memory-host.ts";

// What the lab makes of hostile tokenizers in Node; tests/gpu/hostile-tokenizers.gpu.test.ts does the same in Chromium.

const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);
const CASES = hostileCases("tokenizer");
const { startThread } = nodeText();
const VALID = folderOf("tok_ok");

/** An encoding has a second; the decision as a whole the manifest's time. */
const PROBE_MS = 1000;
const MAX_MESSAGE = 2500;

function folderOf(id: string) {
  const found = CASES.find((hostile) => hostile.id === id);
  if (!found) throw new Error(`${id} is missing`);
  return hostileFolder(found);
}

const fetched = vi.spyOn(globalThis, "fetch");
afterEach(async () => {
  expect(fetched).not.toHaveBeenCalled();
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect((await judgeTokenizer({ probe: "ab" }, VALID, startThread)).ids).toEqual([2]);
});

test("there are 29 cases", () => expect(CASES).toHaveLength(29));

describe.each(CASES)("$id: $what", (hostile) => {
  test("is decided as the manifest says, in time and memory", async () => {
    const folder = completedFolder(hostileFolder(hostile), VALID);
    const heapBefore = process.memoryUsage().heapUsed;
    const { verdict, error, ids, probeMs, totalMs } = await judgeInTime(hostile, folder, startThread);
    expect(verdict).toEqual(expectationOf(hostile));
    expect(probeMs).toBeLessThan(PROBE_MS);
    expect(totalMs).toBeLessThan(hostile.limits.ms);
    expect((process.memoryUsage().heapUsed - heapBefore) / 2 ** 20).toBeLessThan(hostile.limits.heapMB);
    if (error === null) return expect(ids).toEqual(PROBE_IDS[hostile.id]);
    expect(error.message.length).toBeLessThan(MAX_MESSAGE);
    expect(error.message).toContain(String(error.fields.file));
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

test("a template that loops a billion times is stopped by its steps", async () => {
  const tokenizer = await openTokenizer(completedFolder(folderOf("tok_cfg_chat_bomb"), VALID), startThread);
  const rendering = tokenizer.render([[{ role: "user", content: "x" }]]);
  await expect(rendering).rejects.toMatchObject({ code: "template/too-slow", fields: { rule: "K13" } });
  tokenizer.close();
});

test.each([
  ["nested loops", "{% for i in range(9999) %}{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}"],
  [
    "doubling a text",
    "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
  ],
  [
    "doubling a list",
    "{% set ns = namespace(x=[1, 2]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
  ],
])("a template that takes %s is stopped too", async (_, template) => {
  const config = new TextEncoder().encode(JSON.stringify({ chat_template: template }));
  const own = { name: "bomb", files: new Map([["tokenizer_config.json", createBufferSource("c", config)]]) };
  const tokenizer = await openTokenizer(completedFolder(own, VALID), startThread);
  const rendering = tokenizer.render([[{ role: "user", content: "x" }]]);
  await expect(rendering).rejects.toMatchObject({ code: "template/too-slow", fields: { rule: "K13" } });
  tokenizer.close();
});

test("an encoding that would never end is cancelled at once, and this thread goes on meanwhile", async () => {
  const hostile = CASES.find(({ id }) => id === "tok_redos_nested");
  const tokenizer = await openTokenizer(folderOf("tok_redos_nested"), startThread);
  const controller = new AbortController();
  const encoding = tokenizer.encode([hostile?.probe ?? ""], { addsSpecial: true, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  const started = performance.now();
  await expect(encoding).rejects.toMatchObject({ code: "run/cancelled" });
  // Its time limit would have come later.
  expect(performance.now() - started).toBeLessThan(700);
});

test("beside a config.json the engine says the same", async () => {
  const engine = createEngine(memoryHost({ text: nodeText() }));
  const hostile = folderOf("tok_redos_words");
  const config = createBufferSource("config.json", new TextEncoder().encode("{}"));
  await engine.open({ name: "hostile", files: new Map([...hostile.files, ["config.json", config]]) });
  const probe = CASES.find(({ id }) => id === "tok_redos_words")?.probe ?? "";
  const preparing = engine.prepareText({ source: { kind: "pasted", text: probe }, context: 3 });
  await expect(preparing).rejects.toMatchObject({ code: "tokenizer/too-slow", fields: { rule: "K01" } });
  await engine.open({ name: "valid", files: new Map([...VALID.files, ["config.json", config]]) });
  const { windows } = await engine.prepareText({ source: { kind: "pasted", text: "ababab" }, context: 3 });
  expect(windows).toEqual([[2, 2, 2]]);
  engine.close();
});
