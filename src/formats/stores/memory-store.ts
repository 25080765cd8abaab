import { checkKey, type Store } from "./store.ts";

/** A store that ends with its process or page. */
export function createMemoryStore(): Store {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    async get(key) {
      checkKey(key);
      return entries.get(key)?.slice() ?? null;
    },
    async put(key, bytes) {
      checkKey(key);
      entries.set(key, new Uint8Array(bytes));
    },
    list: async () => [...entries].map(([key, { byteLength }]) => ({ key, sizeBytes: byteLength })),
    async delete(key) {
      checkKey(key);
      entries.delete(key);
    },
  };
}
