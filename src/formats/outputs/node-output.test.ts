import { mkdir, mkdtemp, open, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createNodeOutput } from "./node-output.ts";

let root = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "lab-output-")));
  await mkdir(join(root, "input/sub"), { recursive: true });
  await writeFile(join(root, "input/a.safetensors"), "input");
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("createNodeOutput", () => {
  test("shows nothing before commit and everything after it", async () => {
    const output = await createNodeOutput(join(root, "out"), { notInside: [join(root, "input")] });
    const file = await output.create("sub/deep/a.txt", 6);
    await file.write(3, bytes("def"));
    await file.write(0, bytes("abc"));
    await file.close();
    await (await output.create("empty", 0)).close();
    expect((await readdir(root)).sort()).toEqual(["input", expect.stringMatching(/^out\.partial-[0-9a-f]{12}$/)]);
    await output.commit();
    expect((await readdir(root)).sort()).toEqual(["input", "out"]);
    expect(await readFile(join(root, "out/sub/deep/a.txt"), "utf8")).toBe("abcdef");
    expect(await readFile(join(root, "out/empty"), "utf8")).toBe("");
    await output.discard();
    expect(await readdir(join(root, "out"))).toHaveLength(2);
  });

  test("takes the place of an empty folder", async () => {
    await mkdir(join(root, "out"));
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    await (await output.create("a", 0)).close();
    await output.commit();
    expect(await readdir(join(root, "out"))).toEqual(["a"]);
  });

  test("keeps what filled the folder in the meantime", async () => {
    await mkdir(join(root, "out"));
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    await writeFile(join(root, "out/precious"), "x");
    await expect(output.commit()).rejects.toMatchObject({ code: "export/write-failed" });
    await output.discard();
    expect((await readdir(root)).sort()).toEqual(["input", "out"]);
    expect(await readdir(join(root, "out"))).toEqual(["precious"]);
  });

  test("discard removes everything, twice and with files still open", async () => {
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    const file = await output.create("sub/a", 10);
    await file.write(0, bytes("abc"));
    await output.discard();
    await output.discard();
    expect(await readdir(root)).toEqual(["input"]);
    await expect(file.write(3, bytes("d"))).rejects.toMatchObject({ code: "export/misuse" });
    await expect(output.create("b", 0)).rejects.toMatchObject({ code: "export/misuse" });
    await expect(output.commit()).rejects.toMatchObject({ code: "export/misuse" });
  });

  test.each([
    ["the input itself", "input"],
    ["a folder inside it", "input/out"],
    ["a folder deep inside it", "input/sub/out"],
    ["a folder that contains it", "."],
    ["a link to it", "link"],
    ["a folder inside it by way of a link", "link/out"],
    ["the input by way of dots", "input/sub/.."],
  ])("refuses %s as output", async (_, path) => {
    await symlink("input", join(root, "link"));
    const created = createNodeOutput(join(root, path), { notInside: [join(root, "input")] });
    await expect(created).rejects.toMatchObject({ code: "export/output-is-input" });
    expect(await readFile(join(root, "input/a.safetensors"), "utf8")).toBe("input");
    expect((await readdir(root)).sort()).toEqual(["input", "link"]);
    expect((await readdir(join(root, "input"))).sort()).toEqual(["a.safetensors", "sub"]);
  });

  test("refuses a link whose input is named by the link", async () => {
    await symlink("input", join(root, "link"));
    const created = createNodeOutput(join(root, "input/out"), { notInside: [join(root, "link")] });
    await expect(created).rejects.toMatchObject({ code: "export/output-is-input" });
  });

  test("allows a sibling whose name begins like the input's", async () => {
    const output = await createNodeOutput(join(root, "input-W4A16"), { notInside: [join(root, "input")] });
    await output.discard();
  });

  test("refuses what is there already", async () => {
    await writeFile(join(root, "file"), "");
    await symlink("nowhere-yet", join(root, "link"));
    await mkdir(join(root, "nowhere-yet"));
    for (const path of ["input", "file", "link"]) {
      const created = createNodeOutput(join(root, path), { notInside: [] });
      await expect(created).rejects.toMatchObject({ code: "export/not-empty" });
    }
  });

  test("makes the folders above it, but none inside an input", async () => {
    const output = await createNodeOutput(join(root, "deep/er/out"), { notInside: [join(root, "input")] });
    await (await output.create("a", 0)).close();
    await output.commit();
    expect(await readdir(join(root, "deep/er"))).toEqual(["out"]);
    const inside = createNodeOutput(join(root, "input/deep/er/out"), { notInside: [join(root, "input")] });
    await expect(inside).rejects.toMatchObject({ code: "export/output-is-input" });
    expect((await readdir(join(root, "input"))).sort()).toEqual(["a.safetensors", "sub"]);
  });

  test("refuses a place below a file, and one where no folder can be made", async () => {
    const failed = { code: "export/write-failed" };
    for (const path of [join(root, "input/a.safetensors/sub/out"), "/proc/lab/out"]) {
      await expect(createNodeOutput(path, { notInside: [] })).rejects.toMatchObject(failed);
    }
    const below = createNodeOutput(join(root, "input/a.safetensors/out"), { notInside: [] });
    await expect(below).rejects.toMatchObject({ code: "export/not-empty", found: "something that is not a folder" });
  });

  test("of two exports to the same place the second to end is refused, and the first stands", async () => {
    const write = async (text: string) => {
      const output = await createNodeOutput(join(root, "out"), { notInside: [] });
      const file = await output.create("a", 1);
      await file.write(0, bytes(text));
      await file.close();
      return output;
    };
    const [first, second] = [await write("1"), await write("2")];
    await second.commit();
    await expect(first.commit()).rejects.toMatchObject({ code: "export/write-failed" });
    await first.discard();
    expect((await readdir(root)).sort()).toEqual(["input", "out"]);
    expect(await readFile(join(root, "out/a"), "utf8")).toBe("2");
  });

  test("what a killed export left is in nobody's way", async () => {
    const killed = await createNodeOutput(join(root, "out"), { notInside: [] });
    await (await killed.create("a", 0)).close();
    const [left] = (await readdir(root)).filter((name) => name.startsWith("out"));
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    await (await output.create("b", 0)).close();
    await output.commit();
    expect((await readdir(root)).sort()).toEqual(["input", "out", left]);
    expect(await readdir(join(root, "out"))).toEqual(["b"]);
  });

  test("the input in other letter case is the input where the disk says so, and another place where not", async () => {
    const path = join(root, "INPUT");
    const isSame = await readdir(path).then(
      () => true,
      () => false,
    );
    const created = createNodeOutput(path, { notInside: [join(root, "input")] });
    if (isSame) await expect(created).rejects.toMatchObject({ code: "export/output-is-input" });
    else await (await created).discard();
    expect(await readdir(root)).toEqual(["input"]);
    expect(await readFile(join(root, "input/a.safetensors"), "utf8")).toBe("input");
  });

  test.each(["../a", "a/../../b", "/etc/passwd", "", "a//b", "./a", "a\\b", "C:a", "a\u0000b", "a/"])(
    "refuses the path %j",
    async (path) => {
      const output = await createNodeOutput(join(root, "out"), { notInside: [] });
      await expect(output.create(path, 1)).rejects.toMatchObject({ code: "export/bad-path" });
      await output.discard();
    },
  );

  test("holds its writer to the size that was announced", async () => {
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    const file = await output.create("a", 4);
    await expect(file.write(2, bytes("abc"))).rejects.toMatchObject({ code: "export/misuse" });
    await expect(output.commit()).rejects.toMatchObject({ code: "export/misuse" });
    await file.write(0, bytes("ab"));
    await expect(file.close()).rejects.toMatchObject({ code: "export/misuse" });
    await expect(output.create("a", 4)).rejects.toMatchObject({ code: "export/misuse" });
    await output.discard();
  });

  test("says that the disk refused, whatever it refused", async () => {
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    await (await output.create("a", 0)).close();
    await expect(output.create("a/b", 0)).rejects.toMatchObject({
      code: "export/write-failed",
      cause: expect.any(Error),
    });
    await output.discard();
  });

  test("names a full disk, keeps nothing, and leaves the place free for the next try", async () => {
    const output = await createNodeOutput(join(root, "out"), { notInside: [] });
    const file = await output.create("a", 4);
    const probe = await open(join(root, "input/a.safetensors"));
    const write = vi.spyOn(Object.getPrototypeOf(probe), "write");
    write.mockRejectedValueOnce(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
    await probe.close();
    await expect(file.write(0, bytes("abcd"))).rejects.toMatchObject({
      code: "export/write-failed",
      found: "the disk is full",
    });
    write.mockRestore();
    await output.discard();
    expect(await readdir(root)).toEqual(["input"]);
    await (await createNodeOutput(join(root, "out"), { notInside: [] })).discard();
  });
});
