import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { hostileCases, readHostileFile } from "../../../tests/support/hostile-cases.ts";
import { expectationOf } from "../../../tests/support/hostile-expectations.ts";
import { LabError } from "../../base/errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { createBufferSource } from "../sources/buffer-source.ts";
import { readHeader, type SafetensorsHeader, STRICTER } from "./header.ts";

const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
});

function fileOf(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

async function outcome(bytes: Uint8Array): Promise<SafetensorsHeader | LabError> {
  return await readHeader(createBufferSource("x.safetensors", bytes)).catch((thrown: unknown) => {
    if (thrown instanceof LabError) return thrown;
    throw thrown;
  });
}

async function ruleOf(header: string, dataBytes = 0): Promise<unknown> {
  const result = await outcome(fileOf(header, new Uint8Array(dataBytes)));
  return result instanceof LabError ? result.fields.rule : "accepted";
}

describe("the hostile corpus", () => {
  test.each(hostileCases("safetensors", "weights"))("$id: $what", async (hostile) => {
    const started = performance.now();
    const result = await outcome(readHostileFile(hostile.file));
    expect(performance.now() - started).toBeLessThan(hostile.limits.ms);
    const expected = expectationOf(hostile);
    if (result instanceof LabError) {
      expect({ outcome: "reject", code: result.code, rule: result.fields.rule }).toEqual(expected);
      expect(result.message).not.toMatch(/\p{Cc}|\p{Cf}/u);
    } else {
      expect(expected.outcome).toBe("accept");
      expect(result.tensors).toHaveLength(hostile.tensors ?? -1);
    }
  });

  test("numbers at odd offsets are read as they are", async () => {
    const bytes = readHostileFile("safetensors/ok_unaligned_tensor.safetensors");
    const source = createBufferSource("x", bytes);
    const { tensors } = await readHeader(source);
    const f = tensors.find(({ name }) => name === "f");
    const values = await source.read(f?.start ?? 0, f?.end ?? 0);
    expect((f?.start ?? 0) % 4).not.toBe(0);
    expect([...new Float32Array(values.slice().buffer)]).toEqual([1.5, -2.25]);
  });

  test("names come out as they stand in the file", async () => {
    const nameOf = async (id: string) => {
      const result = await outcome(readHostileFile(`safetensors/${id}.safetensors`));
      return result instanceof LabError ? result : result.tensors.map(({ name }) => name);
    };
    expect(await nameOf("name_empty")).toEqual([""]);
    expect(await nameOf("name_nfc_nfd")).toEqual(["caf\u00e9", "cafe\u0301"]);
    expect(await nameOf("name_has_own")).toEqual(["hasOwnProperty"]);
  });
});

describe("readHeader", () => {
  const entry = (fields: string): string => `{"a":{${fields}}}`;
  const one = '"dtype":"U8","shape":[4],"data_offsets":[0,4]';

  test.each([
    ["S05", "{} x", 0],
    ["S06", entry(`${one},"x":${"[".repeat(126)}${"]".repeat(126)}`), 4],
    ["S07", "1", 0],
    ["S08", '{"__metadata__":null}', 0],
    ["S08", '{"__metadata__":[]}', 0],
    ["S08", '{"__metadata__":{"a":1}}', 0],
    ["S08", '{"__metadata__":{},"__metadata__":{}}', 0],
    ["S08", '{"__metadata__":{"a":"1","a":"1"}}', 0],
    ["S09", '{"a":["U8",[4],[0,4]]}', 4],
    ["S09", entry('"dtype":"U8","shape":[4]'), 4],
    ["S09", entry(`${one},"dtype":"U8"`), 4],
    ["S10", entry('"dtype":"u8","shape":[4],"data_offsets":[0,4]'), 4],
    ["S10", entry('"dtype":"__proto__","shape":[4],"data_offsets":[0,4]'), 4],
    ["S11", entry('"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,4]'), 4],
    ["S11", entry('"dtype":"U8","shape":["4"],"data_offsets":[0,4]'), 4],
    ["S11", entry('"dtype":"U8","shape":[-0],"data_offsets":[0,0]'), 0],
    ["S12", entry('"dtype":"U8","shape":[4],"data_offsets":[]'), 4],
    ["S12", entry('"dtype":"U8","shape":[4],"data_offsets":{"0":0,"1":4}'), 4],
    ["S13", `{"a":{${one}},"a":{${one}}}`, 4],
    ["S14", entry('"dtype":"U8","shape":[4],"data_offsets":[1,5]'), 5],
    ["S14", `{"a":{${one}},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}`, 9],
    ["S14", `{"a":{${one}},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}`, 7],
    ["S15", entry('"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]'), 0],
    ["S16", entry('"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,4]'), 4],
    ["S17", entry('"dtype":"F6_E2M3","shape":[2],"data_offsets":[0,1]'), 1],
    ["S18", entry('"dtype":"U16","shape":[4],"data_offsets":[0,4]'), 4],
    ["S19", entry(one), 3],
    ["S19", entry(one), 5],
  ])("names rule %s for %s", async (rule, header, dataBytes) => {
    expect(await ruleOf(header, dataBytes)).toBe(rule);
  });

  test.each([
    ["leading white space", ' \n{"__metadata__":{}}', 0],
    ["127 nested containers", entry(`${one},"x":${"[".repeat(125)}${"]".repeat(125)}`), 4],
    ["a zero before a dimension that fits", entry('"dtype":"U8","shape":[0,9007199254740991],"data_offsets":[0,0]'), 0],
    ["entries in any order", `{"b":{"dtype":"U8","shape":[],"data_offsets":[4,5]},"a":{${one}}}`, 5],
    ["an unknown field", entry(`${one},"note":{"x":[1]}`), 4],
  ])("accepts %s", async (_, header, dataBytes) => {
    expect(await ruleOf(header, dataBytes)).toBe("accepted");
  });

  test.each([
    ["safetensors/duplicate-name", `{"a":{${one}},"a":{${one}}}`],
    ["safetensors/duplicate-key", entry(`${one},"note":1,"note":2`)],
    ["safetensors/duplicate-key", entry(`${one},"note":{"x":1,"x":1}`)],
    ["safetensors/duplicate-key", `{"__metadata__":{"a":"b","a":"b"},"a":{${one}}}`],
    ["safetensors/entry-as-list", '{"a":["U8",[4],[0,4]]}'],
    ["safetensors/dtype-as-object", entry('"dtype":{"U8":null},"shape":[4],"data_offsets":[0,4]')],
    ["safetensors/null-metadata", `{"__metadata__":null,"a":{${one}}}`],
    [
      "safetensors/dimension-too-large",
      `{"0":{"dtype":"U8","shape":[0,9007199254740992],"data_offsets":[0,0]},"a":{${one}}}`,
    ],
  ])("is stricter than the reference with %s for %s", async (code, header) => {
    expect(await outcome(fileOf(header, new Uint8Array(4)))).toMatchObject({ code });
    expect([...STRICTER.keys()]).toContain(code);
  });

  test("orders tensors by offset and counts from the start of the file", async () => {
    const header = `{"b":{"dtype":"U8","shape":[],"data_offsets":[4,5]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`;
    const result = await readHeader(createBufferSource("x", fileOf(header, new Uint8Array(5))));
    expect(result.dataStart).toBe(8 + header.length);
    expect(result.tensors).toEqual([
      { name: "a", dtype: "F32", shape: [1], start: 8 + header.length, end: 12 + header.length },
      { name: "b", dtype: "U8", shape: [], start: 12 + header.length, end: 13 + header.length },
    ]);
  });

  test("says that a Git LFS pointer is one", async () => {
    const result = await outcome(
      new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    );
    expect(result).toMatchObject({ code: "safetensors/header-too-long", found: expect.stringContaining("Git LFS") });
  });

  test("says by how much a file is truncated", async () => {
    const result = await outcome(fileOf('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', new Uint8Array(1)));
    expect(result).toMatchObject({
      code: "safetensors/truncated",
      found: expect.stringContaining("truncated by 3 bytes"),
    });
  });

  test("reads the length and the header and never data, however large the file claims to be", async () => {
    const bytes = fileOf('{"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}');
    const reads: [number, number][] = [];
    const source: ByteSource = {
      name: "large.safetensors",
      sizeBytes: bytes.length + 2 ** 40,
      async read(start, end) {
        reads.push([start, end]);
        return bytes.slice(start, end);
      },
    };
    const { tensors } = await readHeader(source);
    expect(tensors[0]?.end).toBe(bytes.length + 2 ** 40);
    expect(reads).toEqual([
      [0, 8],
      [8, bytes.length],
    ]);
  });

  test("does not read a header whose length is past the cap", async () => {
    const prefix = new Uint8Array(100);
    new DataView(prefix.buffer).setBigUint64(0, 100_000_001n, true);
    expect(await outcome(prefix)).toMatchObject({ code: "safetensors/header-too-long" });
  });

  test("reads 100 000 tensors in time", async () => {
    const entries = Array.from(
      { length: 100_000 },
      (_, i) => `"t${i}":{"dtype":"U8","shape":[1,1],"data_offsets":[${i},${i + 1}]}`,
    );
    const started = performance.now();
    const result = await outcome(fileOf(`{${entries.join(",")}}`, new Uint8Array(100_000)));
    expect(result).toHaveProperty("tensors.length", 100_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("answers every mutant of a good file with a header or a typed error", async () => {
    const good = fileOf(
      '{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"I32","shape":[],"data_offsets":[8,12]}}',
      new Uint8Array(12),
    );
    const edit = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.nat(4), async (edits, cut) => {
        const bytes = good.slice(0, good.length - (cut === 4 ? 4 : 0));
        for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
        const result = await outcome(bytes);
        if (result instanceof LabError) expect(result.fields.rule).toMatch(/^S[0-2][0-9]$/);
        else expect(result.tensors.at(-1)?.end ?? result.dataStart).toBe(bytes.length);
      }),
      { numRuns: 5000 },
    );
  });
});
