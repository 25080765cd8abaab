import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TAR_BLOCK_BYTES, tarHeader } from "./tar-header.ts";
import { createTarOutput, type RandomAccessSink } from "./tar-output.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lab-tar-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function memorySink(): RandomAccessSink & { bytes: Uint8Array; isDiscarded: boolean } {
  return {
    bytes: new Uint8Array(),
    isDiscarded: false,
    write(offset, part) {
      const end = offset + part.byteLength;
      if (end > this.bytes.length) {
        const longer = new Uint8Array(end).fill(0xee);
        longer.set(this.bytes);
        this.bytes = longer;
      }
      this.bytes.set(part, offset);
    },
    finish(sizeBytes) {
      this.bytes = this.bytes.slice(0, sizeBytes);
    },
    discard() {
      this.isDiscarded = true;
    },
  };
}

const PATHS = [
  "config.json",
  "sub/tokenizer.json",
  `${"p".repeat(120)}/${"n".repeat(90)}.txt`,
  `${"x".repeat(180)}.txt`,
  `${"d".repeat(100)}/${"e".repeat(100)}/${"f".repeat(120)}`,
  "größe/模型.txt",
  "empty",
  "block",
];

function contentOf(path: string): Uint8Array {
  if (path === "empty") return new Uint8Array();
  return new TextEncoder().encode(path === "block" ? "b".repeat(TAR_BLOCK_BYTES) : `content of ${path}`);
}

async function writeArchive(): Promise<Uint8Array> {
  const sink = memorySink();
  const output = createTarOutput(sink, "model-W4A16");
  const files = await Promise.all(PATHS.map((path) => output.create(path, contentOf(path).length)));
  // Last file first, second half first: places do not depend on the order of writes.
  for (let at = files.length - 1; at >= 0; at--) {
    const content = contentOf(PATHS[at] ?? "");
    const half = Math.floor(content.length / 2);
    await files[at]?.write(half, content.subarray(half));
    await files[at]?.write(0, content.subarray(0, half));
    await files[at]?.close();
  }
  await output.commit();
  return sink.bytes;
}

describe("createTarOutput", () => {
  test("writes an archive that tar lists and extracts", async () => {
    const archive = join(root, "a.tar");
    writeFileSync(archive, await writeArchive());
    const environment = { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" };
    const list = execFileSync("tar", ["-tvf", archive, "--numeric-owner"], { encoding: "utf8", env: environment });
    const lines = list.trimEnd().split("\n");
    expect(lines.map((line) => line.split(/ 00:00(?::00)? /)[1])).toEqual(PATHS.map((path) => `model-W4A16/${path}`));
    for (const line of lines) expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 /);
    execFileSync("tar", ["-xf", archive, "-C", root], { env: environment });
    for (const path of PATHS) {
      expect(readFileSync(join(root, "model-W4A16", path))).toEqual(Buffer.from(contentOf(path)));
    }
  });

  test("writes the same bytes each time, whole blocks with two empty ones at the end", async () => {
    const archive = await writeArchive();
    expect(await writeArchive()).toEqual(archive);
    expect(archive.length % TAR_BLOCK_BYTES).toBe(0);
    expect(archive.subarray(-1024).every((byte) => byte === 0)).toBe(true);
    expect(archive.includes(0xee)).toBe(false);
  });

  test("refuses bad paths, bad root names, files twice and commits of open files", async () => {
    expect(() => createTarOutput(memorySink(), "..")).toThrow(expect.objectContaining({ code: "export/bad-path" }));
    expect(() => createTarOutput(memorySink(), "a/b")).toThrow(expect.objectContaining({ code: "export/misuse" }));
    const output = createTarOutput(memorySink(), "model");
    await expect(output.create("../a", 1)).rejects.toMatchObject({ code: "export/bad-path" });
    const file = await output.create("a", 1);
    await expect(output.create("a", 1)).rejects.toMatchObject({ code: "export/misuse" });
    await expect(file.write(1, Uint8Array.of(1))).rejects.toMatchObject({ code: "export/misuse" });
    await expect(output.commit()).rejects.toMatchObject({ code: "export/misuse" });
  });

  test("names any failure of the sink a failed write, and discards it", async () => {
    const sink = memorySink();
    const output = createTarOutput(sink, "model");
    const file = await output.create("a", 4);
    sink.write = () => {
      throw new DOMException("no room", "AbortError");
    };
    await expect(file.write(0, new Uint8Array(4))).rejects.toMatchObject({ code: "export/write-failed" });
    await output.discard();
    await output.discard();
    expect(sink.isDiscarded).toBe(true);
    await expect(file.write(0, new Uint8Array(4))).rejects.toMatchObject({ code: "export/misuse" });
  });
});

describe("tarHeader", () => {
  test.each([0, 511, 8 ** 11 - 1, 8 ** 11, 2 ** 40 + 12345, Number.MAX_SAFE_INTEGER])(
    "is read by tar with size %d",
    (size) => {
      const archive = join(root, "large.tar");
      // Only the listing's first line matters: the archive ends after its header.
      writeFileSync(archive, tarHeader("a/large.bin", size));
      let list = "";
      try {
        list = execFileSync("tar", ["-tvf", archive], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      } catch (thrown) {
        list = String((thrown as { stdout: string }).stdout);
      }
      expect(list).toMatch(new RegExp(`^-rw-r--r-- \\S+ +${size} .* a/large\\.bin\n`));
    },
  );
});
