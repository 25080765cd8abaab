import { describe, expect, test } from "vitest";
import { PRESETS } from "../../schemes/presets.ts";
import { ORIGINAL_LOOK, recipeLook, schemeFamily, shapePath } from "./scheme-mark.ts";

describe("the look of a recipe", () => {
  test("hue and lightness follow type and bits, of presets and of own schemes", () => {
    const families = ["W2A16", "W4A16", "w7a8", "int3:tensor:asym"].map((spec) => recipeLook(spec).fills[0]?.family);
    expect(families).toEqual(["int2", "int4", "int7", "int3"]);
  });

  test("hollow means that activations are rounded too", () => {
    expect(["W8A16", "W8A8", "INT8"].map((spec) => recipeLook(spec).fills[0]?.isHollow)).toEqual([false, true, true]);
  });

  test("a mixed recipe has two halves, its first scheme and its last", () => {
    const { fills } = recipeLook("W8A8@re:.*down_proj; W6A16@re:.*up_proj; W4A16");
    expect(fills).toEqual([
      { family: "int8", isHollow: true },
      { family: "int4", isHollow: false },
    ]);
  });

  test("groups that look the same are one circle", () => {
    expect(recipeLook("W4A16@re:.*down_proj; int4:group=32").fills).toHaveLength(1);
  });

  test("pruning adds a cross; alone it has no circle", () => {
    expect(recipeLook("magnitude:2:4 | W4A16")).toEqual({
      fills: [{ family: "int4", isHollow: false }],
      isPruned: true,
    });
    expect(recipeLook("magnitude:0.5 | none")).toEqual({ fills: [], isPruned: true });
  });

  test("a method changes the shape, plain rounding and pruning alone do not", () => {
    const specs = ["W4A16", "gptq | W4A16", "awq+gptq | W4A16", "smoothquant+gptq | W8A8", "wanda:2:4 | W4A16"];
    expect(specs.map((spec) => recipeLook(spec).shape)).toEqual([
      undefined,
      "diamond",
      "triangle",
      "square",
      undefined,
    ]);
    expect(shapePath("square", 10, 10, 0.5)).toBe("M8 8l4 0l0 4l-4 0z");
  });

  test("what cannot be read looks like the original", () => {
    expect(recipeLook("unheard")).toBe(ORIGINAL_LOOK);
    expect([schemeFamily("unheard"), schemeFamily(null), schemeFamily("W4A16")]).toEqual(["orig", "orig", "int4"]);
  });

  test("every preset has a colour of its own width", () => {
    for (const { name, weights } of PRESETS) expect(schemeFamily(name)).toBe(`int${weights.bits}`);
  });
});
