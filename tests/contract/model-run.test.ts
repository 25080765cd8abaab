import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { EngineHost, JobHooks, MeasureRequest } from "../../src/engine/api.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { MeasuredTokens, MeasureResult } from "../../src/engine/measure-result.ts";
import { openDiskModel } from "../../src/engine/node-host.ts";
import { nodeText } from "../../src/engine/node-text.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { openNodeFolder } from "../../src/formats/sources/node-file-source.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";
import { runFolder, windowsIn } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";
import { RULES } from "../support/run-rules.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const MODEL = join(FIXTURES, "models/quantlab-4m");

const wasmHost = (parts: Partial<EngineHost> = {}) =>
  memoryHost({ device: "wasm", wasm: nodeWasm(), text: nodeText(), ...parts });

test("what a window comes to does not depend on the windows beside it", async () => {
  const folder = join(FIXTURES, "golden/architectures/llama");
  const windows = windowsIn(new Uint8Array(readFileSync(join(folder, "tokens.json"))));
  const model = await openNodeFolder(join(folder, "model"));
  // Lengths on either side of what kernels take at once.
  const cuts = [windows[0]?.slice(0, 3), windows[1]?.slice(0, 34), windows[0]].map((window) => window ?? []);
  const together = await runFolder(wasmHost(), model, cuts);
  let first = 0;
  for (const window of cuts) {
    const alone = await runFolder(wasmHost(), model, [window]);
    const end = first + alone.logits.length;
    expect(together.logits.subarray(first, end)).toEqual(alone.logits);
    first = end;
  }
  await model.close();
});

describe("a measurement", () => {
  const opened: { close(): void | Promise<void> }[] = [];
  afterAll(async () => {
    for (const item of opened) await item.close();
  });

  async function engineOn(host: EngineHost) {
    const engine = createEngine(host);
    const model = await openDiskModel(MODEL);
    opened.push(engine, model);
    await engine.open(model.folder);
    return engine;
  }

  async function requestFor(
    engine: Awaited<ReturnType<typeof engineOn>>,
    windows: number,
    schemes: readonly string[],
  ): Promise<MeasureRequest> {
    const text = await engine.prepareText({ source: { kind: "bundled", names: ["scripture", "jargon"] }, windows });
    return { ...RULES, schemes, ignore: ["lm_head", "re:.*embed_tokens"], text };
  }

  /** What two measurements of the same must agree in. */
  const figures = ({ rows, noiseFloor, verdict }: MeasureResult) => ({
    rows: rows.map(({ scheme, divergence }) => ({ scheme, divergence })),
    noiseFloor,
    verdict,
  });

  test("that is stopped goes on where it was, to the same figures", async () => {
    const whole = await engineOn(wasmHost());
    const request = await requestFor(whole, 4, ["W4A16", "W8A16"]);
    const expected = await whole.measure(request);
    expect(expected.noiseFloor.divergence?.dtype).toBe("bfloat16");
    expect(expected.rows[0]?.divergence).toMatchObject({ dtype: "float32", activationQuantization: [], scored: 508 });
    expect(expected.text).toMatchObject({ windows: 4, doneWindows: 4, knownWindows: 0 });

    const stopped = await engineOn(wasmHost());
    const controller = new AbortController();
    const partial: number[] = [];
    const first = stopped.measure(request, {
      signal: controller.signal,
      onMeasured: ({ text }) => {
        partial.push(text.doneWindows);
        controller.abort();
      },
    });
    await expect(first).rejects.toMatchObject({ code: "run/cancelled" });
    expect(partial).toEqual([1]);
    const resumed = await stopped.measure(request);
    expect(resumed.text).toMatchObject({ doneWindows: 4, knownWindows: 1 });
    expect(figures(resumed)).toEqual(figures(expected));
  });

  test("with more windows and another scheme measures only those", async () => {
    const engine = await engineOn(wasmHost());
    await engine.measure(await requestFor(engine, 2, ["W4A16"]));
    const more = await engine.measure(await requestFor(engine, 3, ["W4A16", "W8A8"]));
    expect(more.text).toMatchObject({ doneWindows: 3, knownWindows: 0 });
    const fresh = await engineOn(wasmHost());
    expect(figures(more)).toEqual(figures(await fresh.measure(await requestFor(fresh, 3, ["W4A16", "W8A8"]))));
    const again = await engine.measure(await requestFor(engine, 3, ["W4A16", "W8A8"]));
    expect(again.text.knownWindows).toBe(3);
    expect(figures(again)).toEqual(figures(more));
  });

  test("of a copy is exactly nothing at every position, and computed", async () => {
    const engine = await engineOn(wasmHost({ store: createMemoryStore() }));
    const copy = await openDiskModel(MODEL);
    opened.push(copy);
    const request = await requestFor(engine, 2, []);
    let tokens: MeasuredTokens | undefined;
    const hooks: JobHooks = {
      onTokens: (soFar) => {
        tokens = soFar;
      },
    };
    const { rows, kernels } = await engine.measure(request, hooks, [copy.folder]);
    expect(tokens?.rows).toHaveLength(1);
    expect(tokens?.rows[0]?.scores.kld).toEqual(new Float64Array(request.text.windows.length * 127));
    expect(tokens?.rows[0]?.scores.top).toEqual(tokens?.rows[0]?.scores.topBase);
    expect(rows[0]?.divergence).toMatchObject({ kld: { value: 0 }, sameTopP: { value: 1 }, rmsDeltaP: { value: 0 } });
    expect(kernels.map(({ kernel }) => kernel)).toContain("model/divergence");
  });

  test("keeps what it found, and forgets it when asked", async () => {
    const engine = await engineOn(wasmHost());
    await engine.measure(await requestFor(engine, 1, ["W4A16"]));
    expect((await engine.kept()).entries).toHaveLength(2);
    expect((await engine.forget()).entries).toEqual([]);
    const again = await engine.measure(await requestFor(engine, 1, ["W4A16"]));
    expect(again.text.knownWindows).toBe(0);
  });
});

test("a model that the lab cannot run, and one beside it of other tensors, are refused by name", async () => {
  const engine = createEngine(wasmHost());
  const model = await openDiskModel(MODEL);
  const llama = await openDiskModel(join(FIXTURES, "golden/architectures/llama/model"));
  await engine.open(model.folder);
  const text = await engine.prepareText({ source: { kind: "bundled", names: ["satire"] }, windows: 1 });
  const request = { ...RULES, schemes: [], ignore: [], text };
  await expect(engine.measure(request, {}, [llama.folder])).rejects.toMatchObject({
    code: "config/other-tensors",
    fields: { tensor: "model.embed_tokens.weight" },
  });
  const bert = new Map(model.folder.files);
  bert.set("config.json", createBufferSource("config.json", new TextEncoder().encode('{"model_type": "bert"}')));
  await engine.open({ name: "bert", files: bert });
  await expect(engine.measure(request)).rejects.toMatchObject({ code: "config/unsupported-feature" });
  engine.close();
  await model.close();
  await llama.close();
});
