import { expect, test } from "vitest";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { loudDifference } from "../support/loud-model.ts";
import { memoryHost } from "../support/memory-host.ts";

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob("../../fixtures/models/**", {
  query: "?url",
  import: "default",
  eager: true,
});

async function folderOf(name: string) {
  const begin = `../../fixtures/models/${name}/`;
  const files = new Map<string, ReturnType<typeof createBufferSource>>();
  for (const [path, address] of Object.entries(ADDRESSES)) {
    if (!path.startsWith(begin)) continue;
    const file = path.slice(begin.length);
    files.set(file, createBufferSource(file, new Uint8Array(await (await fetch(address)).arrayBuffer())));
  }
  return { name, files };
}

test("the natural and the loud model have the same logits", async () => {
  const [natural, loud] = await Promise.all(["quantlab-4m", "quantlab-4m-loud"].map(folderOf));
  if (!natural || !loud) throw new Error("two models are needed");
  const host = memoryHost({ device: "gpu", gpu: navigator.gpu });
  expect(await loudDifference(host, natural, loud)).toBeLessThanOrEqual(1e-5);
});
