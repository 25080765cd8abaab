import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { FrontierPoint } from "../../src/engine/frontier.ts";
import type { CompareResult, ExportResult } from "../../src/engine/result.ts";

const scratch = mkdtempSync(join(tmpdir(), "lab-cli-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A command that hangs is a failure of its own: nothing here takes longer on the slowest machine. */
const LIMIT_MS = 60_000;

const MODEL = "fixtures/models/quantlab-4m";

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function lab(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: LIMIT_MS, maxBuffer: 2 ** 26 };
    execFile(process.execPath, ["scripts/lab.mjs", ...args], options, (error, stdout, stderr) => {
      if (error?.killed) reject(new Error(`lab ${args.join(" ")} did not end`));
      else resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]));
}

test("without a command it says how it is used", async () => {
  expect(await lab([])).toMatchObject({ code: 2, stdout: "" });
  const help = await lab(["--help"]);
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("lab quantize [MODEL] --scheme S");
});

test("inspect takes nothing, a folder, a file, an index and a config", async () => {
  const loud = "fixtures/models/quantlab-4m-loud";
  const paths = [
    [],
    [MODEL],
    [`${MODEL}/model.safetensors`],
    [`${loud}/model.safetensors.index.json`],
    [`${MODEL}/config.json`],
  ];
  const tensors = [];
  for (const path of paths) {
    const { code, stdout } = await lab(["inspect", ...path, "--json"]);
    expect(code).toBe(0);
    tensors.push(JSON.parse(stdout).model.tensors);
  }
  expect(tensors).toEqual([38, 38, 38, 38, 0]);
});

test("inspect tells the bytes by role, and every tensor where it is asked to", async () => {
  const words = await lab(["inspect", MODEL]);
  expect(words.stdout).toMatch(/^mlp +12 .* 64\.2 % ƒ$/m);
  expect(words.stdout).not.toContain("model.layers.0.mlp.down_proj.weight");
  const plain = JSON.parse((await lab(["inspect", MODEL, "--json"])).stdout);
  expect(plain.schemaVersion).toBe(1);
  expect(plain).not.toHaveProperty("tensors");
  const listed = JSON.parse((await lab(["inspect", MODEL, "--tensors", "--json"])).stdout);
  expect(listed.roles).toEqual(plain.roles);
  expect(listed.roles.map(({ role }: { role: string }) => role)).toEqual(["mlp", "attention", "embedding", "norm"]);
  expect(listed.shards).toMatchObject([{ name: "model.safetensors", tensors: 38 }]);
  expect(listed.tensors).toHaveLength(38);
  expect((await lab(["inspect", MODEL, "--tensors"])).stdout).toMatch(
    /^model\.layers\.0\.mlp\.down_proj\.weight +mlp +0 +BF16 +256 × 768 .* yes$/m,
  );
});

test("compare says where each scheme stands between size and error", async () => {
  const schemes = ["W8A16", "int8:group=128", "int8:group=64", "W4A16"].flatMap((scheme) => ["--scheme", scheme]);
  const ignored = ["--ignore", "re:model\\.layers\\.[1-3]"];
  const args = ["compare", MODEL, "--device", "cpu", ...ignored, ...schemes];
  const words = await lab(args);
  expect(words.stdout).toMatch(/^W8A16 .* on the line$/m);
  expect(words.stdout).toMatch(/^int8:group=128 .* ≈ W8A16$/m);
  const { frontier } = JSON.parse((await lab([...args, "--json"])).stdout);
  expect(frontier.map(({ scheme, place, by }: FrontierPoint) => [scheme, place, by])).toEqual([
    ["W8A16", "line", null],
    ["int8:group=128", "tied", "W8A16"],
    ["int8:group=64", "line", null],
    ["W4A16", "line", null],
  ]);
  expect(frontier[0].error).toMatchObject({ kind: "measured", unit: "ratio", samples: 786_432 });
});

test("exit codes tell usage, device, input and refusal apart; errors are JSON on request", async () => {
  const broken = join(scratch, "broken.safetensors");
  writeFileSync(broken, "not safetensors at all");
  const found = [
    await lab(["compare", "--scheme", "W9A9", "--json"]),
    await lab(["compare", "--device", "gpu", "--json"], { VK_DRIVER_FILES: "/nonexistent.json" }),
    await lab(["inspect", join(scratch, "missing"), "--json"]),
    await lab(["inspect", broken, "--json"]),
  ];
  expect(found.map(({ code, stdout }) => [code, JSON.parse(stdout).error.code])).toEqual([
    [2, "scheme/unknown"],
    [3, "device/no-adapter"],
    [4, "source/not-found"],
    [1, "safetensors/header-too-long"],
  ]);
});

test("compare on the GPU is compare on the CPU, and says which ran", async () => {
  const run = async (device: string): Promise<CompareResult> => {
    const { code, stdout } = await lab(["compare", "--device", device, "--json"]);
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  const [gpu, cpu] = [await run("gpu"), await run("cpu")];
  expect(gpu.kernels.map(({ device, fallback }) => [device, fallback])).toEqual(
    gpu.kernels.map(() => ["webgpu", null]),
  );
  expect(cpu.kernels.every(({ device }) => device === "wasm")).toBe(true);
  for (const [at, row] of gpu.schemes.entries()) {
    for (const [place, layer] of row.layers.entries()) {
      const other = cpu.schemes[at]?.layers[place];
      expect(Math.abs((layer.relativeMse ?? 0) / (other?.relativeMse ?? Number.NaN) - 1)).toBeLessThan(1e-6);
      expect(layer.maxAbsError).toBe(other?.maxAbsError);
    }
  }
});

test("quantize writes the same files on GPU and CPU, never over its input, never half", async () => {
  const [gpu, cpu] = [join(scratch, "gpu"), join(scratch, "deep/er/cpu")];
  const scheme = ["--scheme", "W4A16"];
  const first = await lab(["quantize", MODEL, ...scheme, "--device", "gpu", "--out", gpu, "--json"]);
  const result: ExportResult = JSON.parse(first.stdout);
  expect((await lab(["quantize", MODEL, ...scheme, "--device", "cpu", "--out", cpu])).code).toBe(0);
  expect(filesOf(gpu)).toEqual(filesOf(cpu));
  expect(statSync(join(gpu, "model.safetensors")).size).toBe(result.fileBytes.value);
  expect(result.kernels.every(({ device }) => device === "webgpu")).toBe(true);

  const link = join(scratch, "link");
  symlinkSync(join(process.cwd(), MODEL), link);
  const before = filesOf(MODEL);
  for (const out of [gpu, MODEL, link, join(MODEL, "inside")]) {
    const refused = await lab(["quantize", MODEL, ...scheme, "--device", "cpu", "--out", out, "--json"]);
    expect([refused.code, JSON.parse(refused.stdout).outcome]).toEqual([4, "refused"]);
  }
  expect(filesOf(MODEL)).toEqual(before);
});

test("triton writes other codes than eager", async () => {
  const out = join(scratch, "triton");
  const args = ["quantize", MODEL, "--scheme", "W8A8", "--arithmetic", "triton", "--device", "cpu", "--out", out];
  expect((await lab(args)).code).toBe(0);
  expect(readFileSync(join(out, "recipe.yaml"), "utf8")).toContain("# arithmetic: triton");
  expect(readFileSync(join(out, "config.json"), "utf8")).not.toContain("triton");
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s in the middle leaves no folder behind and ends with 130",
  async (signal) => {
    const parent = join(scratch, signal);
    mkdirSync(parent);
    const child = spawn(process.execPath, [
      "scripts/lab.mjs",
      ...["quantize", MODEL, "--scheme", "W4A16", "--device", "reference", "--out", join(parent, "out")],
    ]);
    await until(() => existsSync(parent) && readdirSync(parent).length > 0, child);
    child.kill(signal);
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(130);
    expect(readdirSync(parent)).toEqual([]);
  },
);

async function until(condition: () => boolean, child: ChildProcess): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!condition()) {
    if (Date.now() > end || child.exitCode !== null) throw new Error("the export did not start");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
