import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { readCommand } from "./options.ts";

test("a bare compare takes the bundled model and the defaults", () => {
  expect(readCommand(["compare"])).toEqual({
    verb: "compare",
    model: null,
    json: false,
    quiet: false,
    schemes: ["W4A16", "W8A8"],
    ignore: ["lm_head", "re:.*embed_tokens"],
    arithmetic: "eager",
    device: "auto",
    throughput: false,
    plan: { gpu: "L4 24 GB", contextTokens: 4096, sequences: 1 },
    out: null,
  });
});

test("--ignore adds to the default list, --no-default-ignore drops it", () => {
  const command = ["quantize", "m", "--scheme", "W8A8", "--out", "o", "--ignore", "a", "--ignore", "re:b"];
  expect(readCommand(command)?.ignore).toEqual(["lm_head", "re:.*embed_tokens", "a", "re:b"]);
  expect(readCommand([...command, "--no-default-ignore"])?.ignore).toEqual(["a", "re:b"]);
});

test.each([
  [[]],
  [["frobnicate"]],
  [["compare", "a", "b"]],
  [["compare", "--out", "x"]],
  [["inspect", "--scheme", "W4A16"]],
  [["quantize", "--scheme", "W4A16"]],
  [["quantize", "--out", "x"]],
  [["quantize", "--scheme", "W4A16", "--scheme", "W8A8", "--out", "x"]],
  [["compare", "--device", "tpu"]],
  [["compare", "--arithmetic", "exact"]],
  [["compare", "--context", "-1"]],
  [["compare", "--no-such-option"]],
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
