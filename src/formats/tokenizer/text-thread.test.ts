import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../base/json.ts";
import { encodeTexts, makeTokenizer } from "./text-thread.mjs";
import { readTokenizerStructure } from "./tokenizer-file.ts";

// Tokens of every kind of step against what the reference wrote: fixtures/golden/tokenizer.

interface GoldenCase {
  readonly name: string;
  readonly model: string;
  readonly ids: readonly (readonly number[])[];
}

interface Golden {
  readonly texts: readonly string[];
  readonly models: Readonly<Record<string, unknown>>;
  readonly cases: readonly GoldenCase[];
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../../fixtures/golden/tokenizer/steps.json", import.meta.url), "utf8"),
);

test("there are cases", () => expect(golden.cases.length).toBeGreaterThan(50));

describe("tokens are the reference's", () => {
  test.each(golden.cases)("$name", ({ ids, model, ...steps }) => {
    const text = JSON.stringify({ ...steps, model: golden.models[model] });
    // The checks of the file let it pass, and foresee what stands around a text.
    const { template } = readTokenizerStructure(parseJson(new TextEncoder().encode(text), "tokenizer.json"));
    const tokenizer = makeTokenizer(text);
    const own = encodeTexts(tokenizer, golden.texts, true).map((each) => [...each]);
    expect(own).toEqual(ids);
    const bare = encodeTexts(tokenizer, golden.texts, false).map((each) => [...each]);
    expect(own).toEqual(bare.map((each) => [...template.before, ...each, ...template.after]));
  });
});
