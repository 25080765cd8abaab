import { expect, test, vi } from "vitest";
import { WHOLE_PRESET } from "../../engine/roundings.ts";
import { NO_RULES } from "../panels/panel-events.ts";
import { PREPARED } from "./lab-controller.cases.ts";
import { asksForCalibration, asksForRanges, heldAgainst, runRules, weightCalibration } from "./run-rules.ts";

const kv = (kvCache: string | null, activations = true) => ({ ...WHOLE_PRESET, activations, kvCache });

test.each([
  [["W4A16", "W8A8"], kv(null), false],
  [["W4A16"], kv("int8:tensor"), true],
  [["W4A16"], kv("int8:token-head"), false],
  [["int8:channel/int8:tensor:static"], kv(null), true],
  [["int8:channel/int8:tensor:static"], kv(null, false), false],
  [["W4A16", "gptq | W4A16"], kv(null, false), true],
  [["wanda:2:4 | none"], kv(null), true],
  [["magnitude:2:4 | none"], kv(null), false],
] as const)("%j with %j asks for a calibration text: %s", (schemes, roundings, asks) => {
  expect(asksForCalibration({ schemes, roundings })).toBe(asks);
});

test("the calibration text is prepared where it is asked for, and what is measured is held against it", async () => {
  const prepareText = vi.fn(async () => ({ ok: true, value: PREPARED }));
  const call = async (_: string, invoke: (api: never) => Promise<unknown>) =>
    ((await invoke({ prepareText } as never)) as { value: unknown }).value as never;
  const plain = await runRules({ ...NO_RULES, schemes: ["W4A16"] }, call);
  expect([plain.calibration, prepareText.mock.calls.length]).toEqual([null, 0]);
  expect(heldAgainst(plain)).toEqual({});
  const rules = await runRules({ ...NO_RULES, schemes: ["W4A16"], roundings: kv("int8:tensor") }, call);
  expect(prepareText.mock.calls).toEqual([[{ source: { kind: "bundled", names: ["calibration"] } }]]);
  expect(rules).toMatchObject({ arithmetic: "eager", calibration: PREPARED, roundings: { kvCache: "int8:tensor" } });
  expect(heldAgainst(rules)).toEqual({ calibration: { textHashes: ["y"], windowHashes: ["x"] } });
});

test("weights alone are calibrated for methods, on the file that is chosen, and not for static ranges", async () => {
  const prepareText = vi.fn(async () => ({ ok: true, value: PREPARED }));
  const call = async (_: string, invoke: (api: never) => Promise<unknown>) =>
    ((await invoke({ prepareText } as never)) as { value: unknown }).value as never;
  const file = new File(["x"], "own.txt");
  const ask = (...schemes: string[]) => weightCalibration({ schemes, calibration: file }, call);
  expect(await ask("W4A16", "int8:channel/int8:tensor:static")).toBeNull();
  expect(await ask("W4A16", "gptq | W4A16")).toBe(PREPARED);
  expect(prepareText.mock.calls).toEqual([[{ source: { kind: "file", file } }]]);
});

test("ranges are something else than methods", () => {
  expect(asksForRanges({ schemes: ["gptq | W4A16"], roundings: kv(null) })).toBe(false);
  expect(asksForRanges({ schemes: ["int8:channel/int8:tensor:static"], roundings: kv(null) })).toBe(true);
});
