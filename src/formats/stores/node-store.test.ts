import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { expectStore } from "../../../tests/support/store-contract.ts";
import { createMemoryStore } from "./memory-store.ts";
import { nodeCacheFolder, openNodeStore } from "./node-store.ts";

const scratch = mkdtempSync(join(tmpdir(), "lab-store-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let made = 0;
const newFolder = () => join(scratch, `${made++}`, "deep");
const text = (words: string) => new TextEncoder().encode(words);

test("a store on disk keeps, lists, removes, and refuses odd keys", async () => {
  await expectStore(await openNodeStore(newFolder()));
});

test("a store in memory does the same", () => expectStore(createMemoryStore()));

test("the next process finds what this one kept, and nothing lies beside it", async () => {
  const folder = newFolder();
  await (await openNodeStore(folder)).put("one", text("kept"));
  expect(await (await openNodeStore(folder)).get("one")).toEqual(text("kept"));
  expect(readdirSync(folder)).toEqual(["one.entry"]);
});

test("what is damaged, a folder or not an entry is a miss, and can be written anew", async () => {
  const folder = newFolder();
  const store = await openNodeStore(folder);
  await store.put("cut", text("whole"));
  writeFileSync(join(folder, "cut.entry"), readFileSync(join(folder, "cut.entry")).subarray(0, 10));
  writeFileSync(join(folder, "other.entry"), "something else");
  mkdirSync(join(folder, "folder.entry"));
  writeFileSync(join(folder, "stranger"), "");
  for (const key of ["cut", "other", "folder"]) expect([key, await store.get(key)]).toEqual([key, null]);
  expect((await store.list()).map(({ key }) => key).sort()).toEqual(["cut", "folder", "other"]);
  await store.put("cut", text("again"));
  expect(await store.get("cut")).toEqual(text("again"));
  // A file cannot take the place of a folder: nothing is kept, nothing is thrown, nothing is left.
  await store.put("folder", text("x"));
  expect(readdirSync(folder).sort()).toEqual(["cut.entry", "folder.entry", "other.entry", "stranger"]);
});

test("writers at the same time leave one of their entries", async () => {
  const store = await openNodeStore(newFolder());
  const entries = Array.from({ length: 20 }, (_, index) => text(`${index}`.repeat(1000 + index)));
  await Promise.all(entries.map((entry) => store.put("same", entry)));
  const found = await store.get("same");
  expect(entries.some((entry) => Buffer.compare(entry, found ?? new Uint8Array()) === 0)).toBe(true);
});

test("a folder that goes away costs the entries and nothing else", async () => {
  const folder = newFolder();
  const store = await openNodeStore(folder);
  await store.put("one", text("x"));
  rmSync(folder, { recursive: true });
  await store.put("two", text("y"));
  expect([await store.get("one"), await store.get("two"), await store.list()]).toEqual([null, null, []]);
  expect(existsSync(folder)).toBe(false);
});

test("the folder is where the environment says, unless that is no absolute path", () => {
  expect(nodeCacheFolder({ XDG_CACHE_HOME: scratch })).toBe(join(scratch, "quantization-lab"));
  for (const chosen of ["", "here", undefined]) {
    expect(nodeCacheFolder({ XDG_CACHE_HOME: chosen })).toBe(join(homedir(), ".cache", "quantization-lab"));
  }
});
