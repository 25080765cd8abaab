import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { decodeImatrix, encodeImatrix, type ImatrixToWrite } from "../../src/formats/imatrix/imatrix-file.ts";
import { readHeader } from "../../src/formats/safetensors/header.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { textOf } from "../support/id-text.ts";
import { OpenEngines } from "../support/small-model.ts";

const GOLDEN = join(import.meta.dirname, "../../fixtures/golden");
const golden = (path: string) => createBufferSource(path, new Uint8Array(readFileSync(join(GOLDEN, path))));
const sourceOf = (bytes: Uint8Array) => createBufferSource("a.gguf", bytes);

const random = new SeededRandom(5);
const IDS = textOf([40, 30].map((length) => Array.from({ length }, () => random.nextUint32() % 160)));
/** Files of statistics take a hash alone. */
const TEXT = { ...IDS, hash: "0".repeat(64) };

const engines = new OpenEngines();
afterAll(() => engines.close());

describe("an importance matrix that is written", () => {
  test("has the sums of squares that transformers computed, under llama.cpp's names, without the head", async () => {
    const engine = await engines.open("small");
    const { windows }: { windows: number[][] } = JSON.parse(
      readFileSync(join(GOLDEN, "architectures/llama/tokens.json"), "utf8"),
    );
    await engine.activations(textOf(windows));
    const { entries, chunks } = await decodeImatrix(sourceOf(await engine.importanceFile()));
    const rows = windows.reduce((sum, { length }) => sum + length, 0);
    expect(chunks).toEqual({ count: windows.length, sizeTokens: Math.max(...windows.map(({ length }) => length)) });
    expect(entries.size).toBe(14);
    const source = golden("architectures/llama/statistics.safetensors");
    const { tensors } = await readHeader(source);
    for (const [module, tensor] of [
      ["model.layers.0.self_attn.q_proj", "blk.0.attn_q.weight"],
      ["model.layers.1.mlp.down_proj", "blk.1.ffn_down.weight"],
    ] as const) {
      const place = tensors.find(({ name }) => name === `${module}.mean_square`);
      const squares = new Float64Array((await source.read(place?.start ?? 0, place?.end ?? 0)).buffer);
      const own = entries.get(tensor);
      expect(own?.counts).toEqual([rows]);
      expect(squares.length).toBe(own?.sums.length);
      for (const [channel, square] of squares.entries()) {
        // What the float32 of two programs leaves of sums: `architectures.test.ts` has the same.
        expect(Math.abs((own?.sums[channel] ?? 0) / (square * rows) - 1)).toBeLessThan(1e-4);
      }
    }
  });

  test("has all experts of a layer in one tensor", async () => {
    const engine = await engines.open("experts");
    const { layers } = await engine.activations(TEXT);
    const { entries } = await decodeImatrix(sourceOf(await engine.importanceFile()));
    const up = entries.get("blk.1.ffn_up_exps.weight");
    expect(up?.counts).toEqual([70, 70, 70, 70]);
    const third = layers.find(({ module }) => module === "model.layers.1.block_sparse_moe.experts.2.w3");
    const sums = [...(up?.sums.slice(2 * 64, 3 * 64) ?? [])];
    const mean = sums.reduce((sum, own) => sum + own, 0) / 64 / 70;
    expect(mean / (third?.meanSquare ?? 0)).toBeCloseTo(1, 6);
    expect(entries.get("blk.0.ffn_gate_inp.weight")?.counts).toEqual([70]);
  });

  test("is made of a file of statistics too, as one chunk", async () => {
    const engine = await engines.open("small");
    await engine.activations(TEXT);
    const own = await decodeImatrix(sourceOf(await engine.importanceFile()));
    const file = createBufferSource("a.safetensors", await engine.activationsFile());
    await engine.readActivations(file);
    const again = await decodeImatrix(sourceOf(await engine.importanceFile()));
    expect(again).toEqual({ ...own, chunks: { count: 1, sizeTokens: 70 } });
  });

  test("is refused for what llama.cpp does not know, and where nothing was collected", async () => {
    const engine = await engines.open("opt");
    await expect(engine.importanceFile()).rejects.toMatchObject({ code: "run/nothing-collected" });
    await engine.activations(TEXT);
    await expect(engine.importanceFile()).rejects.toMatchObject({ code: "imatrix/unknown-model" });
  });
});

describe("an importance matrix that is read", () => {
  test("says what llama.cpp's package put there", async () => {
    const engine = await engines.open("small");
    const report = await engine.readImportance(golden("imatrix/llama.gguf"));
    expect(report).toMatchObject({
      datasets: ["calibration text.txt"],
      chunks: { count: 2, sizeTokens: 256 },
      missing: [],
    });
    const query = report.layers.find(({ module }) => module === "model.layers.0.self_attn.q_proj");
    // Third of the tensors by name: j / 8 + 2 in the first 61 places, then from 2 on again.
    const sums = Array.from({ length: 64 }, (_, channel) => (channel % 61) / 8 + 2);
    expect([...(query?.channelMeanSquare ?? [])]).toEqual(sums.map((sum) => sum / 512));
    expect(query).toMatchObject({ rows: 512, channels: 64, outliers: [] });
    expect(query?.meanSquare).toBeCloseTo(sums.reduce((all, sum) => all + sum, 0) / 64 / 512, 12);
  });

  test("names the experts that no row went through", async () => {
    const engine = await engines.open("experts");
    const { layers, missing } = await engine.readImportance(golden("imatrix/mixtral.gguf"));
    expect(missing).toEqual(
      [0, 1].flatMap((layer) =>
        ["w1", "w3", "w2"].map((part) => `model.layers.${layer}.block_sparse_moe.experts.3.${part}`),
      ),
    );
    const second = layers.find(({ module }) => module === "model.layers.0.block_sparse_moe.experts.1.w2");
    expect(second).toMatchObject({ rows: 32, channels: 176 });
  });

  test("comes back from one that is written", async () => {
    const engine = await engines.open("loud");
    const text = await engine.prepareText({ source: { kind: "bundled", names: ["scripture"] }, windows: 1 });
    const { layers } = await engine.activations(text);
    const report = await engine.readImportance(sourceOf(await engine.importanceFile()));
    const own = report.layers.find(({ module }) => module === "model.layers.1.self_attn.q_proj");
    // As planted.json has them.
    expect(own?.outliers.map(({ channel }) => channel).toSorted((a, b) => a - b)).toEqual([30, 83]);
    const squares = layers.find(({ module }) => module === "model.layers.1.self_attn.q_proj")?.meanSquare ?? 0;
    expect((own?.meanSquare ?? 0) / squares).toBeCloseTo(1, 6);
  });

  test("is refused where it does not fit the model, and where more than sums of squares is asked for", async () => {
    const engine = await engines.open("small");
    await expect(engine.readImportance(golden("imatrix/mixtral.gguf"))).rejects.toMatchObject({
      code: "imatrix/other-model",
    });
    const file = await decodeImatrix(golden("imatrix/llama.gguf"));
    const wider: ImatrixToWrite = {
      ...file,
      chunks: { count: 1, sizeTokens: 1 },
      entries: new Map([["blk.0.attn_q.weight", { counts: [1], sums: new Float32Array(65) }]]),
    };
    await expect(engine.readImportance(sourceOf(encodeImatrix(wider)))).rejects.toMatchObject({
      code: "imatrix/other-shape",
      found: expect.stringContaining("65 channels of 1 matrices"),
    });
    const two = { counts: [1, 1], sums: new Float32Array(128) };
    const more = { ...wider, entries: new Map([["blk.0.attn_q.weight", two]]) };
    await expect(engine.readImportance(sourceOf(encodeImatrix(more)))).rejects.toMatchObject({
      code: "imatrix/other-shape",
    });
    await expect(engine.readActivations(golden("imatrix/llama.gguf"))).rejects.toMatchObject({
      code: "statistics/squares-alone",
    });
  });
});
