import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { PRESETS } from "../schemes/presets.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { HELP } from "./help.ts";
import { readCommand } from "./options.ts";

test("a bare compare takes the bundled model and the defaults", () => {
  expect(readCommand(["compare"])).toEqual({
    verb: "compare",
    model: null,
    json: false,
    quiet: false,
    schemes: ["W3A16", "W4A16", "W4A16_ASYM", "W6A16", "W8A8"],
    ignore: ["lm_head", "re:.*embed_tokens"],
    arithmetic: "eager",
    device: "auto",
    throughput: false,
    plan: { gpu: "L4 24 GB", contextTokens: 4096, sequences: 1 },
    tensors: false,
    kept: null,
    out: null,
    text: { file: null, windows: null, context: null, seed: null },
    against: [],
    perPosition: null,
    words: null,
    roundings: { weights: true, activations: true, kvCache: null },
    served: false,
    calibration: null,
    diagnosis: {
      looks: ["depth", "activations", "layers", "kinds", "generation", "tasks"],
      at: null,
      tokens: 64,
      items: null,
      statistics: null,
      saveStatistics: null,
      strengths: null,
      samples: null,
      share: null,
    },
  });
});

test("measure and diagnose take what is rounded, and where static scales come from", () => {
  const read = (...argv: string[]) => readCommand(["measure", ...argv]);
  expect(read("--weights", "off", "--activations", "on", "--kv", "INT8:attn_head:minmax")?.roundings).toEqual({
    weights: false,
    activations: true,
    kvCache: "int8:attn_head:minmax",
  });
  expect(read("--calibration", "c.json")?.calibration).toEqual({ kind: "tokens", path: "c.json" });
  expect(read("--calibration", "c.txt")?.calibration).toEqual({ kind: "text", path: "c.txt" });
  expect(read("--served", "--words", "w.jsonl")).toMatchObject({ served: true, words: "w.jsonl" });
  // Keys and values can be rounded alone.
  expect(read("--schemes", "none", "--kv", "int8:tensor")?.schemes).toEqual(["none"]);
  const looks = ["--only", "depth,tasks", "--at", "2:130", "--generate", "16", "--items", "i.jsonl"];
  expect(readCommand(["diagnose", ...looks, "--statistics", "a", "--save-statistics", "b"])?.diagnosis).toEqual({
    looks: ["depth", "tasks"],
    at: { window: 2, position: 130 },
    tokens: 16,
    items: "i.jsonl",
    statistics: "a",
    saveStatistics: "b",
    strengths: null,
    samples: null,
    share: null,
  });
  const sweeps = [
    "--only",
    "strength,samples,salient",
    "--strengths",
    "0, .5,1",
    "--samples",
    "8,16",
    "--share",
    "0.05",
  ];
  expect(readCommand(["diagnose", ...sweeps])?.diagnosis).toMatchObject({
    looks: ["strength", "samples", "salient"],
    strengths: [0, 0.5, 1],
    samples: [8, 16],
    share: 0.05,
  });
});

test("measure takes schemes in one list, a text or tokens, and other checkpoints", () => {
  const read = (...argv: string[]) => readCommand(["measure", ...argv]);
  expect(read("m", "--schemes", "w4a16,INT8:channel", "--prune", "magnitude:2:4")).toMatchObject({
    model: "m",
    schemes: ["magnitude:2:4 | W4A16", "magnitude:2:4 | int8:channel"],
  });
  expect(read("--tokens", "t.json", "--windows", "8", "--context", "64", "--seed", "3")?.text).toEqual({
    file: { kind: "tokens", path: "t.json" },
    windows: 8,
    context: 64,
    seed: 3,
  });
  expect(read("--text", "a.txt")?.text.file).toEqual({ kind: "text", path: "a.txt" });
  // With another checkpoint to measure, no scheme is added by itself.
  expect(read("--against", "a", "--against", "b")).toMatchObject({ schemes: [], against: ["a", "b"] });
  expect(read()?.schemes).toHaveLength(5);
  expect(() => read("--text", "a", "--tokens", "b")).toThrow(LabError);
});

test("inspect lists what is kept, or lets go of it", () => {
  expect(readCommand(["inspect", "--kept"])?.kept).toBe("list");
  expect(readCommand(["inspect", "--forget"])?.kept).toBe("forget");
  expect(() => readCommand(["compare", "--kept"])).toThrow(LabError);
});

test("--ignore adds to the default list, --no-default-ignore drops it", () => {
  const command = ["quantize", "m", "--scheme", "W8A8", "--out", "o", "--ignore", "a", "--ignore", "re:b"];
  expect(readCommand(command)?.ignore).toEqual(["lm_head", "re:.*embed_tokens", "a", "re:b"]);
  expect(readCommand([...command, "--no-default-ignore"])?.ignore).toEqual(["a", "re:b"]);
});

test("schemes arrive in one spelling, each once", () => {
  const read = (...argv: string[]) => readCommand(["compare", ...argv])?.schemes;
  expect(read("--scheme", "w4a16", "--scheme", "W4A16", "--scheme", "INT4:ASYM:group=32")).toEqual([
    "W4A16",
    "int4:group=32:asym",
  ]);
  expect(read("--scheme", " w8a16 @re:.*(up|down)_proj;int4:channel ")).toEqual([
    "W8A16@re:.*(up|down)_proj; int4:channel",
  ]);
  expect(read("--scheme", "magnitude:0.50|none")).toEqual(["magnitude:0.5 | none"]);
});

test("--prune goes into every scheme, in place of its own", () => {
  const read = (...argv: string[]) => readCommand(["compare", "--prune", "magnitude:2:4", ...argv])?.schemes;
  expect(read()).toEqual([
    "magnitude:2:4 | W3A16",
    "magnitude:2:4 | W4A16",
    "magnitude:2:4 | W4A16_ASYM",
    "magnitude:2:4 | W6A16",
    "magnitude:2:4 | W8A8",
  ]);
  expect(read("--scheme", "none", "--scheme", "magnitude:rows:0.25 | W8A8")).toEqual([
    "magnitude:2:4 | none",
    "magnitude:2:4 | W8A8",
  ]);
});

test("--prune takes what is pruned by a calibration text", () => {
  const read = (prune: string) =>
    readCommand(["quantize", "--scheme", "none", "--out", "o", "--prune", prune])?.schemes;
  expect(["Wanda:2:4", "sparsegpt:.50"].map(read)).toEqual([["wanda:2:4 | none"], ["sparsegpt:0.5 | none"]]);
});

test("--method goes into every scheme that names none itself", () => {
  const read = (...argv: string[]) =>
    readCommand(["diagnose", "--method", "SmoothQuant+GPTQ:damp=0.1", ...argv])?.schemes;
  expect(read()?.every((name) => name.startsWith("smoothquant+gptq:damp=0.1 | W"))).toBe(true);
  const own = ["--scheme", "rtn | W4A16", "--scheme", "awq | W4A16", "--scheme", "wanda:2:4 | W4A16"];
  expect(read(...own)).toEqual(["W4A16", "awq | W4A16", "wanda:2:4 | smoothquant+gptq:damp=0.1 | W4A16"]);
  expect(read("--prune", "sparsegpt:2:4", ...own.slice(0, 4))).toEqual([
    "sparsegpt:2:4 | W4A16",
    "sparsegpt:2:4 | awq | W4A16",
  ]);
  // What several are held against stands beside them.
  expect(readCommand(["measure", "--schemes", "awq|w4a16,W8A8", "--method", "gptq"])?.schemes).toEqual([
    "W4A16",
    "awq | W4A16",
    "W8A8",
    "gptq | W8A8",
  ]);
  // The list of layers has commas of its own.
  expect(
    readCommand(["diagnose", "--schemes", "W8A8,W4A16", "--method", "smoothquant:layers=0/1,2-3/0.8"])?.schemes,
  ).toEqual(["smoothquant:layers=0/1,2-3/0.8 | W8A8", "smoothquant:layers=0/1,2-3/0.8 | W4A16"]);
  expect(readCommand(["measure", "--scheme", "none", "--kv", "int8:tensor", "--method", "rtn"])?.schemes).toEqual([
    "none",
  ]);
});

test("every verb that quantizes takes a method and its calibration text", () => {
  const rest = { compare: [], measure: [], diagnose: [], quantize: ["--out", "o"] };
  for (const [verb, more] of Object.entries(rest)) {
    const argv = [verb, "--scheme", "W4A16", "--method", "gptq", "--calibration", "c.jsonl", ...more];
    expect(readCommand(argv)).toMatchObject({
      schemes: [...(verb === "compare" || verb === "measure" ? ["W4A16"] : []), "gptq | W4A16"],
      calibration: { kind: "text", path: "c.jsonl" },
    });
  }
});

test("the help names every preset", () => {
  expect(PRESETS.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(HELP))).toEqual([]);
});

test.each([
  [[]],
  [["frobnicate"]],
  [["compare", "a", "b"]],
  [["compare", "--out", "x"]],
  [["inspect", "--scheme", "W4A16"]],
  [["compare", "--tensors"]],
  [["quantize", "--scheme", "W4A16"]],
  [["quantize", "--out", "x"]],
  [["quantize", "--scheme", "W4A16", "--scheme", "W8A8", "--out", "x"]],
  [["compare", "--device", "tpu"]],
  [["compare", "--arithmetic", "exact"]],
  [["compare", "--context", "-1"]],
  [["compare", "--no-such-option"]],
  [["inspect", "--prune", "magnitude:2:4"]],
  [["compare", "--scheme", "W9A16"]],
  [["compare", "--scheme", "FP8_DYNAMIC"]],
  [["compare", "--scheme", "int9"]],
  [["compare", "--scheme", "none"]],
  [["compare", "--scheme", "magnitude:2:4"]],
  [["compare", "--scheme", "W4A16; W8A16"]],
  [["compare", "--scheme", "W4A16@re:("]],
  [["compare", "--prune", "2:4"]],
  [["quantize", "--prune", "magnitude:2:4", "--out", "x"]],
  [["compare", "--prune", "wanda:rows:0.5"]],
  [["compare", "--method", "magic"]],
  [["compare", "--method", "gptq:actorder=group"]],
  [["compare", "--scheme", "int4:tensor", "--method", "awq"]],
  [["compare", "--scheme", "gptq | none"]],
  [["quantize", "--scheme", "none", "--prune", "wanda:2:4", "--method", "gptq", "--out", "x"]],
  [["measure", "--scheme", "none", "--kv", "int8:tensor", "--method", "gptq"]],
  [["inspect", "--method", "gptq"]],
  [["inspect", "--calibration", "c.txt"]],
  [["measure", "--activations", "maybe"]],
  [["measure", "--kv", "int4:tensor"]],
  [["measure", "--schemes", "none"]],
  [["compare", "--activations", "off"]],
  [["diagnose", "--only", "everything"]],
  [["diagnose", "--strengths", "0.5,1.5"]],
  [["diagnose", "--samples", "8,0"]],
  [["diagnose", "--share", "a"]],
  [["measure", "--strengths", "0.5"]],
  [["diagnose", "--at", "3"]],
  [["measure", "--at", "0:3"]],
])("%j is a usage error", (argv) => {
  try {
    readCommand(argv);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(LabError);
    expect(exitCodeOf((error as LabError).code)).toBe(2);
  }
});

test("help is no error", () => {
  expect(readCommand(["--help"])).toBeNull();
});

test("every area has its exit code", () => {
  expect(
    (
      [
        "device/no-adapter",
        "source/not-found",
        "run/cancelled",
        "safetensors/x",
        "export/output-is-input",
        "plan/x",
      ] as const
    ).map(exitCodeOf),
  ).toEqual([3, 4, 130, 1, 4, 2]);
});
