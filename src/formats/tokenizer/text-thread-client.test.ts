import { expect, test, vi } from "vitest";
import type { TextAnswer } from "./text-thread.d.mts";
import { type TextThread, TextThreadClient } from "./text-thread-client.ts";

/** A thread that does what a test says. */
function threadThat(
  onPost: (answer: (message: TextAnswer) => void, fail: (reason: string) => void) => void,
  starts = true,
) {
  let answer: (message: TextAnswer) => void = () => undefined;
  let fail: (reason: string) => void = () => undefined;
  const terminate = vi.fn();
  const thread: TextThread = {
    post: () => onPost(answer, fail),
    listen(onAnswer, onFailure) {
      [answer, fail] = [onAnswer, onFailure];
      if (starts) queueMicrotask(() => onAnswer({ value: "ready" }));
    },
    terminate,
  };
  return { client: new TextThreadClient(() => thread), terminate, fail: (reason: string) => fail(reason) };
}

const ENCODE = { kind: "encode", texts: ["x"], addsSpecial: true } as const;
const TEMPLATE = { kind: "template", text: "x" } as const;

test("an answer arrives, and the next one", async () => {
  let count = 0;
  const { client } = threadThat((answer) => answer({ value: ++count }));
  expect(await client.request(ENCODE, { limitMs: 1000 })).toBe(1);
  expect(await client.request(ENCODE, { limitMs: 1000 })).toBe(2);
});

test("a thread that takes too long is ended, and asked no more", async () => {
  const { client, terminate } = threadThat(() => undefined);
  await expect(client.request(TEMPLATE, { limitMs: 10 })).rejects.toMatchObject({
    code: "template/too-slow",
    fields: { rule: "K13" },
  });
  expect(terminate).toHaveBeenCalled();
  await expect(client.request(ENCODE, { limitMs: 10 })).rejects.toMatchObject({ code: "worker/text-thread-died" });
});

test("a thread that dies is told, whether it was asked or not", async () => {
  const { client } = threadThat((_, fail) => fail("out of\u0007memory"));
  await expect(client.request(ENCODE, { limitMs: 1000 })).rejects.toMatchObject({
    code: "worker/text-thread-died",
    found: "out of\\u{7}memory",
  });
});

test("a thread that never starts is told", async () => {
  const { client, fail } = threadThat(() => undefined, false);
  const asked = client.request(ENCODE, { limitMs: 1000 });
  fail("404");
  await expect(asked).rejects.toMatchObject({ code: "worker/text-thread-not-started", found: "404" });
});

test.each([
  ["syntax", ENCODE, "tokenizer/bad-pattern", "K03"],
  ["syntax", TEMPLATE, "template/syntax", "K13"],
  ["grows", ENCODE, "tokenizer/grows", "K04"],
  ["failed", ENCODE, "tokenizer/failed", "K11"],
  ["failed", TEMPLATE, "template/failed", "K13"],
  ["refused", TEMPLATE, "template/refused", "K13"],
] as const)("a failure by %s has its code and rule", async (kind, message, code, rule) => {
  const { client } = threadThat((answer) => answer({ failure: { kind, words: "why" } }));
  await expect(client.request(message, { limitMs: 1000 })).rejects.toMatchObject({ code, fields: { rule } });
});

test("what was cancelled is neither waited for nor begun", async () => {
  const post = vi.fn();
  const { client, terminate } = threadThat(post);
  const controller = new AbortController();
  const asked = client.request(ENCODE, { limitMs: 10_000, signal: controller.signal });
  setTimeout(() => controller.abort(), 5);
  await expect(asked).rejects.toMatchObject({ code: "run/cancelled" });
  expect(terminate).toHaveBeenCalled();
  const other = threadThat(post);
  post.mockClear();
  await expect(other.client.request(ENCODE, { limitMs: 10, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "run/cancelled",
  });
  expect(post).not.toHaveBeenCalled();
});
