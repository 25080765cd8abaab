import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { createBufferSource } from "../sources/buffer-source.ts";
import { readGguf } from "./header.ts";
import { VALUE_TYPE } from "./values.ts";
import { encodeGguf } from "./writer.ts";

const text = (words: string | Uint8Array): number[] => {
  const bytes = typeof words === "string" ? new TextEncoder().encode(words) : words;
  return [...u64(bytes.length), ...bytes];
};
const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: number | bigint): number[] => [...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)];
const pair = (key: string, type: number, ...value: readonly number[]): number[] => [
  ...text(key),
  ...u32(type),
  ...value,
];

/** A tensor of the head. */
interface Info {
  readonly name?: string;
  readonly shape?: readonly (number | bigint)[];
  readonly type?: number;
  readonly offset?: number | bigint;
}
const info = ({ name = "a", shape = [2], type = 0, offset = 0 }: Info): number[] => [
  ...[...text(name), ...u32(shape.length), ...shape.flatMap(u64)],
  ...[...u32(type), ...u64(offset)],
];

/** A file of these parts, and zeros up to a multiple of 32 and `dataBytes` more. */
function fileOf(parts: {
  readonly version?: number;
  readonly pairs?: readonly number[][];
  readonly infos?: readonly number[][];
  readonly counts?: readonly (number | bigint)[];
  readonly dataBytes?: number;
}): Uint8Array {
  const { version = 3, pairs = [], infos = [], dataBytes = 0 } = parts;
  const counts = parts.counts ?? [infos.length, pairs.length];
  const head = [...[0x47, 0x47, 0x55, 0x46], ...u32(version), ...counts.flatMap(u64), ...pairs.flat(), ...infos.flat()];
  const bytes = new Uint8Array(Math.ceil(head.length / 32) * 32 + dataBytes);
  bytes.set(head);
  return bytes;
}

const read = (bytes: Uint8Array) => readGguf(createBufferSource("a.gguf", bytes));

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await read(bytes);
    return "accepted";
  } catch (thrown) {
    if (thrown instanceof LabError) return thrown.code;
    throw thrown;
  }
}

describe("the head of a GGUF file", () => {
  test("has values of every type", async () => {
    const float = [...new Uint8Array(Float32Array.of(-1.5).buffer)];
    const double = [...new Uint8Array(Float64Array.of(0.1).buffer)];
    const { metadata } = await read(
      fileOf({
        pairs: [
          pair("u8", VALUE_TYPE.uint8, 255),
          pair("i8", VALUE_TYPE.int8, 255),
          pair("u16", VALUE_TYPE.uint16, 255, 255),
          pair("i16", VALUE_TYPE.int16, 254, 255),
          pair("u32", VALUE_TYPE.uint32, ...u32(2 ** 32 - 1)),
          pair("i32", VALUE_TYPE.int32, ...u32(2 ** 32 - 3)),
          pair("f32", VALUE_TYPE.float32, ...float),
          pair("bool", VALUE_TYPE.bool, 1),
          pair("string", VALUE_TYPE.string, ...text("ü")),
          pair("array", VALUE_TYPE.array, ...u32(VALUE_TYPE.string), ...u64(2), ...text("a"), ...text("")),
          pair("u64", VALUE_TYPE.uint64, ...u64(2n ** 64n - 1n)),
          pair("i64", VALUE_TYPE.int64, ...u64(2n ** 64n - 4n)),
          pair("f64", VALUE_TYPE.float64, ...double),
        ],
      }),
    );
    expect([...metadata.values()]).toEqual([
      ...[255, -1, 65535, -2, 2 ** 32 - 1, -3, -1.5, true, "ü", ["a", ""]],
      ...[2n ** 64n - 1n, -4n, 0.1],
    ]);
  });

  test("places tensors one after the other, each at a multiple of the alignment", async () => {
    const infos = [info({ name: "a", shape: [3, 2], type: 1 }), info({ name: "b", shape: [1], offset: 64 })];
    const aligned = pair("general.alignment", VALUE_TYPE.uint32, ...u32(64));
    const bytes = fileOf({ pairs: [aligned], infos, dataBytes: 200 });
    const { tensors } = await read(bytes);
    const [first = 0] = tensors.map(({ start }) => start);
    expect(first % 64).toBe(0);
    expect(tensors).toEqual([
      { name: "a", dtype: "F16", shape: [3, 2], start: first, end: first + 12 },
      { name: "b", dtype: "F32", shape: [1], start: first + 64, end: first + 68 },
    ]);
  });

  test("is read in as many steps as it takes", async () => {
    const words = Array.from({ length: 30_000 }, (_, index) => `word ${index}`);
    const bytes = encodeGguf(new Map([["words", words]]), []);
    expect(bytes.length).toBeGreaterThan(2 ** 18);
    expect((await read(bytes)).metadata.get("words")).toEqual(words);
  });
});

describe("refused is", () => {
  const one = VALUE_TYPE.uint8;
  test.each<[string, Uint8Array, string]>([
    ["another file", new TextEncoder().encode("{}"), "gguf/not-gguf"],
    ["nothing", new Uint8Array(), "gguf/not-gguf"],
    ["a beginning alone", fileOf({}).slice(0, 10), "gguf/truncated"],
    ["version 1", fileOf({ version: 1 }), "gguf/unknown-version"],
    ["version 4", fileOf({ version: 4 }), "gguf/unknown-version"],
    ["the other byte order", fileOf({ version: 0x03000000 }), "gguf/big-endian"],
    ["more tensors than bytes", fileOf({ counts: [2n ** 63n, 0] }), "gguf/truncated"],
    ["more values than bytes", fileOf({ counts: [0, 2n ** 64n - 1n] }), "gguf/truncated"],
    ["a key twice", fileOf({ pairs: [pair("a", one, 1), pair("a", one, 1)] }), "gguf/duplicate-key"],
    ["an unknown type", fileOf({ pairs: [pair("a", 13, 1)] }), "gguf/unknown-value-type"],
    ["a yes or no of 2", fileOf({ pairs: [pair("a", VALUE_TYPE.bool, 2)] }), "gguf/bad-value"],
    [
      "an array of arrays",
      fileOf({ pairs: [pair("a", VALUE_TYPE.array, ...u32(VALUE_TYPE.array), ...u64(0))] }),
      "gguf/nested-array",
    ],
    [
      "an array of 2^40 numbers",
      fileOf({ pairs: [pair("a", VALUE_TYPE.array, ...u32(one), ...u64(2n ** 40n))] }),
      "gguf/too-many-values",
    ],
    ["a key of 2^63 bytes", fileOf({ pairs: [[...u64(2n ** 63n), 65]] }), "gguf/truncated"],
    ["a key that is no text", fileOf({ pairs: [[...text(Uint8Array.of(255)), ...u32(one), 1]] }), "gguf/not-utf8"],
    [
      "an alignment of 24",
      fileOf({ pairs: [pair("general.alignment", VALUE_TYPE.uint32, ...u32(24))] }),
      "gguf/bad-alignment",
    ],
    [
      "an alignment of 0",
      fileOf({ pairs: [pair("general.alignment", VALUE_TYPE.uint32, ...u32(0))] }),
      "gguf/bad-alignment",
    ],
    ["a name twice", fileOf({ infos: [info({}), info({ offset: 32 })], dataBytes: 64 }), "gguf/duplicate-name"],
    ["a name of 64 bytes", fileOf({ infos: [info({ name: "x".repeat(64) })], dataBytes: 32 }), "gguf/name-too-long"],
    ["no dimensions", fileOf({ infos: [info({ shape: [] })], dataBytes: 32 }), "gguf/bad-shape"],
    ["five dimensions", fileOf({ infos: [info({ shape: [1, 1, 1, 1, 1] })], dataBytes: 32 }), "gguf/bad-shape"],
    ["2^32 dimensions", fileOf({ infos: [[...text("a"), ...u32(2 ** 32 - 1)]], dataBytes: 32 }), "gguf/bad-shape"],
    ["packed elements", fileOf({ infos: [info({ type: 2 })], dataBytes: 32 }), "gguf/unknown-dtype"],
    ["2^64 elements", fileOf({ infos: [info({ shape: [2n ** 32n, 2n ** 32n] })] }), "gguf/size-overflow"],
    ["a 0 that hides 2^63", fileOf({ infos: [info({ shape: [2n ** 63n, 0] })] }), "gguf/size-overflow"],
    ["a tensor that ends after the file", fileOf({ infos: [info({ shape: [9] })], dataBytes: 32 }), "gguf/truncated"],
    [
      "tensors that overlap",
      fileOf({ infos: [info({ shape: [16] }), info({ name: "b", offset: 32 })], dataBytes: 96 }),
      "gguf/bad-offset",
    ],
    ["a hole", fileOf({ infos: [info({}), info({ name: "b", offset: 64 })], dataBytes: 96 }), "gguf/bad-offset"],
    [
      "an offset of 2^64 − 32",
      fileOf({ infos: [info({ offset: 2n ** 64n - 32n })], dataBytes: 32 }),
      "gguf/bad-offset",
    ],
  ])("%s", async (_what, bytes, code) => {
    expect(await codeOf(bytes)).toBe(code);
  });

  test("a head of more bytes than any model's, before it is read", async () => {
    const reads: number[] = [];
    const head = fileOf({ pairs: [[...u64(2n ** 40n)]] });
    const source = {
      name: "large.gguf",
      sizeBytes: 2 ** 41,
      read: async (start: number, end: number) => {
        reads.push(end - start);
        const bytes = new Uint8Array(end - start);
        bytes.set(head.subarray(start, end));
        return bytes;
      },
    };
    await expect(readGguf(source)).rejects.toMatchObject({ code: "gguf/header-too-long" });
    expect(Math.max(...reads)).toBe(2 ** 27);
  });

  test("garbage, with an error of the lab and never another", async () => {
    const tensors = [{ name: "a", shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }];
    const good = encodeGguf(new Map<string, string | number>([["general.type", "x"]]).set("n", 7), tensors);
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(edits, fc.nat(good.length), async (places, end) => {
        const bytes = good.slice();
        for (const [at, value] of places) bytes[at] = value;
        await codeOf(bytes);
        // The padding behind the last tensor says nothing.
        expect((await codeOf(good.slice(0, end))) === "accepted").toBe(end >= good.length - 16);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a GGUF file that is written", () => {
  test("is read as it was", async () => {
    const metadata = fc.dictionary(
      fc.string(),
      fc.oneof(fc.string(), fc.nat(2 ** 32 - 1), fc.array(fc.string(), { maxLength: 3 })),
    );
    const values = fc.array(fc.float(), { maxLength: 20 }).map((all) => Float32Array.from(all));
    const tensor = fc.record({ name: fc.string({ maxLength: 12 }), values });
    const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(metadata, tensors, async (pairs, own) => {
        const bytes = encodeGguf(
          new Map(Object.entries(pairs)),
          own.map((each) => ({ ...each, shape: [each.values.length] })),
        );
        const header = await read(bytes);
        expect(header.metadata).toEqual(new Map(Object.entries(pairs)));
        expect(header.tensors.map(({ name }) => name)).toEqual(own.map(({ name }) => name));
        for (const [index, { start, end }] of header.tensors.entries()) {
          expect(new Float32Array(bytes.slice(start, end).buffer)).toEqual(own[index]?.values);
        }
        expect(bytes.length % 32).toBe(0);
      }),
    );
  });

  test("never has what llama.cpp refuses", () => {
    const values = Float32Array.of(1);
    const write =
      (...tensors: Parameters<typeof encodeGguf>[1]) =>
      () =>
        encodeGguf(new Map(), tensors);
    const bad = expect.objectContaining({ code: "export/bad-tensor" });
    expect(write({ name: "ü".repeat(32), shape: [1], values })).toThrow(bad);
    expect(write({ name: "a", shape: [1], values }, { name: "a", shape: [1], values })).toThrow(bad);
    expect(write({ name: "a", shape: [2], values })).toThrow(bad);
    expect(write({ name: "a", shape: [], values })).toThrow(bad);
  });
});
