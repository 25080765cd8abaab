import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNodeWorkspace } from "./node-workspace.ts";

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "workspace-test-"));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

describe("a workspace on disk", () => {
  test("reads what was written, and zeros elsewhere", async () => {
    const workspace = createNodeWorkspace(parent);
    const file = await workspace.create(100);
    const wanted = new Uint8Array(100);
    const place = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }));
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 0, max: 255 }), place, async ([a, b], value, [c, d]) => {
        const bytes = new Uint8Array(Math.abs(b - a)).fill(value);
        await file.write(Math.min(a, b), bytes);
        wanted.set(bytes, Math.min(a, b));
        const [start, end] = [Math.min(c, d), Math.max(c, d)];
        expect([...(await file.read(start, end))]).toEqual([...wanted.slice(start, end)]);
        expect([...(await file.read(start, end, new ArrayBuffer(128)))]).toEqual([...wanted.slice(start, end)]);
      }),
      { numRuns: 40 },
    );
    await workspace.close();
  });

  test("keeps its files apart and leaves nothing behind", async () => {
    const workspace = createNodeWorkspace(parent);
    const [one, two] = [await workspace.create(4), await workspace.create(4)];
    await one.write(0, Uint8Array.of(1, 1, 1, 1));
    await two.write(0, Uint8Array.of(2, 2, 2, 2));
    expect([...(await one.read(0, 4)), ...(await two.read(0, 4))]).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(await readdir(parent)).toHaveLength(1);
    await workspace.close();
    expect(await readdir(parent)).toEqual([]);
    // Twice is once.
    await workspace.close();
  });

  test("may be used again after it was closed", async () => {
    const workspace = createNodeWorkspace(parent);
    await workspace.create(4);
    await workspace.close();
    const file = await workspace.create(4);
    await file.write(1, Uint8Array.of(5));
    expect([...(await file.read(0, 4))]).toEqual([0, 5, 0, 0]);
    await workspace.close();
    expect(await readdir(parent)).toEqual([]);
  });

  test("refuses a file that the disk has no room for, and leaves nothing behind either", async () => {
    const workspace = createNodeWorkspace(parent);
    await workspace.create(4);
    // No file system has files of 2^53 bytes.
    await expect(workspace.create(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: "run/no-room" });
    await workspace.close();
    expect(await readdir(parent)).toEqual([]);
  });

  test("says so where its folder cannot be made", async () => {
    const workspace = createNodeWorkspace(join(parent, "nowhere"));
    await expect(workspace.create(4)).rejects.toMatchObject({
      code: "run/no-room",
      advice: expect.stringContaining("TMPDIR"),
    });
  });

  test("refuses to read beyond the end of a file", async () => {
    const workspace = createNodeWorkspace(parent);
    const file = await workspace.create(4);
    await expect(file.read(2, 6)).rejects.toMatchObject({ code: "run/no-room" });
    await workspace.close();
  });
});
