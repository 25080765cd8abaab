import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryOutput } from "../../tests/support/memory-output.ts";
import { LabError } from "../base/errors.ts";
import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import { isJsonObject, parseJson } from "../base/json.ts";
import { SeededRandom } from "../base/random.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import type { Folder } from "../formats/byte-source.ts";
import { openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { planSafetensors } from "../formats/safetensors/writer.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import type { CompareRequest, DeviceChoice } from "./api.ts";
import { createEngine } from "./engine.ts";
import type { CompareResult, Progress } from "./result.ts";

const IGNORE = ["lm_head", "re:.*embed_tokens"];
const REQUEST: CompareRequest = {
  schemes: ["W4A16", "W8A8"],
  arithmetic: "eager",
  ignore: IGNORE,
  plan: { gpu: "L4 24 GB", contextTokens: 512, sequences: 1 },
  throughput: false,
};

function diskFolder(path: string): Folder {
  const files = readdirSync(path).map(
    (name) => [name, createBufferSource(name, readFileSync(`${path}/${name}`))] as const,
  );
  return { name: path.slice(path.lastIndexOf("/") + 1), files: new Map(files) };
}

const ELEMENT_OF = { BF16: "bf16", F16: "f16", F32: "f32" } as const satisfies Record<string, FloatName>;

/** A checkpoint of random matrices, with a config.json. */
function madeFolder(
  tensors: readonly { name: string; shape: readonly number[]; dtype?: "BF16" | "F16" | "F32" | "I8" }[],
): Folder {
  const random = new SeededRandom(7);
  const bytesOf = (dtype: string) => ({ BF16: 2, F16: 2, F32: 4, I8: 1 })[dtype] ?? 0;
  const plan = planSafetensors(
    tensors.map(({ name, shape, dtype = "BF16" }) => ({
      name,
      dtype,
      shape,
      sizeBytes: shape.reduce((product, size) => product * size, bytesOf(dtype)),
    })),
  );
  const file = new Uint8Array(plan.sizeBytes);
  file.set(plan.header);
  const view = new DataView(file.buffer);
  for (const { dtype, start, end } of plan.tensors) {
    if (dtype !== "BF16" && dtype !== "F16" && dtype !== "F32") continue;
    const format = FLOAT_FORMATS[ELEMENT_OF[dtype]];
    for (let at = start; at < end; at += format.sizeBytes) {
      const bits = format.toBits(random.nextNormal() * 0.02);
      if (format.sizeBytes === 2) view.setUint16(at, bits, true);
      else view.setUint32(at, bits, true);
    }
  }
  return {
    name: "made",
    files: new Map([
      ["model.safetensors", createBufferSource("model.safetensors", file)],
      ["config.json", createBufferSource("config.json", new TextEncoder().encode('{"model_type":"odd"}'))],
    ]),
  };
}

async function engineOn(folder: Folder, device: DeviceChoice = "reference", gpu: GPU | null = null) {
  const engine = createEngine({ gpu, wasm: null, device, now: () => performance.now(), store: createMemoryStore() });
  const summary = await engine.open(folder);
  return { engine, summary };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LabError) return error.code;
    throw error;
  }
  return "no error";
}

const bundled = () => diskFolder("fixtures/models/quantlab-4m");

test.each(["W4A16", "W8A16", "W8A8"])(
  "%s of the corner model is what the real tool wrote, tensor by tensor",
  async (scheme) => {
    const { engine } = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"));
    const output = createMemoryOutput();
    await engine.quantize({ scheme, arithmetic: "eager", ignore: IGNORE }, output);
    const [golden, written] = await Promise.all([
      openCheckpoint(diskFolder(`fixtures/golden/corner-bf16/${scheme}`)),
      openCheckpoint({
        name: "written",
        files: new Map([...output.files].map(([name, bytes]) => [name, createBufferSource(name, bytes)])),
      }),
    ]);
    const bytesOf = async (checkpoint: typeof golden) => {
      const entries = await Promise.all(
        checkpoint.tensors.map(async ({ name, dtype, shape, shard, start, end }) => {
          const bytes = await checkpoint.shards[shard]?.source.read(start, end);
          return [name, { dtype, shape, hex: Buffer.from(bytes ?? []).toString("hex") }] as const;
        }),
      );
      return Object.fromEntries(entries);
    };
    expect(await bytesOf(written)).toEqual(await bytesOf(golden));
    // The config in meaning: the same keys and values, its version aside.
    const config = (checkpoint: typeof golden) => plain(checkpoint.config?.get("quantization_config") ?? null);
    expect(config(written)).toEqual(config(golden));
  },
);

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null && "text" in value ? Number(value.text) : value;
}

test("sizes printed are sizes written, untouched tensors and files are copied byte for byte", async () => {
  const folder = diskFolder("fixtures/models/quantlab-4m-loud");
  const { engine } = await engineOn(folder);
  const compared = await engine.compare(REQUEST);
  for (const row of compared.schemes) {
    const output = createMemoryOutput();
    const result = await engine.quantize({ scheme: row.scheme, arithmetic: "eager", ignore: IGNORE }, output);
    const weights = [...output.files].filter(([name]) => name.endsWith(".safetensors"));
    expect(weights.reduce((sum, [, bytes]) => sum + bytes.byteLength, 0)).toBe(row.fileBytes.value);
    expect(result.fileBytes.value).toBe(row.fileBytes.value);
    expect(result.files.map(({ name, sizeBytes }) => [name, sizeBytes]).sort()).toEqual(
      [...output.files].map(([name, bytes]) => [name, bytes.byteLength]).sort(),
    );
    const tokenizer = readFileSync("fixtures/models/quantlab-4m-loud/tokenizer.json");
    expect(Buffer.from(output.files.get("tokenizer.json") ?? []).equals(tokenizer)).toBe(true);
    const index = parseJson(output.files.get("model.safetensors.index.json") ?? new Uint8Array(), "index");
    expect(isJsonObject(index)).toBe(true);
  }
});

test("a comparison says where every number comes from, and grows matrix by matrix", async () => {
  const { engine } = await engineOn(bundled());
  const partial: CompareResult[] = [];
  const progress: Progress[] = [];
  const result = await engine.compare(REQUEST, {
    onPartial: (value) => partial.push(value),
    onProgress: (value) => progress.push(value),
  });
  expect(result).toMatchObject({ outcome: "done", finished: true, arithmetic: "eager", ignore: IGNORE });
  expect(result.schemes.map(({ scheme, layers, modules }) => [scheme, layers.length, modules])).toEqual([
    ["W4A16", 28, 28],
    ["W8A8", 28, 28],
  ]);
  const [w4] = result.schemes;
  expect(w4?.fileBytes.kind).toBe("computed");
  expect(w4?.relativeMse).toMatchObject({ kind: "measured", unit: "ratio", samples: 2_621_440 + 524_288 });
  expect(w4?.fit.usableBytes.kind).toBe("looked-up");
  const exactness = Object.fromEntries(result.kernels.map((report) => [report.kernel, report.exactness]));
  expect(exactness).toEqual({
    "stats/min_max": "bit-exact",
    "quant/int_qparams": "bit-exact",
    "quant/int_error": "tolerance",
  });
  expect(result.kernels.every(({ device, fallback }) => device === "reference" && fallback === null)).toBe(true);
  expect(partial.every(({ finished }) => !finished)).toBe(true);
  expect(progress.at(-1)).toMatchObject({ doneItems: 27, totalItems: 28 });
  expect(progress.every((event, at) => event.doneBytes >= (progress[at - 1]?.doneBytes ?? 0))).toBe(true);
});

test("kernel speeds have a sample count, a spread and a share of the copy roof", async () => {
  const { engine } = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"));
  const { throughput, kernels } = await engine.compare({ ...REQUEST, throughput: true });
  expect(throughput.map(({ kernel, scheme }) => [kernel, scheme])).toContainEqual(["quant/int_quantize", "W8A8"]);
  for (const row of throughput) {
    const { value, samples, spread } = row.bytesPerSecond;
    expect(samples).toBe(5);
    expect(spread && spread.min <= value && value <= spread.max).toBe(true);
  }
  expect(throughput[0]?.shareOfCopyRoof.value).toBe(1);
  expect(kernels.map(({ kernel }) => kernel)).toContain("measure/copy");
});

test("a matrix that a scheme cannot take has its own error; the others stand, and export is refused", async () => {
  const folder = madeFolder([
    { name: "layers.0.a.weight", shape: [8, 256] },
    { name: "layers.0.b.weight", shape: [8, 100] },
    { name: "layers.0.c.weight", shape: [8, 128], dtype: "I8" },
    { name: "final_norm.weight", shape: [128] },
  ]);
  const { engine } = await engineOn(folder);
  const result = await engine.compare(REQUEST);
  const codes = result.schemes.map((row) =>
    Object.fromEntries(row.layers.map((layer) => [layer.module, layer.error?.code ?? null])),
  );
  expect(codes).toEqual([
    { "layers.0.a": null, "layers.0.b": "scheme/group-does-not-divide", "layers.0.c": "scheme/unsupported-dtype" },
    { "layers.0.a": null, "layers.0.b": null, "layers.0.c": "scheme/unsupported-dtype" },
  ]);
  const output = createMemoryOutput();
  expect(await codeOf(engine.quantize({ scheme: "W4A16", arithmetic: "eager", ignore: [] }, output))).toBe(
    "export/refused-matrices",
  );
  expect(output.files.size).toBe(0);
  const ignoring = { scheme: "W4A16", arithmetic: "eager", ignore: ["layers.0.b", "layers.0.c"] } as const;
  expect(await codeOf(engine.quantize(ignoring, createMemoryOutput()))).toBe("no error");
});

test("static activations are laid out, and refused by an export, which has no text to run", async () => {
  const { engine } = await engineOn(madeFolder([{ name: "layers.0.a.weight", shape: [8, 64] }]));
  const bytesOf = async (scheme: string) =>
    (await engine.compare({ ...REQUEST, schemes: [scheme] })).schemes[0]?.layers[0]?.storedBytes;
  const [dynamic, fixed] = [
    await bytesOf("int8:channel/int8:tensor"),
    await bytesOf("int8:channel/int8:tensor:static"),
  ];
  expect([dynamic, fixed]).toEqual([8 * 64 + 8 * 2, 8 * 64 + 8 * 2 + 2]);
  const output = createMemoryOutput();
  const request = { scheme: "int8:channel/int8:tensor:static", arithmetic: "eager", ignore: [] } as const;
  expect(await codeOf(engine.quantize(request, output))).toBe("scheme/needs-calibration");
  expect(output.files.size).toBe(0);
});

test("cancelling at any tile or write ends with run/cancelled and leaves nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 60 }), async (steps) => {
      const { engine } = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"));
      const controller = new AbortController();
      let seen = 0;
      const onProgress = () => {
        if (seen++ === steps) controller.abort();
      };
      const output = createMemoryOutput();
      const code = await codeOf(
        engine.quantize({ scheme: "W4A16", arithmetic: "eager", ignore: IGNORE }, output, {
          onProgress,
          signal: controller.signal,
        }),
      );
      expect(code).toBe(seen > steps ? "run/cancelled" : "no error");
      if (code === "run/cancelled") expect(output.files.size).toBe(0);
    }),
    { numRuns: 25 },
  );
});

test("tiles do not show: a matrix of several tiles has the bytes of its rows quantized apart", async () => {
  const cols = 1024;
  const rows = createReferenceDevice().tileBytes / (2 * cols) + 5;
  const folder = madeFolder([{ name: "big.weight", shape: [rows, cols] }]);
  const { engine } = await engineOn(folder);
  const whole = createMemoryOutput();
  await engine.quantize({ scheme: "W8A8", arithmetic: "triton", ignore: [] }, whole);
  const source = folder.files.get("model.safetensors");
  if (!source) throw new Error("no file");
  const last = await source.read(source.sizeBytes - 2 * cols * 3, source.sizeBytes);
  const tail = madeFolder([{ name: "big.weight", shape: [3, cols] }]);
  const tailFile = await (tail.files
    .get("model.safetensors")
    ?.read(0, tail.files.get("model.safetensors")?.sizeBytes ?? 0) ?? Promise.reject(new Error("no file")));
  tailFile.set(last, tailFile.byteLength - last.byteLength);
  const { engine: small } = await engineOn({
    name: "tail",
    files: new Map([...tail.files, ["model.safetensors", createBufferSource("model.safetensors", tailFile)]]),
  });
  const part = createMemoryOutput();
  await small.quantize({ scheme: "W8A8", arithmetic: "triton", ignore: [] }, part);
  const codes = async (output: ReturnType<typeof createMemoryOutput>) => {
    const files = new Map([...output.files].map(([name, bytes]) => [name, createBufferSource(name, bytes)]));
    const checkpoint = await openCheckpoint({ name: "x", files });
    const tensor = checkpoint.tensors.find(({ name }) => name === "big.weight");
    return Buffer.from(
      (await checkpoint.shards[0]?.source.read((tensor?.end ?? 0) - 3 * cols, tensor?.end ?? 0)) ?? [],
    );
  };
  expect((await codes(whole)).equals(await codes(part))).toBe(true);
});

test("without WebGPU auto says so and uses the CPU, gpu refuses", async () => {
  const auto = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"), "auto");
  const { kernels } = await auto.engine.compare(REQUEST);
  const fallback = "this environment has none; none, since this host starts none";
  expect(kernels[0]).toMatchObject({ device: "reference", fallback, choice: null });
  const { engine } = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"), "gpu");
  expect(await codeOf(engine.compare(REQUEST))).toBe("device/no-webgpu");
  const noAdapter = { requestAdapter: async () => null } as unknown as GPU;
  const other = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"), "gpu", noAdapter);
  expect(await codeOf(other.engine.compare(REQUEST))).toBe("device/no-adapter");
});

test("a quantized checkpoint can be inspected and is not quantized again", async () => {
  const { engine, summary } = await engineOn(diskFolder("fixtures/golden/corner-bf16/W4A16"));
  expect(summary.notices.map(({ code }) => code)).toContain("model/quantized");
  const request = { scheme: "W4A16", arithmetic: "eager", ignore: [] } as const;
  expect(await codeOf(engine.quantize(request, createMemoryOutput()))).toBe("export/already-quantized");
});

test("the levels of a sheet count every weight once, on them and between them", async () => {
  const { engine } = await engineOn(bundled());
  for (const scheme of ["W4A16", "W8A8"]) {
    const request = { scheme, arithmetic: "eager", ignore: IGNORE } as const;
    const { levels } = await engine.sheet("model.layers.0.mlp.down_proj", request);
    const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
    expect(total(levels?.weights ?? [])).toBe(256 * 768);
    expect(total(levels?.codes ?? [])).toBe(256 * 768);
    expect(levels?.codes).toHaveLength(scheme === "W4A16" ? 16 : 256);
  }
  expect(await codeOf(engine.sheet("nowhere", { scheme: "W4A16", arithmetic: "eager", ignore: [] }))).toBe(
    "scheme/unknown-module",
  );
});

test("a tied head that is not ignored is exported with a warning, as the real loader will fail on it", async () => {
  const { engine } = await engineOn(diskFolder("fixtures/golden/corner-bf16/model"));
  const codes = async (ignore: readonly string[]) => {
    const result = await engine.quantize({ scheme: "W8A8", arithmetic: "eager", ignore }, createMemoryOutput());
    return result.notices.map(({ code }) => code);
  };
  expect(await codes(IGNORE)).toEqual([]);
  expect(await codes([])).toEqual(["export/tied-head"]);
});

test("one job at a time", async () => {
  const { engine } = await engineOn(bundled());
  const first = engine.compare(REQUEST);
  expect(await codeOf(engine.compare(REQUEST))).toBe("run/busy");
  await first;
});
