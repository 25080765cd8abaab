import { expect, test } from "vitest";
import { WHOLE_PRESET } from "../../engine/roundings.ts";
import { wordsAnswer } from "./word-text-words.ts";

const figures = { positions: 2040, notFinite: 0, flips: 212, lost: 60, found: 31, meanKld: 0.033, halfShare: 0.06 };
const base = {
  scheme: "W4A16",
  source: "scripture: 16 windows",
  doneWindows: 16,
  windows: 16,
  roundings: WHOLE_PRESET,
};

test("the answer counts flips, says where the divergence lies, and what was rounded", () => {
  const { sentence, evidence } = wordsAnswer({ ...base, figures });
  expect(sentence).toBe(
    "W4A16 changes the most likely token at 212 of 2\u202f040 positions; half of its divergence lies in 6.0 % of them.",
  );
  expect(evidence).toBe(
    "scripture: 16 windows · 60 flips lose the right word, 31 find it · mean KLD 0.0330 nats · rounded: weights, activations where the scheme says so · the second half of each window is scored",
  );
});

test("a growing one says how far it is; positions that are not finite are told", () => {
  const { evidence } = wordsAnswer({
    ...base,
    doneWindows: 2,
    figures: { ...figures, notFinite: 3, lost: 0, found: 0 },
  });
  expect(evidence).toContain("2 of 16 windows so far");
  expect(evidence).toContain("3 positions are not finite and left out");
  expect(evidence).toContain("no flip loses the right word, none finds it");
});

test("no divergence and no finite position are said, not counted", () => {
  const none = { ...figures, flips: 0, halfShare: null };
  expect(wordsAnswer({ ...base, figures: none }).sentence).toMatch(/at 0 of .*; it diverges nowhere\.$/);
  expect(wordsAnswer({ ...base, figures: { ...none, positions: 0 } }).sentence).toBe(
    "No position of W4A16 has a finite score.",
  );
});

test("other roundings are named", () => {
  const only = (roundings: typeof WHOLE_PRESET) => wordsAnswer({ ...base, roundings, figures }).evidence;
  expect(only({ weights: false, activations: false, kvCache: "int8:tensor" })).toContain(
    "rounded: KV cache int8:tensor",
  );
  expect(only({ weights: false, activations: false, kvCache: null })).toContain("nothing is rounded");
});
