import { expect } from "vitest";
import type { Store } from "../../src/formats/stores/store.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** What every empty store does. */
export async function expectStore(store: Store): Promise<void> {
  expect(await store.get("a.b-c_1")).toBeNull();
  await store.delete("a.b-c_1");
  const given = bytes(1, 2, 3);
  await store.put("a.b-c_1", given);
  given[0] = 9;
  expect(await store.get("a.b-c_1")).toEqual(bytes(1, 2, 3));
  const got = await store.get("a.b-c_1");
  got?.fill(7);
  expect(await store.get("a.b-c_1")).toEqual(bytes(1, 2, 3));
  await store.put("empty", bytes());
  await store.put("a.b-c_1", bytes(4, 5));
  expect(await store.get("a.b-c_1")).toEqual(bytes(4, 5));
  expect(await store.get("empty")).toEqual(bytes());
  const listed = (await store.list()).toSorted((one, other) => (one.key < other.key ? -1 : 1));
  expect(listed).toEqual([
    { key: "a.b-c_1", sizeBytes: 2 },
    { key: "empty", sizeBytes: 0 },
  ]);
  await store.delete("empty");
  expect(await store.get("empty")).toBeNull();
  expect(await store.list()).toHaveLength(1);
  for (const key of ["", ".", "..", "../a", "a/b", "A", "a b", "ä", ".a", "a".repeat(121)]) {
    await expect(store.get(key), key).rejects.toThrow("not a key of a store");
    await expect(store.put(key, bytes()), key).rejects.toThrow("not a key of a store");
    await expect(store.delete(key), key).rejects.toThrow("not a key of a store");
  }
}
