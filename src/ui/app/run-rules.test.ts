import { expect, test, vi } from "vitest";
import { WHOLE_PRESET } from "../../engine/roundings.ts";
import { NO_RULES } from "../panels/panel-events.ts";
import { PREPARED } from "./lab-controller.cases.ts";
import { asksForCalibration, heldAgainst, runRules } from "./run-rules.ts";

const kv = (kvCache: string | null, activations = true) => ({ ...WHOLE_PRESET, activations, kvCache });

test.each([
  [["W4A16", "W8A8"], kv(null), false],
  [["W4A16"], kv("int8:tensor"), true],
  [["W4A16"], kv("int8:token-head"), false],
  [["int8:channel/int8:tensor:static"], kv(null), true],
  [["int8:channel/int8:tensor:static"], kv(null, false), false],
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
  expect(prepareText.mock.calls).toEqual([[{ source: { kind: "bundled", names: ["calibration"] }, windows: 32 }]]);
  expect(rules).toMatchObject({ arithmetic: "eager", calibration: PREPARED, roundings: { kvCache: "int8:tensor" } });
  expect(heldAgainst(rules)).toEqual({ calibration: { textHashes: ["y"], windowHashes: ["x"] } });
});
