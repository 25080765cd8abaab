import { expect, test } from "vitest";
import { sampleMeasurement, windowsAround } from "../../engine/measure-result.cases.ts";
import { activationWords } from "./scheme-summary-model.ts";

test("says what of a scheme's roundings its figures have", () => {
  const measured = sampleMeasurement([{ scheme: "W8A8", bytes: 1, kld: windowsAround(0.1) }]);
  const alone = { ...measured, roundings: { ...measured.roundings, activations: false } };
  const [weights, both] = [{ roundsActivations: false }, { roundsActivations: true }];
  expect(activationWords(weights, null)).toBe("");
  expect(activationWords(both, null)).toContain("that error comes with a measurement over text");
  expect(activationWords(both, measured)).toBe("; measured with weights and activations rounded");
  expect(activationWords(both, alone)).toBe("; activations are rounded too when it is served: not in these figures");
  expect(activationWords(weights, alone)).toBe("; measured with weights alone rounded");
});
