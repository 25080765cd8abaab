import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { readHeader } from "../safetensors/header.ts";
import { planSafetensors } from "../safetensors/writer.ts";
import { createBufferSource } from "../sources/buffer-source.ts";
import {
  type ActivationStatisticsFile,
  decodeStatistics,
  encodeStatistics,
  type ModuleStatistics,
} from "./statistics-file.ts";

const HASH = "0123456789abcdef".repeat(4);
const OTHER_HASH = "fedcba9876543210".repeat(4);

function moduleOf(width: number, rows: number): ModuleStatistics {
  const ramp = (scale: number) => Float64Array.from({ length: width }, (_, channel) => scale * (channel + 1));
  return {
    rows,
    absMax: ramp(4),
    min: ramp(-4),
    max: ramp(3),
    meanAbs: ramp(1.5),
    meanSquare: ramp(2.25),
    mean: ramp(-0.125),
    meanCube: ramp(-1),
    meanFourth: ramp(5),
  };
}

const usual: ActivationStatisticsFile = {
  model: "tiny",
  modelSha256: HASH,
  text: "bundled slices",
  textSha256: OTHER_HASH,
  tokens: 100,
  modules: new Map([
    ["model.layers.0.mlp.up_proj", moduleOf(3, 100)],
    ["model.layers.0.mlp.experts.1.up_proj", moduleOf(2, 17)],
  ]),
};

function decode(bytes: Uint8Array): Promise<ActivationStatisticsFile> {
  return decodeStatistics(createBufferSource("statistics.safetensors", bytes));
}

/** The code of what it is refused with. */
async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    await decode(bytes);
  } catch (error) {
    if (error instanceof LabError) return error.code;
    throw error;
  }
  return "accepted";
}

const METADATA = {
  format: "quantlab-activation-statistics",
  schema_version: "1",
  model: "tiny",
  model_sha256: HASH,
  text: "bundled slices",
  text_sha256: OTHER_HASH,
  tokens: "100",
};

/** A tensor to be written. */
interface Part {
  readonly dtype: "F64" | "I64" | "F32";
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Tensors of a file by their names. */
async function partsOf(bytes: Uint8Array): Promise<readonly (readonly [string, Part])[]> {
  const { tensors } = await readHeader(createBufferSource("statistics.safetensors", bytes));
  return tensors.map(({ name, dtype, shape, start, end }) => [
    name,
    { dtype: dtype as Part["dtype"], shape, bytes: bytes.slice(start, end) },
  ]);
}

/** A safetensors file of these tensors, in this order; what is undefined is left out. */
function written(
  parts: Iterable<readonly [string, Part | undefined]>,
  metadata: Readonly<Record<string, string | undefined>> = {},
): Uint8Array {
  const kept = [...parts].flatMap(([name, part]) => (part ? [{ name, ...part, sizeBytes: part.bytes.length }] : []));
  const texts = Object.entries({ ...METADATA, ...metadata });
  const plan = planSafetensors(
    kept,
    new Map(texts.flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]))),
  );
  const file = new Uint8Array(plan.sizeBytes);
  file.set(plan.header);
  for (const [index, { start }] of plan.tensors.entries()) file.set(kept[index]?.bytes ?? [], start);
  return file;
}

/** The usual file with other metadata or tensors. */
async function changed(
  metadata: Readonly<Record<string, string | undefined>>,
  tensors: Readonly<Record<string, Part | undefined>> = {},
): Promise<Uint8Array> {
  return written(new Map([...(await partsOf(encodeStatistics(usual))), ...Object.entries(tensors)]), metadata);
}

const floats = (...values: number[]): Part => ({
  dtype: "F64",
  shape: [values.length],
  bytes: new Uint8Array(Float64Array.from(values).buffer),
});
const integers = (...values: bigint[]): Part => ({
  dtype: "I64",
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values).buffer),
});

const LAYER = "model.layers.0.mlp.up_proj";

describe("a file of statistics", () => {
  test("has the tensors and metadata that it is said to have", async () => {
    const bytes = encodeStatistics(usual);
    const { tensors, metadata } = await readHeader(createBufferSource("a", bytes));
    expect(Object.fromEntries(metadata)).toEqual(METADATA);
    const suffixes = ["absmax", "min", "max", "mean_abs", "mean_square", "mean", "mean_cube", "mean_fourth"];
    const expert = "model.layers.0.mlp.experts.1.up_proj";
    expect(tensors.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`)).toEqual([
      ...suffixes.map((suffix) => `${LAYER}.${suffix} F64 [3]`),
      ...suffixes.map((suffix) => `${expert}.${suffix} F64 [2]`),
      `${expert}.rows I64 [1]`,
    ]);
    const square = tensors.find(({ name }) => name === `${LAYER}.mean_square`);
    expect(new Float64Array(bytes.slice(square?.start, square?.end).buffer)).toEqual(Float64Array.of(2.25, 4.5, 6.75));
  });

  test("is read as it was written", async () => {
    expect(await decode(encodeStatistics(usual))).toEqual(usual);
  });

  test("is read with tensors in any order, rows that are the tokens, and metadata of other tools", async () => {
    const bytes = await changed({ tool: "another" }, { [`${LAYER}.rows`]: integers(100n) });
    expect(await decode(bytes)).toEqual(usual);
    const { [`${LAYER}.absmax`]: absMax, ...others } = Object.fromEntries(await partsOf(encodeStatistics(usual)));
    expect(await decode(written([...Object.entries(others), [`${LAYER}.absmax`, absMax]]))).toEqual(usual);
  });

  test("comes back from any statistics", async () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const positive = finite.map(Math.abs);
    const module = fc.integer({ min: 1, max: 5 }).chain((width): fc.Arbitrary<ModuleStatistics> => {
      const values = (of: fc.Arbitrary<number>) =>
        fc.array(of, { minLength: width, maxLength: width }).map((all) => Float64Array.from(all));
      return fc.record({
        rows: fc.integer({ min: 1, max: 4 }),
        absMax: values(positive),
        min: values(finite),
        max: values(finite),
        meanAbs: values(positive),
        meanSquare: values(positive),
        mean: values(finite),
        meanCube: values(finite),
        meanFourth: values(positive),
      });
    });
    const name = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", ".", "a.rows", "a.rows.absmax", "__proto__"),
    );
    const hash = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
    const file = fc.record({
      model: name,
      modelSha256: hash,
      text: name,
      textSha256: hash,
      tokens: fc.integer({ min: 1, max: 4 }),
      modules: fc
        .uniqueArray(fc.tuple(name, module), { selector: ([own]) => own, maxLength: 4 })
        .map((modules) => new Map(modules)),
    });
    await fc.assert(
      fc.asyncProperty(file, async (statistics) => {
        const decoded = await decode(encodeStatistics(statistics));
        expect(decoded).toEqual(statistics);
        expect([...decoded.modules.keys()]).toEqual([...statistics.modules.keys()]);
      }),
    );
  });
});

describe("refused is", () => {
  test.each([
    ["another format", { format: "pt" }, "statistics/not-statistics"],
    ["no format", { format: undefined }, "statistics/not-statistics"],
    ["an unknown version", { schema_version: "2" }, "statistics/unknown-version"],
    ["no version", { schema_version: undefined }, "statistics/bad-metadata"],
    ["no model", { model: undefined }, "statistics/bad-metadata"],
    ["no fingerprint", { model_sha256: undefined }, "statistics/bad-metadata"],
    ["a fingerprint that is none", { model_sha256: HASH.toUpperCase() }, "statistics/bad-metadata"],
    ["a hash that is none", { text_sha256: "" }, "statistics/bad-metadata"],
    ["no count of tokens", { tokens: undefined }, "statistics/bad-metadata"],
    ["no tokens", { tokens: "0" }, "statistics/bad-count"],
    ["half a token", { tokens: "0.5" }, "statistics/bad-count"],
    ["more tokens than a number tells apart", { tokens: "9007199254740993" }, "statistics/bad-count"],
  ])("%s", async (_what, metadata, code) => {
    expect(await refusal(await changed(metadata))).toBe(code);
  });

  test.each([
    ["a statistic that is missing", { [`${LAYER}.mean_cube`]: undefined }, "statistics/missing-tensor"],
    ["a tensor that is no statistic", { [`${LAYER}.median`]: floats(1, 2, 3) }, "statistics/unknown-tensor"],
    ["a tensor without a module", { absmax: floats(1) }, "statistics/unknown-tensor"],
    ["rows without a module's statistics", { "other.rows": integers(1n) }, "statistics/missing-tensor"],
    ["another length", { [`${LAYER}.mean`]: floats(1, 2) }, "statistics/lengths-differ"],
    ["no channels", { "other.absmax": floats(), ...none("other") }, "statistics/bad-tensor"],
    [
      "another element type",
      { [`${LAYER}.min`]: { ...floats(1, 2), dtype: "F32", shape: [4] } },
      "statistics/bad-tensor",
    ],
    ["another shape", { [`${LAYER}.min`]: { ...floats(1, 2, 3), shape: [3, 1] } }, "statistics/bad-tensor"],
    ["a scalar", { [`${LAYER}.min`]: { ...floats(1), shape: [] } }, "statistics/bad-tensor"],
    ["two numbers of rows", { [`${LAYER}.rows`]: integers(1n, 2n) }, "statistics/bad-tensor"],
    ["rows as floats", { [`${LAYER}.rows`]: floats(5) }, "statistics/bad-tensor"],
    ["no rows", { [`${LAYER}.rows`]: integers(0n) }, "statistics/bad-count"],
    ["rows beyond 2^53", { [`${LAYER}.rows`]: integers(2n ** 53n) }, "statistics/bad-count"],
    ["a NaN", { [`${LAYER}.mean`]: floats(1, Number.NaN, 3) }, "statistics/bad-value"],
    ["an infinity", { [`${LAYER}.max`]: floats(1, 2, Number.POSITIVE_INFINITY) }, "statistics/bad-value"],
    ["a negative magnitude", { [`${LAYER}.absmax`]: floats(-1, 2, 3) }, "statistics/bad-value"],
    ["a negative mean of magnitudes", { [`${LAYER}.mean_abs`]: floats(1, 2, -3) }, "statistics/bad-value"],
    ["a negative mean of squares", { [`${LAYER}.mean_square`]: floats(-1e-300, 2, 3) }, "statistics/bad-value"],
    ["a negative mean of fourth powers", { [`${LAYER}.mean_fourth`]: floats(1, -2, 3) }, "statistics/bad-value"],
  ] satisfies readonly [string, Readonly<Record<string, Part | undefined>>, string][])(
    "%s",
    async (_what, tensors, code) => {
      expect(await refusal(await changed({}, tensors))).toBe(code);
    },
  );

  test("a file too large to be held, before it is read", async () => {
    const source = { name: "a", sizeBytes: 2 ** 30 + 1, read: () => Promise.reject(new Error("was read")) };
    await expect(decodeStatistics(source)).rejects.toMatchObject({ code: "statistics/too-large" });
  });

  test("more modules than a header can name, when written", () => {
    const own = moduleOf(1, 100);
    const modules = new Map(Array.from({ length: 30_001 }, (_, index) => [`${index}`, own]));
    expect(() => encodeStatistics({ ...usual, modules })).toThrow("30001 modules");
  });

  test("anything that could not be read back, when written", () => {
    const bad = (module: Partial<ModuleStatistics>) => () =>
      encodeStatistics({ ...usual, modules: new Map([["a", { ...moduleOf(2, 100), ...module }]]) });
    expect(bad({ mean: Float64Array.of(1) })).toThrow("1 channels, where absmax has 2");
    expect(bad({ meanFourth: Float64Array.of(1, Number.POSITIVE_INFINITY) })).toThrow("Infinity of channel 1");
    expect(bad({ meanAbs: Float64Array.of(-1, 1) })).toThrow("-1 of channel 0");
    expect(bad({ rows: 0 })).toThrow("a.rows of 0");
    expect(() => encodeStatistics({ ...usual, tokens: 1.5 })).toThrow("tokens of 1.5");
    expect(() => encodeStatistics({ ...usual, modelSha256: "x" })).toThrow('"x" as model_sha256');
    expect(() => encodeStatistics({ ...usual, model: "\ud800" })).toThrow(LabError);
    expect(() => encodeStatistics({ ...usual, modules: new Map([["\ud800", moduleOf(1, 100)]]) })).toThrow(LabError);
  });

  test("garbage, with an error of the lab and never another", async () => {
    const bytes = encodeStatistics(usual);
    const place = fc.nat(bytes.length - 1);
    const damage = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(damage, fc.uint8Array({ maxLength: 200 })), async (how) => {
        const own = how instanceof Uint8Array ? how : bytes.slice();
        if (!(how instanceof Uint8Array)) for (const [at, value] of how) own[at] = value;
        // Throws what is no error of the lab.
        await refusal(own);
      }),
      { numRuns: 1000 },
    );
    await fc.assert(
      fc.asyncProperty(place, async (end) => {
        expect(await refusal(bytes.slice(0, end))).not.toBe("accepted");
      }),
    );
  });
});

/** The other statistics of a module without channels. */
function none(module: string): Readonly<Record<string, Part>> {
  const suffixes = ["min", "max", "mean_abs", "mean_square", "mean", "mean_cube", "mean_fourth"];
  return Object.fromEntries(suffixes.map((suffix) => [`${module}.${suffix}`, floats()]));
}
