import * as Comlink from "comlink";
import { afterEach, expect, test, vi } from "vitest";
import type { WorkspaceApi } from "./opfs-workspace.worker.ts";

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.terminate();
  const next = tab();
  await vi.waitFor(async () => {
    await next.api.clear();
    expect(await kept()).toBe(0);
  });
  next.worker.terminate();
});

/** A worker as each tab has one of its own. */
function tab(): { readonly worker: Worker; readonly api: Comlink.Remote<WorkspaceApi> } {
  const worker = new Worker(new URL("./opfs-workspace.worker.ts", import.meta.url), { type: "module" });
  workers.push(worker);
  return { worker, api: Comlink.wrap<WorkspaceApi>(worker) };
}

async function kept(): Promise<number> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("workspaces", { create: true });
  let files = 0;
  for await (const _ of folder.keys()) files++;
  return files;
}

test("a workspace in the browser's private file system keeps what is written, and nothing once it is closed", async () => {
  const { api } = tab();
  expect(await api.keep(Uint8Array.of(1, 2, 3))).toEqual([1, 2, 3, 0]);
  expect(await api.keep(Uint8Array.of(4))).toEqual([4, 0]);
  expect(await kept()).toBe(1);
  await api.close();
  expect(await kept()).toBe(0);
});

test("what a page left that was closed is removed by the next one, and nothing of an open tab", async () => {
  const [closed, open, next] = [tab(), tab(), tab()];
  for (const { api } of [closed, open]) await api.keep(Uint8Array.of(7));
  await next.api.clear();
  expect(await kept()).toBe(2);
  closed.worker.terminate();
  // The browser lets go of the locks and files of a worker shortly after it ended.
  await vi.waitFor(async () => {
    await next.api.clear();
    expect(await kept()).toBe(1);
  });
  expect(await open.api.keep(Uint8Array.of(8))).toEqual([8, 0]);
});

test("more than the browser gives is refused with what is free", async () => {
  const { api } = tab();
  expect(await api.codeOf(2 ** 40)).toMatch(/^run\/no-room: this page may store [\d.]+ .B more/);
  expect(await api.keep(Uint8Array.of(1))).toEqual([1, 0]);
});
