import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { encodeGguf, type GgufTensorToWrite, type ValueToWrite } from "../gguf/writer.ts";
import { createBufferSource } from "../sources/buffer-source.ts";
import { decodeImatrix, encodeImatrix, type ImatrixToWrite } from "./imatrix-file.ts";

const decode = (bytes: Uint8Array) => decodeImatrix(createBufferSource("a.gguf", bytes));

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await decode(bytes);
    return "accepted";
  } catch (thrown) {
    if (thrown instanceof LabError) return thrown.code;
    throw thrown;
  }
}

/** What `make.py` puts where. */
function numbers(width: number, matrices: number, first: number): Float32Array {
  return Float32Array.from({ length: width * matrices }, (_, at) => (at % 61) / 8 + first);
}

const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/golden/imatrix/${name}.gguf`, import.meta.url)));

describe("importance matrices that llama.cpp's package wrote", () => {
  test("of a dense model are read, and written again to the byte", async () => {
    const bytes = golden("llama");
    const file = await decode(bytes);
    expect(file.datasets).toEqual(["calibration text.txt"]);
    expect(file.chunks).toEqual({ count: 2, sizeTokens: 256 });
    expect(file.entries.size).toBe(14);
    for (const [index, [name, { counts, sums }]] of [...file.entries].entries()) {
      expect(counts).toEqual([512]);
      expect(sums).toEqual(numbers(name.includes("ffn_down") ? 176 : 64, 1, index));
    }
    expect(encodeImatrix({ ...file, chunks: { count: 2, sizeTokens: 256 } })).toEqual(bytes);
  });

  test("of experts are read matrix by matrix", async () => {
    const { entries, datasets } = await decode(golden("mixtral"));
    expect(datasets).toEqual(["one.txt", "zwei – ü.txt"]);
    const index = [...entries.keys()].indexOf("blk.0.ffn_up_exps.weight");
    const expected = numbers(64, 4, index);
    expected.fill(0, 3 * 64);
    expect(entries.get("blk.0.ffn_up_exps.weight")).toEqual({ counts: [96, 32, 128, 0], sums: expected });
    expect(entries.get("blk.0.ffn_gate_inp.weight")?.counts).toEqual([128]);
  });
});

const usual: ImatrixToWrite = {
  datasets: ["a.txt"],
  chunks: { count: 2, sizeTokens: 128 },
  entries: new Map([
    ["blk.0.attn_q.weight", { counts: [256], sums: Float32Array.of(1, 2, 3) }],
    ["blk.0.ffn_up_exps.weight", { counts: [10, 0], sums: Float32Array.of(4, 5, 0, 0) }],
  ]),
};

test("an importance matrix is read as it was written", async () => {
  expect(await decode(encodeImatrix(usual))).toEqual(usual);
  const sum = fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.fround);
  const entry = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })).chain(([matrices, width]) =>
    fc.record({
      counts: fc.array(fc.integer({ min: 1, max: 2 ** 24 }), { minLength: matrices, maxLength: matrices }),
      sums: fc
        .array(sum, { minLength: matrices * width, maxLength: matrices * width })
        .map((all) => Float32Array.from(all, (own) => own + 0)),
    }),
  );
  const entries = fc
    .uniqueArray(fc.tuple(fc.string({ maxLength: 12 }), entry), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: 4,
    })
    .map((all) => new Map(all.toSorted(([a], [b]) => (a < b ? -1 : 1))));
  await fc.assert(
    fc.asyncProperty(entries, async (own) => {
      expect(await decode(encodeImatrix({ ...usual, entries: own }))).toEqual({ ...usual, entries: own });
    }),
  );
});

const TYPE: readonly [string, ValueToWrite] = ["general.type", "imatrix"];
const tensor = (name: string, shape: readonly number[], ...values: number[]): GgufTensorToWrite => ({
  name,
  shape,
  values: Float32Array.from(values),
});
const counts = tensor("a.counts", [1], 4);
const sums = tensor("a.in_sum2", [2], 1, 2);
const written = (tensors: readonly GgufTensorToWrite[], ...pairs: (readonly [string, ValueToWrite])[]) =>
  encodeGguf(new Map(pairs.length > 0 ? pairs : [TYPE]), tensors);

test("what newer versions write beside the sums is passed over", async () => {
  const { entries, chunks } = await decode(
    written([tensor("a.in_sum", [2], -1, 1), sums, counts, tensor("b", [1], Number.NaN)]),
  );
  expect(chunks).toBeNull();
  expect([...entries]).toEqual([["a", { counts: [4], sums: Float32Array.of(1, 2) }]]);
});

test("counts that float32 has rounded are whole again", async () => {
  expect((await decode(written([sums, tensor("a.counts", [1], 3.75)]))).entries.get("a")?.counts).toEqual([4]);
});

describe("refused is", () => {
  test.each<[string, Uint8Array, string]>([
    ["a model", written([sums, counts], ["general.type", "model"]), "imatrix/not-imatrix"],
    ["a file of no type", written([sums, counts], ["general.name", "x"]), "imatrix/not-imatrix"],
    ["a file without sums", written([]), "imatrix/no-entries"],
    ["sums without counts", written([sums]), "imatrix/missing-tensor"],
    ["counts without sums", written([counts]), "imatrix/missing-tensor"],
    ["a count too many", written([sums, tensor("a.counts", [1, 2], 1, 1)]), "imatrix/bad-tensor"],
    [
      "counts in rows",
      written([tensor("a.in_sum2", [2, 2], 1, 1, 1, 1), tensor("a.counts", [2, 1], 1, 1)]),
      "imatrix/bad-tensor",
    ],
    ["no channels", written([tensor("a.in_sum2", [0]), counts]), "imatrix/bad-tensor"],
    ["no matrices", written([tensor("a.in_sum2", [2, 0]), tensor("a.counts", [1, 0])]), "imatrix/bad-tensor"],
    ["a NaN", written([tensor("a.in_sum2", [2], 1, Number.NaN), counts]), "imatrix/bad-value"],
    ["an infinity", written([tensor("a.in_sum2", [2], 1, Number.POSITIVE_INFINITY), counts]), "imatrix/bad-value"],
    ["a negative sum", written([tensor("a.in_sum2", [2], 1, -1), counts]), "imatrix/bad-value"],
    ["a sum of nothing", written([sums, tensor("a.counts", [1], 0)]), "imatrix/bad-value"],
    ["a negative count", written([sums, tensor("a.counts", [1], -1)]), "imatrix/bad-count"],
    ["a count that is none", written([sums, tensor("a.counts", [1], Number.NaN)]), "imatrix/bad-count"],
    ["a count beyond 2^53", written([sums, tensor("a.counts", [1], 1e30)]), "imatrix/bad-count"],
    ["one dataset", written([sums, counts], TYPE, ["imatrix.datasets", "a"]), "imatrix/bad-metadata"],
    [
      "a chunk size in words",
      written([sums, counts], TYPE, ["imatrix.chunk_count", 1], ["imatrix.chunk_size", "x"]),
      "imatrix/bad-metadata",
    ],
  ])("%s", async (_what, bytes, code) => {
    expect(await codeOf(bytes)).toBe(code);
  });

  test("sums of another type", async () => {
    const bytes = written([sums, counts]);
    // The type of the first tensor stands behind its name and its one dimension.
    const at = new TextDecoder("latin1").decode(bytes).indexOf("a.in_sum2") + "a.in_sum2".length + 4 + 8;
    bytes[at] = 26;
    expect(await codeOf(bytes)).toBe("imatrix/bad-tensor");
  });

  test("a file too large to be held, before it is read", async () => {
    const source = { name: "a", sizeBytes: 2 ** 30 + 1, read: () => Promise.reject(new Error("was read")) };
    await expect(decodeImatrix(source)).rejects.toMatchObject({ code: "imatrix/too-large" });
  });

  test("anything that could not be read back, when written", () => {
    const bad = (own: { counts: number[]; sums: Float32Array }) => () =>
      encodeImatrix({ ...usual, entries: new Map([["a", own]]) });
    expect(bad({ counts: [1], sums: Float32Array.of(Number.POSITIVE_INFINITY) })).toThrow("Infinity of channel 0");
    expect(bad({ counts: [1, 1], sums: Float32Array.of(1) })).toThrow("1 sums of 2 matrices");
    expect(bad({ counts: [0.5], sums: Float32Array.of(1) })).toThrow("0.5 of matrix 0");
    expect(() => encodeImatrix({ ...usual, chunks: { count: 2 ** 32, sizeTokens: 1 } })).toThrow("4294967296");
  });

  test("garbage, with an error of the lab and never another", async () => {
    const good = encodeImatrix(usual);
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(edits, async (places) => {
        const bytes = good.slice();
        for (const [at, value] of places) bytes[at] = value;
        await codeOf(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
