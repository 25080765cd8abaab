import * as Comlink from "comlink";
import { openOpfsStore } from "../../src/formats/stores/opfs-store.ts";

const opening = openOpfsStore(navigator.storage);

const api = {
  put: async (key: string, bytes: Uint8Array) => (await opening).put(key, bytes),
  get: async (key: string) => (await opening).get(key),
};

export type StoreApi = typeof api;

Comlink.expose(api);
