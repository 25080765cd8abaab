import { describe, expect, test } from "vitest";
import { type OpfsHost, openOpfsSink } from "./opfs-sink.ts";

/** A private file system in memory, shared by the tabs of a test, with Web Locks and exclusive handles as browsers have them. */
class FakeBrowser {
  readonly files = new Map<string, Uint8Array>();
  readonly openHandles = new Set<string>();
  readonly locks = new Set<string>();
  quotaBytes = Number.POSITIVE_INFINITY;
  #names = 0;

  host(): OpfsHost {
    const folder = {
      keys: async function* (this: { browser: FakeBrowser }) {
        yield* [...this.browser.files.keys()];
      },
      browser: this,
      removeEntry: async (name: string) => {
        if (this.openHandles.has(name)) throw new DOMException("locked", "NoModificationAllowedError");
        if (!this.files.delete(name)) throw new DOMException("gone", "NotFoundError");
      },
      getFileHandle: async (name: string) => {
        this.files.set(name, new Uint8Array());
        return {
          name,
          createSyncAccessHandle: async () => this.#open(name),
          getFile: async () => new File([this.files.get(name) as Uint8Array<ArrayBuffer>], name),
        };
      },
    };
    const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
      const action = rest.at(-1) as (lock: { name: string } | null) => unknown;
      if (this.locks.has(name)) return await action(null);
      this.locks.add(name);
      try {
        return await action({ name });
      } finally {
        this.locks.delete(name);
      }
    };
    return {
      storage: { getDirectory: async () => ({ getDirectoryHandle: async () => folder }) },
      locks: { request },
      randomName: () => `export-${this.#names++}`,
    } as unknown as OpfsHost;
  }

  #open(name: string): object {
    this.openHandles.add(name);
    return {
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        const room = Math.max(0, Math.min(bytes.length, this.quotaBytes - at));
        const old = this.files.get(name) ?? new Uint8Array();
        const file = new Uint8Array(Math.max(old.length, at + room));
        file.set(old);
        file.set(bytes.subarray(0, room), at);
        this.files.set(name, file);
        return room;
      },
      truncate: (size: number) => this.files.set(name, (this.files.get(name) ?? new Uint8Array()).slice(0, size)),
      flush: () => undefined,
      close: () => this.openHandles.delete(name),
    };
  }
}

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
    expect([...browser.files.keys()]).toEqual(["export-0", "export-1", "export-2"]);
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
