import { expect, test } from "vitest";
import { sampleMeasurement } from "./measure-result.cases.ts";
import type { Divergence } from "./measure-result.ts";
import { llamaCppText, statisticsLines } from "./statistics-lines.ts";

const divergence = sampleMeasurement().rows[1]?.divergence as Divergence;

test("lines have llama.cpp's names in its order, shares in percent", () => {
  const lines = statisticsLines(divergence);
  expect(lines).toHaveLength(34);
  expect(lines.map(({ label }) => label).slice(5, 11)).toEqual([
    "Mean PPL(Q)-PPL(base)",
    "Mean KLD",
    "Maximum KLD",
    "99.9 % KLD",
    "99.0 % KLD",
    "95.0 % KLD",
  ]);
  const top = lines.at(-1);
  expect(top).toMatchObject({ label: "Same top p", unit: "%", section: "Token probability", uncertaintyText: "0.700" });
  expect(top?.value).toBeCloseTo(100 * divergence.sameTopP.value, 10);
  expect(lines[2]).toMatchObject({ value: 99.5, uncertainty: null, text: "99.5000 %" });
});

test("the text is what llama-perplexity prints, letter by letter", () => {
  const text = llamaCppText({
    ...divergence,
    kld: { value: 0.097973, uncertainty: 0.002198 },
    kldPercentiles: { ...divergence.kldPercentiles, max: 20.749897, "5": 0.000028, min: -0.000134 },
    deltaP: { value: -0.01461, uncertainty: 0.00065 },
    deltaPPercentiles: { ...divergence.deltaPPercentiles, "95": 0.06569, "1": -0.51942 },
    rmsDeltaP: { value: 0.10455, uncertainty: 0.00186 },
    sameTopP: { value: 0.85422, uncertainty: 0.00223 },
    pplQ: { value: 8.966302, uncertainty: 0.16027 },
    corLnPpl: { value: 0.981, uncertainty: null },
  });
  const lines = text.split("\n");
  // Lines that llama.cpp printed of these figures.
  for (const line of [
    "====== Perplexity statistics ======",
    "Mean PPL(Q)                   :   8.966302 ±   0.160270",
    "Cor(ln(PPL(Q)), ln(PPL(base))):  98.10%",
    "====== KL divergence statistics ======",
    "Mean    KLD:   0.097973 ±   0.002198",
    "Maximum KLD:  20.749897",
    " 5.0%   KLD:   0.000028",
    "Minimum KLD:  -0.000134",
    "====== Token probability statistics ======",
    "Mean    Δp: -1.461 ± 0.065 %",
    "95.0%   Δp:  6.569%",
    " 1.0%   Δp: -51.942%",
    "RMS Δp    : 10.455 ± 0.186 %",
    "Same top p: 85.422 ± 0.223 %",
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.filter((line) => line === "")).toHaveLength(3);
  expect(llamaCppText({ ...divergence, pplQ: { value: Number.NaN, uncertainty: Number.NaN } })).toContain(
    "Mean PPL(Q)                   :        nan ±        nan",
  );
});
