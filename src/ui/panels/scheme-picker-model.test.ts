import { describe, expect, test } from "vitest";
import { MAX_RECIPES } from "../../engine/api.ts";
import { PRESETS } from "../../schemes/presets.ts";
import { parseRecipe } from "../../schemes/recipe.ts";
import { addedWords, blockedWords, fullWords, offers, withoutRecipe, withRecipe } from "./scheme-picker-model.ts";
import {
  FIRST_METHOD,
  FIRST_OWN,
  FIRST_PRUNING,
  METHOD_FORMS,
  needsText,
  PRUNING_FORMS,
  readMethod,
  readOwn,
  readPruning,
  readRecipe,
  readSteps,
  SCALES_PER,
} from "./scheme-picker-words.ts";

const FIRST = { pruning: FIRST_PRUNING, method: FIRST_METHOD };
const gptq = { ...FIRST_METHOD, form: "gptq" } as const;
const pruned = (change: Partial<typeof FIRST_PRUNING>) => ({ ...FIRST, pruning: { ...FIRST_PRUNING, ...change } });
const EIGHT = [2, 3, 4, 5, 6, 7, 8].map((bits) => `W${bits}A16`).concat("W8A8");

describe("what can be added", () => {
  test("every preset is offered once, in the groups that people look for", () => {
    const groups = offers([], FIRST);
    expect(groups.map((group) => group.title)).toEqual([
      "Weights alone",
      "Activations to 8 bits too",
      "Activations to 4 bits too",
    ]);
    const labels = groups.flatMap((group) => group.offers.map((offer) => offer.label));
    expect([...labels].sort()).toEqual(PRESETS.map((preset) => preset.name).sort());
    expect(groups[0]?.offers.map((offer) => offer.label)).toContain("W4A16_ASYM");
  });

  test("a pruning goes before each of them, and can be had alone", () => {
    const groups = offers(["magnitude:2:4 | W4A16"], pruned({ form: "2:4" }));
    expect(groups[0]?.offers.map((offer) => offer.recipe)).toEqual(["magnitude:2:4 | none"]);
    const found = groups.flatMap((group) => group.offers);
    expect(found.every((offer) => parseRecipe(offer.recipe).name === offer.recipe && offer.look.isPruned)).toBe(true);
    expect(found.filter((offer) => offer.isChosen).map((offer) => offer.label)).toEqual(["W4A16"]);
  });

  test("a pruning that cannot be read blocks them and says so", () => {
    const [first] = offers([], pruned({ form: "share", share: "1.5" }));
    expect(first?.offers[0]?.blocked).toBe("What is to be pruned first cannot be read.");
  });

  test("at eight the others are blocked, the chosen can still be taken out", () => {
    const found = offers(EIGHT, FIRST).flatMap((group) => group.offers);
    expect(found.filter((offer) => offer.blocked === null).map((offer) => offer.label)).toEqual(EIGHT);
    expect(found.find((offer) => offer.label === "W4A4")?.blocked).toMatch(/^8 recipes are as many as/);
  });
});

describe("the fields", () => {
  test("every form of pruning reads back, in words", () => {
    const words = PRUNING_FORMS.map(({ form }) => readPruning({ ...FIRST_PRUNING, form }).words);
    expect(words).toEqual([
      "",
      "of every 4 neighbours the 2 smallest become zero",
      "of every 8 neighbours the 4 smallest become zero",
      "the smallest 50.0 % of a matrix become zero",
      "the 50.0 % of a matrix's rows with the smallest norms become zero",
      "the 50.0 % of a matrix's columns with the smallest norms become zero",
    ]);
  });

  test("a wrong pruning says what would be right", () => {
    const reading = readPruning({ ...FIRST_PRUNING, form: "n:m", n: "9", m: "8" });
    expect(reading.isGood).toBe(false);
    expect(reading.words).toContain("1 ≤ N < M ≤ 32");
  });

  test.each([
    [{}, "int4:group=32"],
    [{ bits: 8, per: "channel" }, "int8:channel"],
    [{ bits: 2, isSymmetric: false, per: "tensor" }, "int2:tensor:asym"],
    [{ per: "other", size: " 48 " }, "int4:group=48"],
  ] as const)("an own scheme of %j is %s", (change, name) => {
    expect(readOwn({ ...FIRST_OWN, ...change }, FIRST)).toMatchObject({ isGood: true, name });
  });

  test("each choice of what shares a scale can be read", () => {
    for (const { per } of SCALES_PER) expect(readOwn({ ...FIRST_OWN, per }, FIRST).isGood).toBe(true);
  });

  test("an own scheme comes after the pruning", () => {
    const reading = readOwn(FIRST_OWN, pruned({ form: "rows", share: "0.25" }));
    expect(reading).toMatchObject({ isGood: true, name: "magnitude:rows:0.25 | int4:group=32" });
  });

  test("a wrong group size is told in the words of the engine's own reading", () => {
    const reading = readOwn({ ...FIRST_OWN, per: "other", size: "0" }, FIRST);
    expect(reading).toMatchObject({ isGood: false });
    expect(reading.words).toMatch(/^A group size of "0"\. Allowed: whole numbers from 1/);
  });

  test("without steps a scheme stays as it is", () => {
    expect(readSteps("W4A16", FIRST)).toMatchObject({ isGood: true, name: "W4A16" });
  });
});

describe("the method", () => {
  test("every form reads back, in words", () => {
    const words = METHOD_FORMS.map(({ form }) => readMethod({ ...FIRST_METHOD, form, text: "awq:grid=4" }).words);
    expect(words).toEqual([
      "",
      "GPTQ with static activation order and dampening 0.01",
      "AWQ with duo scaling over 20 grid points, then rounding to nearest",
      "SmoothQuant of strength 0.5, then rounding to nearest",
      "SmoothQuant of strength 0.5, then GPTQ with static activation order and dampening 0.01",
      "AWQ with duo scaling over 4 grid points, then rounding to nearest",
    ]);
  });

  test.each([
    [{ form: "rtn" }, "W8A8"],
    [gptq, "gptq | W8A8"],
    [{ form: "awq", duo: "no", clips: true }, "awq:duo=no:clip | W8A8"],
    [{ form: "smoothquant", strength: " 0.8 " }, "smoothquant:strength=0.8 | W8A8"],
    [{ form: "smoothquant+gptq", strength: "0.8" }, "smoothquant:strength=0.8+gptq | W8A8"],
    [{ form: "own", text: "GPTQ:damp=0.02" }, "gptq:damp=0.02 | W8A8"],
  ] as const)("%j is %s", (change, name) => {
    expect(readSteps("W8A8", { ...FIRST, method: { ...FIRST_METHOD, ...change } })).toMatchObject({ name });
  });

  test("goes before every preset that can take it, and not before pruning alone", () => {
    const steps = { pruning: pruned({ form: "2:4", criterion: "wanda" }).pruning, method: gptq };
    const [alone, weights] = offers([], steps);
    expect(alone?.offers[0]?.recipe).toBe("wanda:2:4 | none");
    expect(weights?.offers[0]?.recipe).toMatch(/^wanda:2:4 \| gptq \| W/);
  });

  test("a wrong strength or text blocks what it would be added to, and says what would be right", () => {
    const method = { ...FIRST_METHOD, form: "smoothquant", strength: "1.5" } as const;
    expect(readMethod(method).words).toContain("a number from 0 to 1");
    expect(offers([], { ...FIRST, method })[0]?.offers[0]?.blocked).toBe("The method cannot be read.");
    expect(readMethod({ ...FIRST_METHOD, form: "own", text: "gptq+awq" }).isGood).toBe(false);
  });

  test("whole rows go by magnitude, whatever ranked the weights before", () => {
    const { pruning } = pruned({ form: "rows", criterion: "wanda" });
    expect(readSteps("W4A16", { ...FIRST, pruning })).toMatchObject({ name: "magnitude:rows:0.5 | W4A16" });
    expect(needsText({ ...FIRST, pruning })).toBe(false);
  });

  test("a calibration text is spoken of where one is needed", () => {
    expect(needsText(FIRST)).toBe(false);
    expect(needsText({ ...FIRST, method: gptq })).toBe(true);
    expect([needsText(pruned({ form: "2:4" })), needsText(pruned({ form: "2:4", criterion: "wanda" }))]).toEqual([
      false,
      true,
    ]);
  });
});

describe("a recipe as text", () => {
  test("is brought into its one spelling and told in words", () => {
    expect(readRecipe(" w8a16@re:.*down_proj ;w4a16 ")).toEqual({
      isGood: true,
      name: "W8A16@re:.*down_proj; W4A16",
      words: "re:.*down_proj: int8, symmetric, groups of 128; the rest: int4, symmetric, groups of 128",
    });
  });

  test.each(["", "W9A16", "W4A16; W8A8", "magnitude:2:4", "int4:group=x", "W4A16@re:(", "W4A16@\u202Eevil; W8A8; x"])(
    "%j is refused in words that can be printed",
    (text) => {
      const reading = readRecipe(text);
      expect(reading.isGood).toBe(false);
      expect(reading.words).toMatch(/^.+\. Allowed: .+\. .+\.$/s);
      expect(reading.words).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    },
  );
});

describe("the set", () => {
  test("takes each once, eight at most, and never becomes empty", () => {
    expect(withRecipe(["W4A16"], "W8A8")).toEqual(["W4A16", "W8A8"]);
    expect(withRecipe(["W4A16"], "W4A16")).toEqual(["W4A16"]);
    expect(withRecipe(EIGHT, "W4A4")).toBe(EIGHT);
    expect(EIGHT).toHaveLength(MAX_RECIPES);
    // Its own number: the engine's would bring every kernel into the page beside the worker.
    expect(withoutRecipe(["W4A16", "W8A8"], "W4A16")).toEqual(["W8A8"]);
    expect(withoutRecipe(["W8A8"], "W8A8")).toEqual(["W8A8"]);
  });

  test("a method brings its plain twin along where there is room, and says where there is none", () => {
    const after = withRecipe(["W8A8"], "gptq | W4A16");
    expect(after).toEqual(["W8A8", "W4A16", "gptq | W4A16"]);
    expect(addedWords(["W8A8"], after, "gptq | W4A16")).toBe("Added W4A16 and gptq | W4A16");
    expect(withRecipe(["W4A16"], "gptq | W4A16")).toEqual(["W4A16", "gptq | W4A16"]);
    const seven = EIGHT.filter((name) => name !== "W4A16");
    const full = withRecipe(seven, "gptq | W4A16");
    expect(full).toEqual([...seven, "gptq | W4A16"]);
    expect(addedWords(seven, full, "gptq | W4A16")).toBe("Added gptq | W4A16; there is no room for W4A16 beside it");
  });

  test("says why nothing can be added", () => {
    expect(fullWords(EIGHT)).toContain("take one out");
    expect(fullWords(["W4A16"])).toBeNull();
    expect(blockedWords(readRecipe("w4a16"), ["W4A16"])).toBe("It is among the chosen ones.");
    expect(blockedWords(readRecipe("W4A4"), EIGHT)).toBe(fullWords(EIGHT));
    expect(blockedWords(readRecipe("W4A4"), ["W4A16"])).toBeNull();
  });
});
