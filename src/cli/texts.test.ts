import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { TextRequest, TextSource } from "../engine/text-api.ts";
import { readCommand } from "./options.ts";
import { prepareCalibration } from "./texts.ts";

const CALIBRATION = fileURLToPath(new URL("../../fixtures/text/calibration.txt", import.meta.url));

/** The text that a command line has prepared for calibration; null where it asks for none. */
async function calibrationOf(...argv: string[]): Promise<TextSource | null> {
  const command = readCommand(argv);
  if (!command) throw new Error("help was asked for");
  const asked: TextRequest[] = [];
  const prepareText = async (request: TextRequest) => {
    asked.push(request);
    return {
      windows: [[1, 2]],
      slices: [],
      source: "",
      tokenizer: "",
      bos: null,
      hash: "",
      windowHashes: [],
      textHashes: [],
      findings: [],
    };
  };
  const prepared = await prepareCalibration(command, { prepareText }, {});
  expect(asked).toHaveLength(prepared ? 1 : 0);
  return asked[0]?.source ?? null;
}

const BUNDLED = { kind: "bundled", names: ["calibration"] };
const STATIC = "int8/int8:tensor:static";

test.each([
  [["compare"], null],
  [["compare", "--scheme", "magnitude:2:4 | W8A8"], null],
  [["compare", "--scheme", "W4A16", "--scheme", "gptq | W4A16"], BUNDLED],
  [["diagnose", "--schemes", "W4A16"], null],
  [["diagnose", "--schemes", "W4A16", "--only", "depth,strength"], BUNDLED],
  [["quantize", "--scheme", "W4A16", "--method", "awq", "--out", "o"], BUNDLED],
  [["quantize", "--scheme", "W4A16", "--method", "rtn", "--out", "o"], null],
  [["quantize", "--scheme", "none", "--prune", "sparsegpt:2:4", "--out", "o"], BUNDLED],
  [["measure", "--schemes", "wanda:0.5 | none", "--activations", "off"], BUNDLED],
  [["measure", "--schemes", STATIC], BUNDLED],
  [["diagnose", "--schemes", STATIC], BUNDLED],
  [["measure", "--schemes", STATIC, "--activations", "off"], null],
  // What does not run the model rounds no activations.
  [["compare", "--scheme", STATIC], null],
  [["quantize", "--scheme", STATIC, "--out", "o"], null],
  [["measure", "--schemes", "none", "--kv", "int8:tensor"], BUNDLED],
  [["measure", "--schemes", "none", "--kv", "int8:token-head"], null],
])("%j takes its calibration text from %j", async (argv, source) => {
  expect(await calibrationOf(...argv)).toEqual(source);
});

test("a calibration text may be a file, where one is asked for", async () => {
  const method = ["--scheme", "W4A16", "--calibration", CALIBRATION];
  expect(await calibrationOf("compare", ...method)).toBeNull();
  expect(await calibrationOf("compare", ...method, "--method", "gptq")).toMatchObject({ kind: "file" });
});
