import { expect, test } from "vitest";
import { sampleMethods } from "../../engine/method-words.cases.ts";
import { METHOD_FAMILIES, rankMethods } from "../../engine/method-words.ts";
import { type CardView, cardViews } from "./method-cards-model.ts";

const { rows, verdict } = sampleMethods();
const views = cardViews(rankMethods(rows, verdict));
const view = (family: string): CardView | undefined => views.find((own) => own.family === family);

test("every method has a card with its paper, measured or not", () => {
  expect(views.map(({ family }) => family)).toEqual([...METHOD_FAMILIES]);
  for (const { does, time, memory, wins, source } of views) {
    expect(does.match(/[.](\s|$)/g)).toHaveLength(2);
    for (const words of [time, memory, wins]) expect(words).toMatch(/\.$/);
    expect(source).toMatch(/arXiv \d{4}\.\d{5}/);
  }
});

test("a closed card says how its method stands, or that it was not measured", () => {
  expect(views.map(({ summary }) => summary)).toEqual([
    "W4A16: place ≈ 2 of 3 · W8A8: measured alone",
    "W4A16: place 1 of 3",
    "W4A16: place ≈ 2 of 3",
    "not measured here",
    "not measured here",
    "not measured here",
  ]);
  expect(
    cardViews([]).every(({ summary, standings }) => summary === "not measured here" && standings.length === 0),
  ).toBe(true);
});

test("an open card has place, gain with interval, time, and all rows of the scheme with its own marked", () => {
  const [standing] = view("gptq")?.standings ?? [];
  expect(standing?.lines).toEqual([
    {
      scheme: "gptq | W4A16",
      place: "place 1 of 3",
      gain: "wins over W4A16 by 0.0100 nats, 95 % 0.00800 … 0.0120: 30.0 % of its divergence removed",
      isLoss: false,
      time: "1.89 s of GPTQ on 1\u2009024 tokens of calibration text",
    },
  ]);
  expect(standing?.rows.map(({ scheme, isOwn }) => [scheme, isOwn])).toEqual([
    ["gptq | W4A16", true],
    ["W4A16", false],
    ["awq | W4A16", false],
  ]);
  expect(standing?.rows[0]).toMatchObject({ kld: "0.0200", interval: expect.stringMatching(/^0\.0\d+ … 0\.0\d+$/) });
  expect(standing?.basis).toContain("2\u2009032 positions");
  expect(view("plain")?.standings[0]?.lines[0]).toMatchObject({ gain: "", time: "" });
});

test("many schemes are counted on a closed card", () => {
  const [ranking] = rankMethods(rows, verdict);
  if (ranking === undefined) throw new Error("no ranking");
  const many = ["W2A16", "W3A16", "W4A16"].map((plain) => ({ ...ranking, plain }));
  expect(cardViews(many)[1]?.summary).toBe("W2A16: place 1 of 3 · W3A16: place 1 of 3 · 1 more");
});
