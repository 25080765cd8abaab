import { expect, test } from "vitest";
import type { LinearStep, NormStep, Step } from "../../architectures/graph.ts";
import { leadersOf, sharedInputs } from "./shared-inputs.ts";

const norm = (input: string, output: string): NormStep => ({
  ...{ kind: "norm", form: "rms", input, output, pieces: 1, weight: "norm.weight", bias: null },
  ...({ epsilon: 1e-6, offset: 0 } as const),
});

const linear = (module: string, input: string, output: string, inFeatures = 8): LinearStep => ({
  ...{ kind: "linear", module, weight: { tensor: `${module}.weight`, firstRow: 0, isTransposed: false } },
  ...{ bias: null, input, output, outFeatures: 8, inFeatures },
});

const add = (target: string, source: string): Step => ({ kind: "add", target, source });

const foundIn = (steps: readonly Step[]) =>
  sharedInputs(steps).map(({ leader, steps: own, width }) => [leader, own.map(({ module }) => module), width]);

test("layers that read a register before it is written again share an input", () => {
  const steps = [
    norm("hidden", "normed"),
    ...["q", "k", "v"].map((name) => linear(name, "normed", name)),
    linear("o", "v", "out", 4),
    add("hidden", "out"),
    norm("hidden", "normed"),
    linear("gate", "normed", "g"),
    linear("up", "normed", "u"),
    linear("down", "g", "out", 16),
  ];
  expect(foundIn(steps)).toEqual([
    ["q", ["q", "k", "v"], 8],
    ["o", ["o"], 4],
    ["gate", ["gate", "up"], 8],
    ["down", ["down"], 16],
  ]);
});

test("what a layer writes over its own input counts for those after it", () => {
  const steps = [
    linear("a", "x", "x"),
    linear("b", "x", "y"),
    linear("c", "x", "z"),
    add("x", "y"),
    linear("d", "x", "w"),
  ];
  expect(foundIn(steps)).toEqual([
    ["a", ["a"], 8],
    ["b", ["b", "c"], 8],
    ["d", ["d"], 8],
  ]);
});

test("a layer without linear steps has none", () => expect(foundIn([norm("hidden", "normed")])).toEqual([]));

test("the first of those that count leads", () => {
  const steps = [
    norm("hidden", "normed"),
    ...["q", "k", "v"].map((name) => linear(name, "normed", name)),
    linear("o", "v", "out"),
  ];
  const all = { q: "q", k: "q", v: "q", o: "o" };
  expect(Object.fromEntries(leadersOf(steps))).toEqual(all);
  expect(Object.fromEntries(leadersOf(steps, new Set(["v", "k"])))).toEqual({ k: "k", v: "k" });
});
