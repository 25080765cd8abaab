import type { OpfsWorkspaceHost } from "../../src/formats/workspaces/opfs-workspace.ts";

/** A private file system in memory, shared by the tabs of a test, with Web Locks and exclusive handles as browsers have them. */
export class FakeBrowser {
  readonly files = new Map<string, Uint8Array>();
  readonly openHandles = new Set<string>();
  readonly locks = new Set<string>();
  quotaBytes = Number.POSITIVE_INFINITY;
  /** Whether a file that cannot grow stays as it is, without a word: as Chromium does. */
  isSilent = false;
  #names = 0;

  host(): OpfsWorkspaceHost {
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
      storage: {
        getDirectory: async () => ({ getDirectoryHandle: async () => folder }),
        estimate: async () => ({ quota: this.quotaBytes, usage: 0 }),
      },
      locks: { request },
      randomName: () => `file-${this.#names++}`,
    } as unknown as OpfsWorkspaceHost;
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
      read: (bytes: Uint8Array, { at }: { at: number }) => {
        const own = (this.files.get(name) ?? new Uint8Array()).subarray(at, at + bytes.length);
        bytes.set(own);
        return own.length;
      },
      getSize: () => (this.files.get(name) ?? new Uint8Array()).length,
      truncate: (size: number) => {
        if (size > this.quotaBytes && this.isSilent) return;
        if (size > this.quotaBytes) throw new DOMException("full", "QuotaExceededError");
        const file = new Uint8Array(size);
        file.set((this.files.get(name) ?? new Uint8Array()).subarray(0, size));
        this.files.set(name, file);
      },
      flush: () => undefined,
      close: () => this.openHandles.delete(name),
    };
  }
}
