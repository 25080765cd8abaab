import { describe, expect, test } from "vitest";
import { windowsAround } from "./measure-result.cases.ts";
import {
  SAMPLE_AWQ,
  SAMPLE_GAINS,
  SAMPLE_GPTQ,
  sampleGrid,
  sampleMatrix,
  sampleMethods,
  sampleReport,
} from "./method-words.cases.ts";
import {
  bestSearched,
  byReason,
  clippedWords,
  familiesOf,
  gridWords,
  hessianWords,
  layerOf,
  type MethodRanking,
  meterWords,
  methodGainWords,
  methodTime,
  outputRatioOf,
  outputWords,
  placeWords,
  plainWords,
  rankMethods,
  relativeLosses,
} from "./method-words.ts";

const ranked = ({ rows, verdict } = sampleMethods()): readonly MethodRanking[] => rankMethods(rows, verdict);

describe("what a method is made of", () => {
  test.each([
    ["W4A16", ["plain"]],
    ["magnitude:2:4 | W4A16", ["plain"]],
    ["none", ["plain"]],
    ["smoothquant:strength=0.8+gptq | W8A8", ["smoothquant", "gptq"]],
    ["sparsegpt:2:4 | gptq | W4A16", ["sparsegpt", "gptq"]],
    ["wanda:0.5 | none", ["wanda"]],
    ["awq:duo=both | W4A16", ["awq"]],
  ])("%s", (recipe, families) => expect(familiesOf(recipe)).toEqual(families));
});

describe("the ranking of methods", () => {
  test("holds rows of one scheme against each other, the nearest first, those that tie on one place", () => {
    expect(
      ranked().map(({ plain, ranked }) => [plain, ranked.map(({ scheme, place }) => `${place} ${scheme}`)]),
    ).toEqual([
      ["W4A16", ["1 gptq | W4A16", "2 W4A16", "2 awq | W4A16"]],
      ["W8A8", ["1 W8A8"]],
    ]);
    const [first, alone] = ranked();
    expect(first?.ranked.map((own) => placeWords(own, first))).toEqual([
      "place 1 of 3",
      "place 2 of 3, tied with awq | W4A16",
      "place 2 of 3, tied with W4A16",
    ]);
    expect(alone?.ranked.map((own) => placeWords(own, alone))).toEqual(["no other method measured with it"]);
  });

  test("a calibrated pruning stands beside the one by magnitude, not beside the unpruned", () => {
    const scheme = (name: string) => ({ scheme: name, bytes: 1e6, kld: windowsAround(0.4) });
    const result = sampleMethods(["W4A16", "wanda:2:4 | W4A16", "magnitude:2:4 | W4A16"].map(scheme));
    expect(ranked(result).map(({ plain, ranked }) => [plain, ranked.length])).toEqual([
      ["W4A16", 1],
      ["magnitude:2:4 | W4A16", 2],
    ]);
  });

  test("one window tells no order, and without a verdict there is none", () => {
    const scheme = (name: string, kld: number) => ({ scheme: name, bytes: 1e6, kld: [kld] });
    const result = sampleMethods([scheme("W4A16", 0.2), scheme("gptq | W4A16", 0.1)]);
    for (const verdict of [result.verdict, null]) {
      const [only] = rankMethods(result.rows, verdict);
      expect(only?.ranked.map((own) => [own.place, placeWords(own, only)])).toEqual([
        [1, "one of 2, in no order yet: that takes more windows"],
        [1, "one of 2, in no order yet: that takes more windows"],
      ]);
    }
  });

  test("leaves out given checkpoints, recipes that fail, and what has no finite figure", () => {
    const { rows, verdict } = sampleMethods();
    const [row] = rows;
    if (!row?.divergence) throw new Error("no row");
    const { divergence } = row;
    const failed = { code: "a/b", message: "", found: "", allowed: "", advice: "", doing: "", fields: {} } as never;
    const odd = [
      { ...row, method: "given", scheme: "some folder" },
      { ...row, error: failed },
      { ...row, divergence: null },
      { ...row, divergence: { ...divergence, kld: { value: Number.NaN, uncertainty: null } } },
    ];
    expect(rankMethods(odd, verdict)).toEqual([]);
    expect(rankMethods([], null)).toEqual([]);
  });
});

test("what a method buys is said from the nearer one's side, and what is open is said to be", () => {
  expect(methodGainWords(SAMPLE_GAINS.wins)).toBe(
    "wins over W4A16 by 0.0100 nats, 95 % 0.00800 … 0.0120: 30.0 % of its divergence removed",
  );
  expect(methodGainWords(SAMPLE_GAINS.loses)).toBe(
    "loses to W4A16 by 0.0100 nats, 95 % 0.00800 … 0.0120: 30.0 % of its divergence added",
  );
  expect(methodGainWords(SAMPLE_GAINS.open)).toBe(
    "0.00100 nats above W4A16, 95 % −0.00100 … 0.00300: that may be nothing",
  );
  expect(methodGainWords(SAMPLE_GAINS.alone)).toBe("0.0100 nats below W4A16: one window has no interval");
  expect(methodGainWords({ ...SAMPLE_GAINS.wins, recovered: null })).toBe(
    "wins over W4A16 by 0.0100 nats, 95 % 0.00800 … 0.0120",
  );
});

test("the time of a method is that of its own stages", () => {
  const both = sampleReport([SAMPLE_AWQ, { ...SAMPLE_GPTQ, stage: "SparseGPT with GPTQ" }]);
  expect(methodTime(both, "gptq")).toEqual({ elapsedMs: 1889, tokens: 1024 });
  expect(methodTime(both, "sparsegpt")).toEqual({ elapsedMs: 1889, tokens: 1024 });
  expect(methodTime(both, "awq")).toEqual({ elapsedMs: 7350, tokens: 1024 });
  expect(methodTime(both, "wanda")).toBeNull();
  expect(methodTime(null, "plain")).toBeNull();
});

describe("the outputs", () => {
  test("what is left of their error, and who is worse", () => {
    expect(outputWords(SAMPLE_GPTQ)).toEqual({
      strong: "GPTQ leaves 57.0 % of the output error of plain rounding.",
      plain:
        "Geometric mean over 3 matrices, on the calibration text itself; worse than without it: model.layers.0.mlp.down_proj.",
    });
    expect(outputWords({ ...SAMPLE_GPTQ, worse: [] }).plain).toContain("no matrix is worse");
    expect(outputWords({ ...SAMPLE_GPTQ, worse: ["a", "b", "c", "d", "e"] }).plain).toContain("a, b, c and 2 more.");
    expect(outputWords({ ...SAMPLE_GPTQ, outputRatio: { value: 1.2, matrices: 1 } }).strong).toBe(
      "GPTQ buys nothing here: its output error is 120 % of that of plain rounding.",
    );
    expect(outputWords(SAMPLE_AWQ).strong).toBe("No matrix has two errors to compare.");
  });

  test("are held against what the stage replaces", () => {
    expect(["GPTQ", "SparseGPT", "SparseGPT with GPTQ"].map((stage) => plainWords({ stage }))).toEqual([
      "plain rounding",
      "pruning by magnitude",
      "pruning by magnitude and plain rounding",
    ]);
  });

  test("no ratio without two errors, nor over none", () => {
    const ratio = (plain: number | null, method: number | null) => outputRatioOf({ plain, method, rows: 1 });
    expect([ratio(0.5, 0.25), ratio(0, 0.1), ratio(null, 0.1), ratio(0.1, null), outputRatioOf(null)]).toEqual([
      0.5,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("Hessians", () => {
  test("fewer tokens than channels are said to be short of rank, dead channels are counted", () => {
    expect(hessianWords(SAMPLE_GPTQ.matrices)).toEqual([
      "1\u2009024 tokens for 256 to 2\u2009048 input channels: 1 of 4 Hessians have fewer tokens than channels and so no full rank; dampening alone makes them invertible. More text would tell more.",
      "Dead channels in one matrix, up to 3 in one: no token reached them, and their weights become 0.",
      "After dampening their condition is at least 60.0 for the worst.",
    ]);
    expect(hessianWords([sampleMatrix("a", 1, 1)])).toEqual([
      "1\u2009024 tokens for 256 input channels: as many as Hessians of full rank take.",
      "No channel is dead.",
      "After dampening their condition is at least 4.72 for the worst.",
    ]);
    expect(hessianWords(SAMPLE_AWQ.matrices)).toEqual([]);
  });

  test("as many tokens as channels are enough, one less is not", () => {
    const meter = (tokens: number) => meterWords({ channels: 256, deadChannels: 0, tokens, condition: null });
    expect(meter(255)).toBe("255 tokens for 256 channels: rank deficient, inverted by dampening alone");
    expect(meter(256)).toBe("256 tokens for 256 channels: as many as full rank takes");
  });
});

describe("the search of AWQ", () => {
  test("is told beside no factors", () => {
    expect(relativeLosses(sampleGrid([4, 6, 3, null], 2))).toEqual([1, 1.5, 0.75, null]);
    expect(relativeLosses(sampleGrid([0, 1], 0))).toEqual([null, null]);
    expect(relativeLosses(sampleGrid([null, 1], 1))).toEqual([null, null]);
    expect(gridWords(sampleGrid([4, 6, 3, null], 2))).toBe(
      "Ratio 0.500 with duo scaling leaves 75.0 % of the error of plain rounding.",
    );
    expect(gridWords(sampleGrid([4, 6], 0))).toBe("No factors beat none: the weights stay as they are.");
    expect(gridWords(sampleGrid([null, 6], 1))).toBe(
      "Ratio 0 with duo scaling was chosen; without factors there is no error to hold it against.",
    );
  });

  test("the one that found most is shown first", () => {
    expect(bestSearched(SAMPLE_AWQ.smoothings)?.name).toBe("model.layers.1.input_layernorm");
    expect(bestSearched(SAMPLE_AWQ.smoothings.slice(0, 2))).toBeNull();
  });
});

test("clipped groups are added up", () => {
  const clipped = (groups: number) => sampleMatrix("a", null, null, { clipped: { groups, of: 2000 } });
  expect(clippedWords([clipped(100), sampleMatrix("b", 1, 1), clipped(20)])).toBe(
    "Clipping narrowed 120 of 4\u2009000 groups in 2 matrices.",
  );
  expect(clippedWords([sampleMatrix("b", 1, 1)])).toBeNull();
});

test("what was not done is told by reason", () => {
  const part = (name: string, reason: string | null) => ({ name, reason });
  expect(byReason([part("a", "x"), part("b", null), part("c", "y"), part("d", "x")])).toEqual([
    { reason: "x", names: ["a", "d"] },
    { reason: "y", names: ["c"] },
  ]);
});

test("a module says its layer", () => {
  expect(["model.layers.12.mlp.up_proj", "lm_head", "h.3.attn", "layer 3, v"].map(layerOf)).toEqual([
    12,
    null,
    3,
    null,
  ]);
});
