import { describe, expect, test } from "vitest";
import { depthFinding, depthWords } from "./depth-words.ts";
import type { DepthResult, LayerError } from "./diagnosis-api.ts";

const error = (relative: number | null): LayerError => ({ relative, signalToNoiseDb: null });

/** A result of such errors, inherited and fresh. */
function depth(layers: readonly (readonly [number | null, number | null])[]): DepthResult {
  return {
    ...{ kind: "depth", scheme: "W8A8", rounded: [], windows: 1, tokens: 8, kernels: [] },
    layers: layers.map(([inherited, fresh], layer) => ({ layer, inherited: error(inherited), fresh: error(fresh) })),
  };
}

describe("the error along depth, in words", () => {
  test("names the layers that add most, and that it is carried on", () => {
    const result = depth([
      [6e-4, 6e-4],
      [6.9e-3, 6.37e-3],
      [1.73e-2, 1.04e-2],
      [1.71e-2, 1.3e-4],
    ]);
    expect(depthFinding(result)).toEqual({ culprits: [1, 2], brokenAt: null, fate: "carried" });
    expect(depthWords(result)).toEqual({
      strong: "Layers 1 and 2 add most: 0.637 % and 1.04 % of the signal's power.",
      plain: "It is carried on: 1.71 % after the last layer, 3.",
    });
  });

  test("says when it grows from there, and when later layers drown it", () => {
    const grown = depth([
      [0.01, 0.01],
      [0.011, 0.001],
      [0.02, 0.004],
    ]);
    expect(depthFinding(grown)).toMatchObject({ culprits: [0], fate: "grown" });
    expect(depthWords(grown).plain).toBe("It grows from there: 2.00 % after the last layer, 2.");
    const faded = depth([
      [0.01, 0.01],
      [0.005, 0.001],
    ]);
    expect(depthWords(faded)).toEqual({
      strong: "Layer 0 adds most: 1.00 % of the signal's power.",
      plain: "Later layers drown part of it: 0.500 % after the last layer, 1.",
    });
  });

  test("a change by a quarter is the first that counts", () => {
    const after = (end: number) =>
      depth([
        [0.01, 0.01],
        [end, 0.001],
      ]);
    expect(depthFinding(after(0.0124)).fate).toBe("carried");
    expect(depthFinding(after(0.0126)).fate).toBe("grown");
    expect(depthFinding(after(0.0081)).fate).toBe("carried");
    expect(depthFinding(after(0.0079)).fate).toBe("faded");
  });

  test("says that none stands out where more than half of them add about as much", () => {
    const even = depth([
      [0.01, 0.01],
      [0.02, 0.012],
      [0.03, 0.011],
    ]);
    expect(depthFinding(even).culprits).toEqual([]);
    expect(depthWords(even)).toEqual({
      strong: "No layer stands out: each adds 1.00 % to 1.20 % of the signal's power.",
      plain: "The error comes to 3.00 % after the last layer, 2.",
    });
  });

  test("of many culprits names the three worst, in the order of the layers", () => {
    const many = depth(
      Array.from({ length: 20 }, (_, layer) => [1, layer % 3 === 0 ? 0.1 - layer / 1000 : 1e-6] as const),
    );
    expect(depthWords(many).strong).toBe(
      "Layers 0, 3 and 6 add most: 10.0 %, 9.70 % and 9.40 % of the signal's power; 4 more add at least half of the worst's.",
    );
  });

  test("what is not finite, nothing at all, and a single layer", () => {
    const broken = depth([
      [0.01, 0.01],
      [null, 0.001],
      [null, null],
    ]);
    expect(depthWords(broken).plain).toBe("After layer 1 the error is not finite.");
    expect(depthWords(depth([[null, null]])).strong).toBe("No layer has a finite error.");
    expect(depthWords(depth([[0, 0]])).strong).toBe("No layer adds any error.");
    expect(depthWords(depth([[0.25, 0.25]]))).toEqual({
      strong: "Its one layer adds 25.0 % of the signal's power.",
      plain: "",
    });
  });
});
