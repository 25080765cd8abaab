import { describe, expect, test } from "vitest";
import { FakeBrowser } from "../../../tests/support/fake-opfs.ts";
import type { OpfsHost } from "../opfs/guarded-file.ts";
import { openOpfsSink } from "./opfs-sink.ts";

describe("openOpfsSink", () => {
  test("gives the written file back after finish, and not before", async () => {
    const browser = new FakeBrowser();
    const sink = await openOpfsSink(browser.host());
    await sink.write(2, Uint8Array.of(3, 4, 5));
    await sink.write(0, Uint8Array.of(1, 2));
    await expect(sink.getFile()).rejects.toMatchObject({ code: "export/write-failed" });
    await sink.finish(4);
    expect([...new Uint8Array(await (await sink.getFile()).arrayBuffer())]).toEqual([1, 2, 3, 4]);
    expect(() => sink.write(0, Uint8Array.of(1))).toThrow(expect.objectContaining({ code: "export/write-failed" }));
  });

  test("removes the file on discard, before or after finish, more than once", async () => {
    const browser = new FakeBrowser();
    const [first, second] = [await openOpfsSink(browser.host()), await openOpfsSink(browser.host())];
    await second.finish(0);
    for (const sink of [first, second, first]) await sink.discard();
    expect(browser.files.size).toBe(0);
    await new Promise((resolve) => setTimeout(resolve));
    expect(browser.locks.size).toBe(0);
  });

  test("clears away what earlier visits left, and nothing of a living tab, written or being written", async () => {
    const browser = new FakeBrowser();
    browser.files.set("left over", new Uint8Array(3));
    const finished = await openOpfsSink(browser.host());
    await finished.finish(0);
    await openOpfsSink(browser.host());
    await openOpfsSink(browser.host());
    expect([...browser.files.keys()]).toEqual(["file-0", "file-1", "file-2"]);
  });

  test("takes fewer bytes than it was given as a failed write", async () => {
    const browser = new FakeBrowser();
    browser.quotaBytes = 3;
    const sink = await openOpfsSink(browser.host());
    expect(() => sink.write(0, new Uint8Array(4))).toThrow(expect.objectContaining({ code: "export/write-failed" }));
  });

  test("says that there is no storage", async () => {
    const storage = { getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) };
    const host: OpfsHost = { storage, locks: null, randomName: () => "a" };
    await expect(openOpfsSink(host)).rejects.toMatchObject({ code: "export/write-failed" });
  });
});
