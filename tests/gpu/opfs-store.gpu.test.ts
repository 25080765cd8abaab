import * as Comlink from "comlink";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { createHostStore } from "../../src/engine/store.ts";
import { openOpfsStore } from "../../src/formats/stores/opfs-store.ts";
import { expectStore } from "../support/store-contract.ts";
import type { StoreApi } from "./opfs-store.worker.ts";

const worker = new Worker(new URL("./opfs-store.worker.ts", import.meta.url), { type: "module" });
const other = Comlink.wrap<StoreApi>(worker);
afterAll(() => worker.terminate());

const text = (words: string) => new TextEncoder().encode(words);

beforeEach(async () => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("store", { create: true });
  for await (const name of folder.keys()) await folder.removeEntry(name);
});

async function writeRaw(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("store");
  const target = await (await folder.getFileHandle(key, { create: true })).createWritable();
  await target.write(bytes);
  await target.close();
}

test("a store in the browser's private file system keeps, lists, removes, and refuses odd keys", async () => {
  await expectStore(await openOpfsStore(navigator.storage));
});

test("a worker has the same entries as the page", async () => {
  const store = await openOpfsStore(navigator.storage);
  await other.put("from-worker", text("a"));
  await store.put("from-page", text("b"));
  expect(await store.get("from-worker")).toEqual(text("a"));
  expect(await other.get("from-page")).toEqual(text("b"));
});

test("a damaged entry is a miss", async () => {
  const store = await openOpfsStore(navigator.storage);
  await writeRaw("odd", text("something else"));
  await writeRaw("none", text(""));
  expect([await store.get("odd"), await store.get("none")]).toEqual([null, null]);
});

test("a full disk keeps what was there, and is no failure", async () => {
  const store = await openOpfsStore(navigator.storage);
  await store.put("one", text("before"));
  const full = new DOMException("no room", "QuotaExceededError");
  const spy = vi.spyOn(FileSystemWritableFileStream.prototype, "write").mockRejectedValue(full);
  await store.put("one", text("after"));
  spy.mockRestore();
  expect(await store.get("one")).toEqual(text("before"));
});

test("where there is no such file system, memory stands in", async () => {
  const refusing = { getDirectory: () => Promise.reject(new DOMException("not here", "SecurityError")) };
  await expectStore(createHostStore(() => openOpfsStore(refusing)));
});
