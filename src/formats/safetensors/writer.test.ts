import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../byte-source.ts";
import { bitsPerElement, DTYPE_NAMES, isDtypeName } from "./dtypes.ts";
import { readHeader } from "./header.ts";
import { planSafetensors, type SafetensorsPlan, type TensorToWrite } from "./writer.ts";

/** The planned file, its data left out: a header never asks for them. */
function sourceOf(plan: SafetensorsPlan): ByteSource {
  return {
    name: "planned.safetensors",
    sizeBytes: plan.sizeBytes,
    read: async (start, end) => plan.header.slice(start, end),
  };
}

const tensorShape = fc.array(fc.nat(5), { maxLength: 8 });
const tensorName = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "toString",
    "\u0000\u001b",
    "a.b",
    "\u202e",
    '"\\',
    "10",
    "1",
    "é",
    "e\u0301",
  ),
);

const tensors: fc.Arbitrary<readonly TensorToWrite[]> = fc.uniqueArray(
  fc
    .record({ name: tensorName, dtype: fc.constantFrom(...DTYPE_NAMES), shape: tensorShape })
    .map(({ name, dtype, shape }) => {
      const bits = shape.reduce((product, size) => product * size, bitsPerElement(dtype));
      // Elements below a byte come in groups of 8.
      return bits % 8 === 0
        ? { name, dtype, shape, sizeBytes: bits / 8 }
        : { name, dtype, shape: [...shape, 8], sizeBytes: bits };
    }),
  { selector: ({ name }) => name, maxLength: 12 },
);

describe("planSafetensors", () => {
  test("plans files that the reader accepts, tensors and metadata unchanged", async () => {
    const metadata = fc.option(
      fc.uniqueArray(fc.tuple(tensorName, tensorName), { selector: ([key]) => key, maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (wanted, pairs) => {
        const plan = planSafetensors(wanted, pairs === null ? undefined : new Map(pairs));
        expect(plan.header.length % 8).toBe(0);
        const header = await readHeader(sourceOf(plan));
        expect(header.dataStart).toBe(plan.header.length);
        expect([...header.metadata]).toEqual(pairs ?? []);
        expect(header.tensors).toHaveLength(wanted.length);
        const read = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
        plan.tensors.forEach((tensor, at) => {
          expect(tensor).toMatchObject({ name: wanted[at]?.name, dtype: wanted[at]?.dtype, shape: wanted[at]?.shape });
          expect(read.get(tensor.name)).toEqual(tensor);
        });
      }),
      { numRuns: 1000 },
    );
  });

  test("lays tensors out in the order given, the last one ending the file", () => {
    const plan = planSafetensors([
      { name: "b", dtype: "U8", shape: [3], sizeBytes: 3 },
      { name: "a", dtype: "F32", shape: [], sizeBytes: 4 },
    ]);
    const [first, second] = plan.tensors;
    expect(first).toMatchObject({ name: "b", start: plan.header.length });
    expect(second).toMatchObject({ name: "a", start: plan.header.length + 3, end: plan.sizeBytes });
    expect(new TextDecoder().decode(plan.header.subarray(8)).trimEnd()).toBe(
      '{"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"a":{"dtype":"F32","shape":[],"data_offsets":[3,7]}}',
    );
  });

  test("knows sizes past 4 GiB exactly", async () => {
    const plan = planSafetensors([
      { name: "a", dtype: "U8", shape: [2 ** 33 + 1], sizeBytes: 2 ** 33 + 1 },
      { name: "b", dtype: "U8", shape: [1], sizeBytes: 1 },
    ]);
    expect(plan.sizeBytes).toBe(plan.header.length + 2 ** 33 + 2);
    expect((await readHeader(sourceOf(plan))).tensors[1]?.end).toBe(plan.sizeBytes);
  });

  test.each<[string, TensorToWrite[]]>([
    ["a size that is not the shape's", [{ name: "a", dtype: "F16", shape: [2], sizeBytes: 2 }]],
    ["half a byte", [{ name: "a", dtype: "F4", shape: [1], sizeBytes: 1 }]],
    ["the name of the metadata", [{ name: "__metadata__", dtype: "U8", shape: [], sizeBytes: 1 }]],
    ["a negative dimension", [{ name: "a", dtype: "U8", shape: [-1, -1], sizeBytes: 1 }]],
    ["a lone surrogate", [{ name: "\ud800", dtype: "U8", shape: [], sizeBytes: 1 }]],
    [
      "a name twice",
      [
        { name: "a", dtype: "U8", shape: [], sizeBytes: 1 },
        { name: "a", dtype: "U8", shape: [], sizeBytes: 1 },
      ],
    ],
  ])("refuses %s", (_, wanted) => {
    expect(() => planSafetensors(wanted)).toThrow(expect.objectContaining({ code: "export/bad-tensor" }));
  });
});

test("there are 22 dtypes and names of Object.prototype are none", () => {
  expect(DTYPE_NAMES).toHaveLength(22);
  expect(["toString", "__proto__", "bf16", ""].filter(isDtypeName)).toEqual([]);
});
