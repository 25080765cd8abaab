import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Checkpoint, openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { nodeText } from "./node-text.ts";
import { choiceWindow, choiceWindows } from "./tasks-windows.ts";

const LIMITS = { maxPositions: 8, vocabularySize: 100 };

describe("a choice's window", () => {
  test("scores what comes after the context's tokens", () => {
    expect(choiceWindow([1, 2, 3], [1, 2, 3, 4, 5], LIMITS, 1)).toEqual({
      ids: [1, 2, 3, 4, 5],
      scored: { start: 2, end: 4 },
      isCut: false,
    });
  });

  test("counts a token across the seam as the choice's", () => {
    expect(choiceWindow([1, 2, 3], [1, 2, 9, 5], LIMITS, 1).scored).toEqual({ start: 1, end: 3 });
    expect(choiceWindow([1, 2, 3], [1, 9], LIMITS, 1).scored).toEqual({ start: 0, end: 1 });
  });

  test("is cut from the left, and never the choice", () => {
    const context = [1, 2, 3, 4, 5, 6, 7];
    const whole = [...context, 11, 12, 13];
    expect(choiceWindow(context, whole, LIMITS, 1)).toEqual({
      ids: [3, 4, 5, 6, 7, 11, 12, 13],
      scored: { start: 4, end: 7 },
      isCut: true,
    });
    expect(choiceWindow([1], [1, 2, 3, 4, 5, 6, 7, 8], LIMITS, 1).isCut).toBe(false);
    expect(() => choiceWindow([1], [1, 2, 3, 4, 5, 6, 7, 8, 9], LIMITS, 4)).toThrow(
      expect.objectContaining({ code: "tasks/choice-too-long", fields: { item: 4 } }),
    );
    expect(
      choiceWindow(
        [1],
        Array.from({ length: 50 }, (_, id) => id + 1),
        { ...LIMITS, maxPositions: null },
        1,
      ).isCut,
    ).toBe(false);
  });

  test.each([
    ["no token of its own", [1, 2], [1, 2], "tasks/no-tokens"],
    ["nothing before it", [1, 2], [3, 4], "tasks/nothing-before"],
    ["an id that the model does not have", [1], [1, 100], "text/id-outside-vocabulary"],
  ])("with %s is refused", (_, context, whole, code) => {
    expect(() => choiceWindow(context, whole, LIMITS, 2)).toThrow(expect.objectContaining({ code }));
  });
});

describe("tokens of an item", () => {
  const MODEL = new URL("../../fixtures/models/quantlab-4m/", import.meta.url);
  const TEXTS = nodeText();

  async function checkpointOf(names: readonly string[]): Promise<Checkpoint> {
    const files = names.map((name) => [name, createBufferSource(name, readFileSync(new URL(name, MODEL)))] as const);
    return openCheckpoint({ name: "quantlab-4m", files: new Map(files) }, { allowNoWeights: true });
  }

  const windowsOf = async (context: string, choices: readonly string[]) => {
    const checkpoint = await checkpointOf(["config.json", "tokenizer.json", "tokenizer_config.json"]);
    const limits = { maxPositions: 512, vocabularySize: 2048 };
    const [own] = await choiceWindows(checkpoint, [{ context, choices, answer: 0 }], limits, TEXTS.startThread);
    return own ?? [];
  };

  test("begin with the tokenizer's first token, and share the context", async () => {
    const [first, second] = await windowsOf("In the beginning God created the", [" heaven and the earth", " light"]);
    expect(first?.ids[0]).toBe(0);
    expect(first?.scored.start).toBe(second?.scored.start);
    const start = (first?.scored.start ?? 0) + 1;
    expect(first?.ids.slice(0, start)).toEqual(second?.ids.slice(0, start));
    expect(first?.ids.slice(start)).not.toEqual(second?.ids.slice(start));
  });

  test("leave white space at the end of a context to the choices", async () => {
    const [spaced] = await windowsOf("In the beginning God created the ", ["heaven", "earth"]);
    const [plain] = await windowsOf("In the beginning God created the", [" heaven", " earth"]);
    expect(spaced).toEqual(plain);
  });

  test("need a tokenizer", async () => {
    const checkpoint = await checkpointOf(["config.json"]);
    const items = [{ context: "a", choices: ["b", "c"], answer: 0 }];
    await expect(choiceWindows(checkpoint, items, LIMITS, TEXTS.startThread)).rejects.toMatchObject({
      code: "text/no-tokenizer",
    });
  });
});
