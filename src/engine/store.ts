import { createMemoryStore } from "../formats/stores/memory-store.ts";
import type { Store } from "../formats/stores/store.ts";

export type { Store, StoredEntry } from "../formats/stores/store.ts";

/** A store that is opened at its first use; where that fails, one in memory, which ends with the process or page. */
export function createHostStore(open: () => Promise<Store>): Store {
  let opening: Promise<Store> | null = null;
  const store = (): Promise<Store> => {
    opening ??= open().catch(createMemoryStore);
    return opening;
  };
  return {
    get: async (key) => (await store()).get(key),
    put: async (key, bytes) => (await store()).put(key, bytes),
    list: async () => (await store()).list(),
    delete: async (key) => (await store()).delete(key),
  };
}
