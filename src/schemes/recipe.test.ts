import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import { PLAIN_ROUNDING, parseMethod } from "./method.ts";
import { PRESETS } from "./presets.ts";
import { parsePruning } from "./pruning.ts";
import {
  describeRecipe,
  groupFor,
  hasStaticActivations,
  namesMethod,
  needsCalibration,
  needsMethodRun,
  parseRecipe,
  parseRunRecipe,
  parseScheme,
  plainTwin,
  precedenceDiffers,
  roundsActivations,
  withMethod,
  withPlainTwins,
  withPruning,
} from "./recipe.ts";
import { activationWords } from "./scheme.ts";

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LabError) return error.code;
    throw error;
  }
  return "no error";
}

const schemeNames = fc.oneof(
  fc.constantFrom(...PRESETS.map(({ name }) => name)),
  fc.constantFrom(
    "int3:tensor",
    "int4:group=32:asym",
    "int8:group=128",
    "int6:channel:asym",
    "int4:group=32/int8:tensor:static=minmax",
  ),
);
/** Targets in three lots, so that no target comes twice. */
const LOTS = [
  ["lm_head", "a.b.q_proj", "re:.*(q|k)_proj"],
  ["re:x{1,2}$", "re:.*mlp, or so"],
  ["none", "magnitude:2:4", "W8A8"],
];
const groups = fc
  .subarray(LOTS)
  .chain((lots) => fc.tuple(...lots.map((lot) => fc.tuple(schemeNames, fc.shuffledSubarray(lot, { minLength: 1 })))))
  .map((parts) => parts.map(([scheme, targets]) => [scheme, ...targets].join("@")));
const specs = fc
  .record({
    pruning: fc.constantFrom(
      "",
      "magnitude:2:4 | ",
      "magnitude:0.3 | ",
      "magnitude:rows:0.25 | ",
      "wanda:0.5 | ",
      "sparsegpt:2:4 | ",
    ),
    method: fc.constantFrom(
      "",
      "gptq:actorder=none | ",
      "smoothquant:layers=0-3/0.8,5/1+gptq | ",
      "awq:duo=no:clip | ",
    ),
    groups,
    rest: fc.oneof(fc.constant([]), schemeNames.map(Array.of<string>)),
  })
  .map(({ pruning, method, groups, rest }) => {
    const texts = [...groups, ...rest];
    return texts.length > 0 ? `${pruning}${method}${texts.join("; ")}` : `${pruning}none`;
  })
  .filter((spec) => spec !== "none");

test("a canonical spelling is its own", () => {
  fc.assert(
    fc.property(specs, (spec) => {
      expect(parseRecipe(spec).name).toBe(spec);
    }),
  );
});

test("white space and letter case of schemes, prunings and methods do not count", () => {
  const loose = specs.map((spec) => ({
    spec,
    loose: `  ${spec
      .replace(/(^| \| |; )([^@;|]+)/g, (_all, before: string, name: string) => `${before}${name.toLowerCase()}`)
      .replaceAll("; ", "  ;\t")
      .replaceAll("@", " @ ")
      .replaceAll(" | ", "|")} `,
  }));
  fc.assert(
    fc.property(loose, (pair) => {
      expect(parseRecipe(pair.loose)).toEqual(parseRecipe(pair.spec));
    }),
  );
});

test("withPruning sets, replaces and takes away a pruning and nothing else", () => {
  const pruning = parsePruning("magnitude:1:8");
  fc.assert(
    fc.property(specs, (spec) => {
      const pruned = parseRecipe(withPruning(spec, pruning));
      const { groups, method } = parseRecipe(spec);
      expect([pruned.pruning, pruned.method, pruned.groups]).toEqual([pruning, method, groups]);
      if (pruned.groups.length > 0) expect(parseRecipe(withPruning(pruned.name, null)).pruning).toBeNull();
    }),
  );
  expect(withPruning("none", pruning)).toBe("magnitude:1:8 | none");
  expect(codeOf(() => withPruning("magnitude:2:4 | none", null))).toBe("scheme/nothing-to-do");
});

test("withMethod sets, replaces and takes away a method and nothing else", () => {
  const method = parseMethod("smoothquant+gptq:damp=0.1");
  fc.assert(
    fc.property(specs, (spec) => {
      const { groups, pruning } = parseRecipe(spec);
      if (groups.length === 0) {
        expect(codeOf(() => withMethod(spec, method))).toBe("scheme/bad-recipe");
        return;
      }
      const changed = parseRecipe(withMethod(spec, method));
      expect([changed.pruning, changed.method, changed.groups]).toEqual([pruning, method, groups]);
      const plain = parseRecipe(withMethod(changed.name, null));
      expect([plain.pruning, plain.method, plain.groups]).toEqual([pruning, PLAIN_ROUNDING, groups]);
    }),
  );
});

test("a recipe names its method where it says one, if only rtn", () => {
  const specs = ["W4A16", "rtn | W4A16", "wanda:2:4 | GPTQ|W4A16", "wanda:2:4 | W4A16", "W4A16@re:(gptq|awq)", "none"];
  expect(specs.map(namesMethod)).toEqual([false, true, true, false, false, false]);
});

test("a run takes none alone, and a recipe's method otherwise", () => {
  expect(parseRunRecipe("rtn | none")).toEqual({ name: "none", pruning: null, method: PLAIN_ROUNDING, groups: [] });
  expect(parseRunRecipe("awq | W4A16").method.name).toBe("awq");
  expect(codeOf(() => parseRunRecipe("gptq | none"))).toBe("scheme/bad-recipe");
});

test.each([
  ["w4a16", "W4A16"],
  ["W4A16@Linear", "W4A16"],
  ["W8A8@re:.*v_proj@re:.*o_proj;W4A16@lm_head@Linear", "W8A8@re:.*v_proj@re:.*o_proj; W4A16"],
  ["MAGNITUDE:2:4|NONE", "magnitude:2:4 | none"],
  ["magnitude:0.50 | int4@re:.*(q|k)_proj", "magnitude:0.5 | int4:group=128@re:.*(q|k)_proj"],
  ["int8", "INT8"],
  ["RTN | w4a16", "W4A16"],
  ["magnitude:2:4 | rtn | none", "magnitude:2:4 | none"],
  ["SparseGPT:2:4|SmoothQuant:strength=.80+GPTQ|w8a8", "sparsegpt:2:4 | smoothquant:strength=0.8+gptq | W8A8"],
  ["awq|W4A16@re:.*(q|k)_proj", "awq | W4A16@re:.*(q|k)_proj"],
  ["awq:duo=no | int8:tensor", "awq:duo=no | int8:tensor"],
  ["int8:group=128", "int8:group=128"],
])("%s is %s", (spec, name) => expect(parseRecipe(spec).name).toBe(name));

test.each([
  ["W9A9", "scheme/unknown"],
  ["FP8", "scheme/unknown"],
  ["int9", "scheme/bad-custom"],
  ["magnitude:9 | W4A16", "scheme/bad-pruning"],
  ["magnitude:2:4; W4A16@re:(a|b)", "scheme/bad-pruning"],
  ["magnitude:2:4", "scheme/bad-recipe"],
  ["", "scheme/bad-recipe"],
  ["W4A16;", "scheme/bad-recipe"],
  [";W4A16", "scheme/bad-recipe"],
  ["@re:a", "scheme/bad-recipe"],
  ["W4A16@", "scheme/bad-recipe"],
  ["W4A16@ @re:a", "scheme/bad-recipe"],
  ["W8A16@a; none", "scheme/bad-recipe"],
  ["none@a", "scheme/bad-recipe"],
  ["W4A16@a; W8A16@b@a", "scheme/bad-recipe"],
  ["magnitude:2:4 |", "scheme/bad-recipe"],
  ["magnitude:2:4 | magnitude:2:4 | none", "scheme/unknown"],
  ["none", "scheme/nothing-to-do"],
  ["rtn | none", "scheme/nothing-to-do"],
  ["gptq", "scheme/bad-recipe"],
  ["gptq | none", "scheme/bad-recipe"],
  ["wanda:2:4 | awq | none", "scheme/bad-recipe"],
  ["wanda:2:4", "scheme/bad-recipe"],
  // A smaller model is quantized once it is one.
  ["wanda:channels:0.25 | W4A16", "scheme/bad-recipe"],
  ["wanda:layers:0.25 | gptq | W4A16@re:.*mlp", "scheme/bad-recipe"],
  ["awq | int8:tensor", "scheme/bad-recipe"],
  ["awq:duo=both+gptq | W4A16@re:a; int4:tensor", "scheme/bad-recipe"],
  ["gptq:bits=4 | W4A16", "scheme/bad-method"],
  ["rtn+gptq | W4A16", "scheme/bad-method"],
  // One method at most, and after the pruning.
  ["awq | gptq | W4A16", "scheme/unknown"],
  ["gptq | wanda:2:4 | W4A16", "scheme/unknown"],
  ["wanda:rows:0.5 | W4A16", "scheme/bad-pruning"],
  ["W4A16@re:(", "scheme/bad-pattern"],
  ["W4A16@re:(?i)a", "scheme/bad-pattern"],
  ["W4A16; W8A16", "scheme/unreachable-group"],
  ["W4A16; W8A16@re:a", "scheme/unreachable-group"],
  ["W4A16@Linear@a; W8A16@re:b", "scheme/unreachable-group"],
])("%j is refused as %s", (spec, code) => expect(codeOf(() => parseRecipe(spec))).toBe(code));

test("a scheme is a preset before it is custom", () => {
  expect(parseScheme("int8").inputActivations).not.toBeNull();
  expect(parseScheme("int8:channel").inputActivations).toBeNull();
  expect(codeOf(() => parseScheme("nothing"))).toBe("scheme/unknown");
});

test.each([
  ["W4A16", "int4, symmetric, groups of 128"],
  ["magnitude:2:4 | none", "of every 4 neighbours the 2 smallest become zero, nothing is quantized"],
  [
    "magnitude:2:4 | W8A8",
    "of every 4 neighbours the 2 smallest become zero, then int8, symmetric, one scale per output row, activations int8 per token",
  ],
  [
    "W8A8@re:.*down_proj@re:.*v_proj; int3:tensor:asym",
    "re:.*down_proj, re:.*v_proj: int8, symmetric, one scale per output row, activations int8 per token; the rest: int3, asymmetric, one scale per matrix",
  ],
  ["gptq:damp=0.02 | W4A16", "GPTQ with static activation order and dampening 0.02: int4, symmetric, groups of 128"],
  [
    "wanda:2:4 | smoothquant | W8A8@re:.*down_proj",
    "of every 4 neighbours the 2 smallest by Wanda become zero, then SmoothQuant of strength 0.5, then rounding to nearest: re:.*down_proj: int8, symmetric, one scale per output row, activations int8 per token; the rest: as it is",
  ],
  ["int4:observer=memoryless_mse", "int4, symmetric, groups of 128, ranges by memoryless_mse"],
  [
    "int4:channel:asym:observer=mse",
    "int4, asymmetric, one scale per output row, ranges by mse (for weights memoryless_mse)",
  ],
  [
    "int8:tensor:observer=static_minmax/int8",
    "int8, symmetric, one scale per matrix, ranges by static_minmax (for weights memoryless_minmax), activations int8 per token",
  ],
  ["W4A16@re:.*down_proj", "re:.*down_proj: int4, symmetric, groups of 128; the rest: as it is"],
  ["int4:group=32/int4:group=32", "int4, symmetric, groups of 32, activations int4 per group of 32"],
  [
    "int8:channel/int8:tensor:static=static_minmax:asym",
    "int8, symmetric, one scale per output row, activations asymmetric int8 per tensor, static (static_minmax)",
  ],
  ["int8:tensor/int8:tensor:static", "int8, symmetric, one scale per matrix, activations int8 per tensor, static"],
])("%s in words", (spec, words) => expect(describeRecipe(parseRecipe(spec))).toBe(words));

test("activations are rounded where one group rounds them", () => {
  const rounds = (spec: string) => roundsActivations(parseRecipe(spec));
  expect(["W4A16", "W8A8", "W8A8@a; W4A16", "int8:channel", "magnitude:2:4 | none"].map(rounds)).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});

test.each([
  ["W4A16", false, false],
  ["W8A8", false, false],
  ["int8/int8:tensor", false, false],
  ["magnitude:2:4 | rtn | none", false, false],
  ["int8/int8:tensor:static@a; W4A16", true, false],
  ["gptq | W4A16", false, true],
  ["smoothquant | W8A8", false, true],
  ["wanda:2:4 | none", false, true],
  ["sparsegpt:0.5 | int8/int8:tensor:static", true, true],
  ["int4:observer=memoryless_mse", false, false],
  ["int4:observer=imatrix_mse", false, true],
])("a calibration text for %s: for static activations %s, for the weights %s", (spec, isStatic, isMethod) => {
  const recipe = parseRecipe(spec);
  expect([hasStaticActivations(recipe), needsMethodRun(recipe)]).toEqual([isStatic, isMethod]);
  expect(needsCalibration(recipe)).toBe(isStatic || isMethod);
});

test.each([
  ["gptq | W4A16", "W4A16"],
  ["smoothquant:strength=0.8+gptq:damp=0.1 | W8A8@re:.*mlp; W4A16", "W8A8@re:.*mlp; W4A16"],
  ["sparsegpt:2:4 | none", "magnitude:2:4 | none"],
  ["wanda:0.5 | awq | W4A16", "magnitude:0.5 | W4A16"],
  ["magnitude:rows:0.25 | gptq | W4A16", "magnitude:rows:0.25 | W4A16"],
  ["W4A16", null],
  ["rtn | W4A16", null],
  ["magnitude:2:4 | none", null],
  ["wanda:heads:0.5 | none", null],
  ["int8/int8:tensor:static", null],
])("the plain twin of %s is %s", (spec, twin) => expect(plainTwin(spec)).toBe(twin));

test("a plain twin is plain, and its own spelling", () => {
  fc.assert(
    fc.property(specs, (spec) => {
      const twin = plainTwin(spec);
      expect(twin === null).toBe(!needsMethodRun(parseRecipe(spec)));
      if (twin === null) return;
      expect(parseRunRecipe(twin).name).toBe(twin);
      expect(plainTwin(twin)).toBeNull();
    }),
  );
});

describe("recipes with their plain twins", () => {
  test("have each twin once, before the first that has it", () => {
    expect(withPlainTwins(["W8A8", "gptq | W4A16", "awq | W4A16", "wanda:2:4 | none"], 8)).toEqual([
      ...["W8A8", "W4A16", "gptq | W4A16", "awq | W4A16", "magnitude:2:4 | none", "wanda:2:4 | none"],
    ]);
    expect(withPlainTwins(["gptq | W4A16", "W4A16"], 8)).toEqual(["gptq | W4A16", "W4A16"]);
    expect(withPlainTwins(["gptq | W4A16", "gptq | W4A16"], 8)).toEqual(["W4A16", "gptq | W4A16"]);
  });

  test("are no more than there is room for; the first ones have it", () => {
    expect(withPlainTwins(["gptq | W4A16", "gptq | W8A16"], 3)).toEqual(["W4A16", "gptq | W4A16", "gptq | W8A16"]);
    expect(withPlainTwins(["gptq | W4A16", "gptq | W8A16"], 2)).toEqual(["gptq | W4A16", "gptq | W8A16"]);
    expect(withPlainTwins([], 8)).toEqual([]);
  });
});

test.each([
  ["int4:group=32:observer=imatrix_mse", "int4:group=32"],
  [
    "int8:channel:observer=imatrix_mse/int8@a; int4:observer=mse",
    "int8:channel/int8:token@a; int4:group=128:observer=mse",
  ],
  ["wanda:2:4 | gptq | int4:observer=memoryless_mse", "magnitude:2:4 | int4:group=128:observer=memoryless_mse"],
  ["int4:observer=memoryless_mse", null],
])("the plain twin of %s is %s", (spec, twin) => expect(plainTwin(spec)).toBe(twin));

test("rounded inputs are called what the conformance kit calls them", () => {
  const wordsOf = (scheme: string) => {
    const { inputActivations } = parseScheme(scheme);
    return inputActivations && activationWords(inputActivations);
  };
  expect(["W8A8", "int8/int4:group=32:asym", "int8/int8:tensor:static=minmax", "W4A16"].map(wordsOf)).toEqual([
    "inputs: int 8 bit per token, dynamic",
    "inputs: int 4 bit per group, dynamic",
    "inputs: int 8 bit per tensor, static",
    null,
  ]);
});

describe("which group takes a module", () => {
  const modules = ["m.0.self_attn.q_proj", "m.0.self_attn.o_proj", "m.0.mlp.down_proj", "lm_head", "x.proj"];
  const taken = (spec: string) => {
    const groupOf = groupFor(parseRecipe(spec));
    return modules.map((module) => groupOf(module)?.scheme.name ?? null);
  };
  const differing = (spec: string) => modules.filter(precedenceDiffers(parseRecipe(spec)));

  test("is the first whose target matches", () => {
    expect(taken("W8A16@re:.*down_proj; W4A16")).toEqual(["W4A16", "W4A16", "W8A16", "W4A16", "W4A16"]);
    expect(taken("W4A16@re:.*self_attn; W8A16@m.0.self_attn.q_proj@re:.*proj")).toEqual([
      "W4A16",
      "W4A16",
      "W8A16",
      null,
      "W8A16",
    ]);
    expect(taken("magnitude:2:4 | none")).toEqual([null, null, null, null, null]);
  });

  test("is the same for oneshot where targets do not overlap or the class comes last", () => {
    expect(differing("W8A16@re:.*down_proj; W4A16")).toEqual([]);
    expect(differing("W8A16@lm_head; W4A16@re:.*proj; W8A8")).toEqual([]);
    expect(differing("magnitude:2:4 | none")).toEqual([]);
  });

  test("is another for oneshot where a name or an earlier letter comes later", () => {
    expect(differing("W4A16@re:.*self_attn; W8A16@m.0.self_attn.q_proj")).toEqual(["m.0.self_attn.q_proj"]);
    expect(differing("W4A16@re:x; W8A16@x.proj")).toEqual(["x.proj"]);
    expect(differing("W4A16@re:m.*; W8A16@re:.*down_proj")).toEqual(["m.0.mlp.down_proj"]);
    expect(differing("W4A16@re:.*down_proj; W8A16@re:m.*")).toEqual([]);
    expect(differing("W4A16@re:m.*; W4A16@re:.*down_proj")).toEqual([]);
  });
});
