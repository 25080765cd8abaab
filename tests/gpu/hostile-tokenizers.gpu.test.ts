import * as Comlink from "comlink";
import { afterAll, describe, expect, test } from "vitest";
import { browserText } from "../../src/engine/browser-text.ts";
import type { WorkerApi } from "../../src/engine/worker-api.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { createBlobFolder } from "../../src/formats/sources/blob-source.ts";
import { expectationOf, type HostileCase } from "../support/hostile-expectations.ts";
import { completedFolder, judgeInTime, judgeTokenizer, PROBE_IDS } from "../support/hostile-tokenizers.ts";

// What the lab makes of hostile tokenizers in Chromium: the same table as in Node, tests/contract/hostile-tokenizers.test.ts.

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob(
  ["../../fixtures/hostile/tokenizer/**", "../../fixtures/hostile/manifest.json"],
  { query: "?url", import: "default", eager: true },
);
const PREFIX = "../../fixtures/hostile/";
const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);
const PROBE_MS = 1000;
const [WARM_MS, MAX_WARM_UPS] = [500, 20];

async function fixture(path: string): Promise<Response> {
  const address = ADDRESSES[`${PREFIX}${path}`];
  if (address === undefined) throw new Error(`${path} is missing`);
  return await fetch(address);
}

const { cases }: { cases: readonly HostileCase[] } = await (await fixture("manifest.json")).json();
const CASES = cases.filter(({ kind }) => kind === "tokenizer");

async function bytesOf({ file }: HostileCase): Promise<readonly [string, Blob]> {
  return [file.slice(file.lastIndexOf("/") + 1), await (await fixture(file)).blob()];
}

async function folderOf(hostile: HostileCase): Promise<Folder> {
  return createBlobFolder(hostile.id, [await bytesOf(hostile)]);
}

const { startThread } = browserText(location.href);
const VALID = await folderOf(CASES.find(({ id }) => id === "tok_ok") as HostileCase);
// The development server makes a thread's modules at the first ask; a built page has them ready.
for (let tries = 0; tries < MAX_WARM_UPS; tries++) {
  if ((await judgeTokenizer({}, VALID, startThread)).totalMs < WARM_MS) break;
}

test("there are 29 cases", () => expect(CASES).toHaveLength(29));

describe("the browser decides as Node does", () => {
  test.each(CASES)("$id: $what", async (hostile) => {
    const folder = completedFolder(await folderOf(hostile), VALID);
    const { verdict, error, ids, probeMs, totalMs } = await judgeInTime(hostile, folder, startThread);
    expect(verdict).toEqual(expectationOf(hostile));
    expect(probeMs).toBeLessThan(PROBE_MS);
    expect(totalMs).toBeLessThan(hostile.limits.ms);
    if (error === null) expect(ids).toEqual(PROBE_IDS[hostile.id]);
    expect((await judgeTokenizer({ probe: "ab" }, VALID, startThread)).ids).toEqual([2]);
    expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe("the engine's worker", () => {
  const worker = new Worker(new URL("../../src/ui/app/engine.worker.ts", import.meta.url), { type: "module" });
  const engine = Comlink.wrap<WorkerApi>(worker);
  afterAll(() => worker.terminate());

  test("goes on when a tokenizer hangs, and takes the next model's text", async () => {
    const hostile = CASES.find(({ id }) => id === "tok_redos_nested") as HostileCase;
    const [name, blob] = await bytesOf(hostile);
    const files = [
      { path: name, file: new File([blob], name) },
      { path: "config.json", file: new File(["{}"], "config.json") },
    ];
    expect(await engine.open({ kind: "files", name: "hostile", files })).toMatchObject({ ok: true });
    const hung = engine.prepareText({ source: { kind: "pasted", text: hostile.probe ?? "" }, context: 3 });
    // Answered while the text is being made into tokens.
    expect(await engine.ledger()).toMatchObject({ ok: true });
    expect(await hung).toMatchObject({ ok: false, error: { code: "tokenizer/too-slow", fields: { rule: "K01" } } });
    expect(await engine.open({ kind: "bundled", name: "quantlab-4m" })).toMatchObject({ ok: true });
    const prepared = await engine.prepareText({ source: { kind: "bundled", names: ["scripture"] }, windows: 2 });
    expect(prepared).toMatchObject({ ok: true, value: { bos: { id: 0 }, slices: [{ places: [0, 1] }] } });
  });

  test("reads a dropped text by the model's tokenizer", async () => {
    expect(await engine.open({ kind: "bundled", name: "quantlab-4m" })).toMatchObject({ ok: true });
    const file = new File(["the words of the Preacher ".repeat(40)], "own.txt");
    const prepared = await engine.prepareText({ source: { kind: "file", file }, context: 32 });
    if (!prepared.ok) throw new Error(prepared.error.message);
    expect(prepared.value.windows.length).toBeGreaterThan(3);
    expect(prepared.value.windows.every((window) => window.length === 32 && window[0] === 0)).toBe(true);
  });
});
