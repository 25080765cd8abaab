import { describe, expect, test } from "vitest";
import { createMemoryWorkspace } from "./memory-workspace.ts";

describe("a workspace in memory", () => {
  test("keeps what is written, and zeros elsewhere", async () => {
    const file = await createMemoryWorkspace().create(8);
    await file.write(2, Uint8Array.of(1, 2, 3));
    expect([...(await file.read(0, 8))]).toEqual([0, 0, 1, 2, 3, 0, 0, 0]);
    const into = new ArrayBuffer(16);
    const view = await file.read(3, 6, into);
    expect([...view]).toEqual([2, 3, 0]);
    expect(view.buffer).toBe(into);
  });

  test("hands out copies", async () => {
    const file = await createMemoryWorkspace().create(4);
    const bytes = Uint8Array.of(1, 2, 3, 4);
    await file.write(0, bytes);
    bytes.fill(9);
    (await file.read(0, 4)).fill(7);
    expect([...(await file.read(0, 4))]).toEqual([1, 2, 3, 4]);
  });

  test("refuses what all its files together have no room for", async () => {
    const workspace = createMemoryWorkspace(10);
    await workspace.create(6);
    await expect(workspace.create(5)).rejects.toMatchObject({
      code: "run/no-room",
      found: expect.stringContaining("11 bytes wanted"),
      advice: expect.stringContaining("at most 10 bytes"),
    });
  });

  test("has all its room again once it is closed", async () => {
    const workspace = createMemoryWorkspace(10);
    await workspace.create(10);
    await workspace.close();
    expect((await workspace.create(10)).sizeBytes).toBe(10);
  });
});
