import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../byte-source.ts";
import { createBlobFolder, createBlobSource } from "./blob-source.ts";
import { createBufferSource } from "./buffer-source.ts";

const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7 + Math.floor(i / 251)) % 256);

/** A blob whose stream has no byte reader, or whose bytes have gone. */
class OddBlob extends Blob {
  readonly #slice: (part: Blob) => Partial<Blob>;

  constructor(slice: (part: Blob) => Partial<Blob>) {
    super([BYTES]);
    this.#slice = slice;
  }

  override slice(start?: number, end?: number): Blob {
    const part = super.slice(start, end);
    for (const [key, value] of Object.entries(this.#slice(part))) Object.defineProperty(part, key, { value });
    return part;
  }
}

const withoutByob = new OddBlob((part) => ({
  stream: () => new ReadableStream(),
  arrayBuffer: () => Blob.prototype.arrayBuffer.call(part),
}));

/** A file that went: its stream and its plain reads fail each in their own way, as in Chromium. */
const broken = (name: string): Blob =>
  new OddBlob(() => ({
    stream: () => new ReadableStream({ type: "bytes", pull: () => Promise.reject(new TypeError("network error")) }),
    arrayBuffer: () => Promise.reject(new DOMException("the words", name)),
  }));

describe.each<[string, ByteSource]>([
  ["a buffer", createBufferSource("x", BYTES)],
  ["a blob", createBlobSource("x", new Blob([BYTES.subarray(0, 70_000), BYTES.subarray(70_000)]))],
  ["a blob without BYOB reads", createBlobSource("x", withoutByob)],
])("%s as a source", (_, source) => {
  test("gives exactly the bytes of any range, into a new or a reused buffer", async () => {
    const range = fc.tuple(fc.nat(BYTES.length), fc.nat(BYTES.length));
    await fc.assert(
      fc.asyncProperty(range, fc.option(fc.nat(100)), async ([a, b], spare) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const into = spare === null ? undefined : new ArrayBuffer(end - start + spare);
        const view = await source.read(start, end, into);
        expect(view.byteOffset).toBe(0);
        expect(Buffer.compare(view, BYTES.subarray(start, end))).toBe(0);
      }),
    );
  });

  test("keeps the whole of a reused buffer for the next read", async () => {
    const first = await source.read(0, 10, new ArrayBuffer(100_000));
    expect(first.buffer.byteLength).toBe(100_000);
    const second = await source.read(50_000, 150_000, first.buffer);
    expect(Buffer.compare(second, BYTES.subarray(50_000, 150_000))).toBe(0);
  });

  test.each([
    [-1, 4],
    [4, 3],
    [0, BYTES.length + 1],
    [0.5, 2],
    [Number.NaN, 2],
  ])("refuses the range %d to %d", async (start, end) => {
    await expect(source.read(start, end)).rejects.toMatchObject({ code: "source/out-of-range" });
  });

  test("refuses a buffer that is too small or detached", async () => {
    await expect(source.read(0, 10, new ArrayBuffer(9))).rejects.toMatchObject({ code: "source/out-of-range" });
    const detached = new ArrayBuffer(10);
    structuredClone(detached, { transfer: [detached] });
    await expect(source.read(0, 10, detached)).rejects.toMatchObject({ code: "source/out-of-range" });
  });
});

test("a reader may write over what a buffer source gave", async () => {
  const source = createBufferSource("x", Uint8Array.of(1, 2, 3));
  (await source.read(0, 3)).fill(9);
  expect([...(await source.read(0, 3))]).toEqual([1, 2, 3]);
});

test.each(["NotReadableError", "NotFoundError"])("a %s of the browser means that the file changed", async (name) => {
  const read = createBlobSource("a.safetensors", broken(name)).read(0, 4);
  await expect(read).rejects.toMatchObject({
    code: "source/changed",
    found: expect.stringContaining("file changed or was removed"),
    cause: expect.objectContaining({ name }),
  });
});

test("another failure of the browser means that the file is unreadable", async () => {
  const read = createBlobSource("a", broken("SecurityError")).read(0, 4);
  await expect(read).rejects.toMatchObject({ code: "source/unreadable" });
});

test("a stream that ends early means that the file changed", async () => {
  const short = new OddBlob(() => ({
    stream: () => new ReadableStream({ type: "bytes", start: (controller) => controller.close() }),
  }));
  await expect(createBlobSource("a", short).read(0, 4)).rejects.toMatchObject({ code: "source/changed" });
});

test("a dropped folder keeps paths and names its files by their last part", () => {
  const { name, files } = createBlobFolder("model", [["sub/a.txt", new Blob(["abc"])]]);
  expect(name).toBe("model");
  expect(files.get("sub/a.txt")).toMatchObject({ name: "a.txt", sizeBytes: 3 });
});
