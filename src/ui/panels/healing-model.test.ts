import { expect, test } from "vitest";
import { sampleHeal } from "../../../tests/support/measured-words.ts";
import { healCaption, recoveryOf } from "./healing-model.ts";

test("the best part is named with its share, the one that makes it worse too", () => {
  expect(healCaption(sampleHeal(), false)).toEqual({
    strong: "Layer 2 put back removes 71 % of the divergence here.",
    plain: "0.420 nats with nothing put back. With layer 1 put back it grew by 12 %.",
  });
  expect(healCaption(sampleHeal({ at: null }), false).strong).toContain("over the whole text");
});

test("a growing and a stopped one say how far they are", () => {
  expect(healCaption(sampleHeal({ outcome: "partial" }), true).plain).toContain("3 parts so far.");
  const [first] = sampleHeal().parts;
  const stopped = sampleHeal({ outcome: "partial", parts: first === undefined ? [] : [first] });
  expect(healCaption(stopped, false).plain).toContain("Stopped after one part.");
  expect(healCaption(sampleHeal({ parts: [] }), true).strong).toBe("Parts are put back one at a time.");
});

test("where nothing heals, that is said", () => {
  const parts = (recovered: number | null) => [{ name: "mlp.down_proj", modules: [], kld: 0.5, recovered }];
  expect(healCaption(sampleHeal({ unit: "kind", parts: parts(-0.1) }), false).strong).toBe(
    "No part alone heals: even with mlp.down_proj put back the divergence grew.",
  );
  expect(healCaption(sampleHeal({ parts: parts(null) }), false).strong).toBe("There is no divergence here to remove.");
});

test("layers are called so, kinds by their name", () => {
  expect(recoveryOf(sampleHeal(), false).bars.map(({ name }) => name)).toEqual(["layer 2", "layer 0", "layer 1"]);
  const parts = [{ name: "mlp.down_proj", modules: [], kld: 0.1, recovered: 0.5 }];
  expect(recoveryOf(sampleHeal({ unit: "kind", parts }), false).bars[0]?.name).toBe("mlp.down_proj");
});
