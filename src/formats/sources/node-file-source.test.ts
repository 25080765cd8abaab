import { mkdir, mkdtemp, rename, rm, symlink, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openNodeFile, openNodeFolder } from "./node-file-source.ts";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "lab-source-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

describe("openNodeFile", () => {
  test("reads ranges into the buffer it is given", async () => {
    await writeFile(join(root, "a"), "0123456789");
    const file = await openNodeFile(join(root, "a"));
    expect(file).toMatchObject({ name: "a", sizeBytes: 10 });
    const into = new ArrayBuffer(16);
    const view = await file.read(3, 7, into);
    expect(view.buffer).toBe(into);
    expect(new TextDecoder().decode(view)).toBe("3456");
    await expect(file.read(0, 11)).rejects.toMatchObject({ code: "source/out-of-range" });
    await file.close();
  });

  test("reads past 4 GiB", async () => {
    const place = 2 ** 32 + 16;
    await writeFile(join(root, "large"), "");
    await truncate(join(root, "large"), place);
    await writeFile(join(root, "large"), Uint8Array.of(1, 2, 3, 4), { flag: "a" });
    const file = await openNodeFile(join(root, "large"));
    expect([...(await file.read(place, place + 4))]).toEqual([1, 2, 3, 4]);
    await file.close();
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ["longer", (path) => writeFile(path, "x", { flag: "a" })],
    ["shorter", (path) => truncate(path, 5)],
    ["rewritten at the same size", (path) => writeFile(path, "9876543210")],
    ["touched by a microsecond", (path) => utimes(path, 1_000_000, 1_000_000.000001)],
    ["removed", (path) => unlink(path)],
    [
      "replaced",
      async (path) => {
        await writeFile(`${path}.new`, "0123456789");
        await rename(`${path}.new`, path);
      },
    ],
  ])("refuses a file that was %s, before its first read and between reads", async (_, change) => {
    for (const readsBefore of [0, 1]) {
      const path = join(root, `file-${readsBefore}`);
      await writeFile(path, "0123456789");
      await utimes(path, 1_000_000, 1_000_000);
      const file = await openNodeFile(path);
      if (readsBefore > 0) await file.read(0, 5);
      await change(path);
      await expect(file.read(0, 4)).rejects.toMatchObject({ code: "source/changed" });
      await file.close();
    }
  });

  test("says what is not there and what is no file", async () => {
    await expect(openNodeFile(join(root, "none"))).rejects.toMatchObject({ code: "source/not-found" });
    await expect(openNodeFile(root)).rejects.toMatchObject({ code: "source/unreadable" });
  });

  test("refuses reads after close, and closes twice without harm", async () => {
    await writeFile(join(root, "a"), "abc");
    const file = await openNodeFile(join(root, "a"));
    await file.read(0, 1);
    await file.close();
    await file.close();
    await expect(file.read(0, 1)).rejects.toMatchObject({ code: "source/unreadable" });
  });
});

describe("openNodeFolder", () => {
  test("lists files and links to files, and nothing of downloads, checkouts and circles", async () => {
    await mkdir(join(root, "model/sub"), { recursive: true });
    await mkdir(join(root, "model/.git"));
    await mkdir(join(root, "model/.cache"));
    await mkdir(join(root, "blobs"));
    await writeFile(join(root, "blobs/abc"), "blob");
    await writeFile(join(root, "model/a.json"), "{}");
    await writeFile(join(root, "model/sub/b.txt"), "b");
    await writeFile(join(root, "model/.git/HEAD"), "x");
    await writeFile(join(root, "model/.cache/x"), "x");
    await symlink("../blobs/abc", join(root, "model/model.safetensors"));
    await symlink("..", join(root, "model/circle"));
    await symlink("nowhere", join(root, "model/dangling.safetensors"));
    const folder = await openNodeFolder(join(root, "model"));
    expect(folder.name).toBe("model");
    expect([...folder.files.keys()]).toEqual(["a.json", "model.safetensors", "sub/b.txt"]);
    expect(folder.files.get("model.safetensors")).toMatchObject({ name: "model.safetensors", sizeBytes: 4 });
    const bytes = await folder.files.get("model.safetensors")?.read(0, 4);
    expect(new TextDecoder().decode(bytes)).toBe("blob");
    await folder.close();
  });

  test("takes a file as a folder of one", async () => {
    await writeFile(join(root, "a.safetensors"), "x");
    const folder = await openNodeFolder(join(root, "a.safetensors"));
    expect([...folder.files.keys()]).toEqual(["a.safetensors"]);
  });

  test("says that a folder is not there", async () => {
    await expect(openNodeFolder(join(root, "none"))).rejects.toMatchObject({ code: "source/not-found" });
    await writeFile(join(root, "file"), "");
    await expect(openNodeFolder(join(root, "file/none"))).rejects.toMatchObject({ code: "source/not-found" });
  });
});
