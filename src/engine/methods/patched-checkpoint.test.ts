import fc from "fast-check";
import { expect, test } from "vitest";
import type { ByteSource, Folder } from "../../formats/byte-source.ts";
import { openCheckpoint, sourceOf } from "../../formats/huggingface/checkpoint.ts";
import { planSafetensors } from "../../formats/safetensors/writer.ts";
import { createBufferSource } from "../../formats/sources/buffer-source.ts";
import { createMemoryWorkspace } from "../../formats/workspaces/memory-workspace.ts";
import { PatchedCheckpoint } from "./patched-checkpoint.ts";

/** A file of tensors of these sizes, its bytes counted up. */
function fileOf(name: string, sizes: readonly number[]): Uint8Array<ArrayBuffer> {
  const tensors = sizes.map((sizeBytes, index) => ({
    ...{ name: `${name}.${index}`, dtype: "U8" as const, shape: [sizeBytes], sizeBytes },
  }));
  const plan = planSafetensors(tensors);
  const bytes = Uint8Array.from({ length: plan.sizeBytes }, (_, at) => (at * 7 + name.length) % 251);
  bytes.set(plan.header);
  return bytes;
}

const folderOf = (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Folder => ({
  name: "made",
  files: new Map([...files].map(([name, bytes]) => [name, createBufferSource(name, bytes)])),
});

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
/** Places are shares, so that they fit whatever they fall on. */
const share = fc.double({ min: 0, max: 1, noNaN: true });
const writes = fc.array(
  fc.record({ tensor: share, first: share, last: share, value: fc.integer({ min: 0, max: 255 }) }),
  { maxLength: 12 },
);
const reads = fc.array(fc.tuple(share, share), { minLength: 1, maxLength: 12 });

const between = (first: number, last: number, size: number): readonly [number, number] => {
  const [a, b] = [Math.floor(first * size), Math.floor(last * size)];
  return [Math.min(a, b), Math.max(a, b)];
};

async function bytesOf(source: ByteSource, start: number, end: number): Promise<readonly number[]> {
  return [...(await source.read(start, end))];
}

test("reads as if it had been written in place", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, sizes, writes, reads, async (one, two, changes, looks) => {
      const files = new Map([
        ["a.safetensors", fileOf("a", one)],
        ["bb.safetensors", fileOf("bb", two)],
      ]);
      const wanted = new Map([...files].map(([name, bytes]) => [name, bytes.slice()]));
      const base = await openCheckpoint(folderOf(files));
      const patched = new PatchedCheckpoint(base, createMemoryWorkspace());
      const names = base.tensors.map(({ name }) => name);
      for (const { tensor, first, last, value } of changes) {
        const name = names[Math.min(names.length - 1, Math.floor(tensor * names.length))] ?? "";
        const { start, end, shard } = patched.tensor(name);
        const [from, to] = between(first, last, end - start);
        const bytes = new Uint8Array(to - from).fill(value);
        await patched.write(name, from, bytes);
        wanted.get(base.shards[shard]?.name ?? "")?.set(bytes, start + from);
        expect([...(await patched.read(name, 0, end - start))]).toEqual([
          ...(wanted.get(base.shards[shard]?.name ?? "")?.slice(start, end) ?? []),
        ]);
      }
      for (const { name, source } of patched.checkpoint.shards) {
        const file = wanted.get(name) ?? new Uint8Array();
        expect(source).toMatchObject({ name, sizeBytes: file.length });
        for (const [first, last] of looks) {
          const [start, end] = between(first, last, file.length);
          expect(await bytesOf(source, start, end)).toEqual([...file.slice(start, end)]);
        }
      }
      // What lies below is as it was.
      for (const [name, bytes] of files) {
        const source = base.shards.find((shard) => shard.name === name)?.source as ByteSource;
        expect(await bytesOf(source, 0, bytes.length)).toEqual([...bytes]);
      }
    }),
    { numRuns: 60 },
  );
});

test("reads into memory that it is lent, whether a range is patched, in part or not at all", async () => {
  const bytes = fileOf("a", [8, 8, 8]);
  const base = await openCheckpoint(folderOf(new Map([["a.safetensors", bytes]])));
  const patched = new PatchedCheckpoint(base, createMemoryWorkspace());
  const wanted = bytes.slice();
  const { start } = patched.tensor("a.1");
  for (const offset of [0, 5]) {
    await patched.write("a.1", offset, Uint8Array.of(255, 254, 253));
    wanted.set([255, 254, 253], start + offset);
  }
  const [first] = patched.checkpoint.tensors;
  if (!first) throw new Error("no tensor");
  const source = sourceOf(patched.checkpoint, first);
  // Every range that begins and ends at or beside a border of the patch.
  for (let from = start - 8; from <= start + 16; from++) {
    for (let to = from; to <= start + 16; to++) {
      expect([...(await source.read(from, to, new ArrayBuffer(32)))]).toEqual([...wanted.slice(from, to)]);
    }
  }
});

test("a patched checkpoint is patched again without a change of the first", async () => {
  const base = await openCheckpoint(folderOf(new Map([["a.safetensors", fileOf("a", [4, 4])]])));
  const workspace = createMemoryWorkspace();
  const one = new PatchedCheckpoint(base, workspace);
  await one.write("a.0", 0, Uint8Array.of(9, 9, 9, 9));
  const two = new PatchedCheckpoint(one.checkpoint, workspace);
  await two.write("a.0", 1, Uint8Array.of(5));
  expect([...(await two.read("a.0", 0, 4))]).toEqual([9, 5, 9, 9]);
  expect([...(await one.read("a.0", 0, 4))]).toEqual([9, 9, 9, 9]);
});
