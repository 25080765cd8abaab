import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { piecesOf } from "./pieces.ts";

const MODEL = new URL("../../fixtures/models/quantlab-4m/", import.meta.url);

/** A checkpoint of some files, and how often its tokenizer was read. */
async function opened(names: readonly string[]) {
  const reads = { count: 0, fails: false };
  const files = names.map((name) => {
    const source = createBufferSource(name, readFileSync(new URL(name, MODEL)));
    const counted = {
      ...{ name, sizeBytes: source.sizeBytes },
      read: async (start: number, end: number) => {
        if (name === "tokenizer.json") reads.count++;
        if (reads.fails) throw new Error("the disk is gone");
        return source.read(start, end);
      },
    };
    return [name, counted] as const;
  });
  return {
    reads,
    checkpoint: await openCheckpoint({ name: "model", files: new Map(files) }, { allowNoWeights: true }),
  };
}

test("ids have their text, in their order, and the file is read once", async () => {
  const { checkpoint, reads } = await opened(["config.json", "tokenizer.json"]);
  expect(await piecesOf(checkpoint, [0, 270, 270, 1, 99_999])).toEqual([
    "<|begin|>",
    " of",
    " of",
    "<|end|>",
    "#99999",
  ]);
  expect(await piecesOf(checkpoint, [])).toEqual([]);
  expect(reads.count).toBe(1);
});

test("without a tokenizer ids are numbers", async () => {
  const { checkpoint } = await opened(["config.json"]);
  expect(await piecesOf(checkpoint, [7, 0])).toEqual(["#7", "#0"]);
});

test("what failed is tried again, and a job that was stopped says so", async () => {
  const { checkpoint, reads } = await opened(["config.json", "tokenizer.json"]);
  reads.fails = true;
  await expect(piecesOf(checkpoint, [0])).rejects.toThrow("the disk is gone");
  reads.fails = false;
  expect(await piecesOf(checkpoint, [0])).toEqual(["<|begin|>"]);
  const stopped = AbortSignal.abort();
  await expect(piecesOf(checkpoint, [0], stopped)).rejects.toMatchObject({ code: "run/cancelled" });
});
