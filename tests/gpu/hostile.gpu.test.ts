import * as Comlink from "comlink";
import { afterAll, describe, expect, test } from "vitest";
import type { ModelSummary } from "../../src/engine/result.ts";
import type { ModelChoice, Outcome, WorkerApi } from "../../src/engine/worker-api.ts";
import { choiceOf } from "../../src/ui/parts/picked-files.ts";
import { expectationOf, type HostileCase } from "../support/hostile-expectations.ts";

// What the engine's worker makes of hostile files in Chromium: outcome, code and rule of the same table as the command
// line's, tests/contract/hostile.test.ts.

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob("../../fixtures/hostile/**", {
  query: "?url",
  import: "default",
  eager: true,
});
const PREFIX = "../../fixtures/hostile/";
const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);

async function fixture(path: string): Promise<Response> {
  const address = ADDRESSES[`${PREFIX}${path}`];
  if (address === undefined) throw new Error(`${path} is missing`);
  return await fetch(address);
}

const { cases }: { cases: readonly HostileCase[] } = await (await fixture("manifest.json")).json();
const CASES = cases.filter(({ kind }) => kind !== "tokenizer");

/** The choice that dropping a case's files on the page makes. */
async function choice({ id, file, files }: HostileCase): Promise<ModelChoice> {
  const slash = file.lastIndexOf("/");
  const names = files ?? [file.slice(slash + 1)];
  const picked = names.map(async (name) => {
    const bytes = await (await fixture(`${file.slice(0, slash)}/${name}`)).blob();
    return { path: files ? `${id}/${name}` : name, file: new File([bytes], name.slice(name.lastIndexOf("/") + 1)) };
  });
  return choiceOf(await Promise.all(picked));
}

const worker = new Worker(new URL("../../src/ui/app/engine.worker.ts", import.meta.url), { type: "module" });
const engine = Comlink.wrap<WorkerApi>(worker);
afterAll(() => worker.terminate());

/** What came of it, in the words of an expectation; of a broken config.json too, whose weights stay usable. */
function judged(outcome: Outcome<ModelSummary>) {
  const error = outcome.ok ? outcome.value.configError : outcome.error;
  return error ? { outcome: "reject", code: error.code, rule: error.fields.rule } : { outcome: "accept" };
}

const valid = await choice(CASES.find(({ id }) => id === "ok_minimal") as HostileCase);

test("there are 151 cases", () => expect(CASES).toHaveLength(151));

describe("the engine's worker decides as the command line does", () => {
  test.each(CASES)("$id: $what", async (hostile) => {
    const dropped = await choice(hostile);
    const started = performance.now();
    const outcome = await engine.open(dropped);
    expect(performance.now() - started).toBeLessThan(hostile.limits.ms);
    expect(judged(outcome)).toEqual(expectationOf(hostile));
    expect(outcome.ok).toBe(hostile.kind === "config" || expectationOf(hostile).outcome === "accept");
    if (outcome.ok && typeof hostile.tensors === "number") expect(outcome.value.tensors).toBe(hostile.tensors);
    const next = await engine.open(valid);
    expect(next.ok && next.value.tensors).toBe(1);
    expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
