import { expect, test } from "vitest";
import { asLabError, LabError, quote } from "./errors.ts";

test("a message has four parts and survives as data", () => {
  const error = new LabError({
    code: "source/unreadable",
    doing: "reading x",
    found: "nothing",
    allowed: "something",
    advice: "look again",
    fields: { file: "x" },
  });
  expect(error.message).toBe("Reading x: nothing. Allowed: something. Look again.");
  const copy = LabError.fromData(structuredClone(error.toData()));
  expect(copy.toData()).toEqual(error.toData());
  expect(asLabError(error, "anything")).toBe(error);
});

test("what nobody foresaw keeps its cause", () => {
  const cause = new TypeError("odd");
  const error = asLabError(cause, "working");
  expect([error.code, error.found, error.cause]).toEqual(["run/unexpected", "odd", cause]);
});

test("untrusted text is harmless in a terminal and a page", () => {
  expect(quote("a\u001b[31mb\u202ec\u200bd\ne")).toBe("a\\u{1b}[31mb\\u{202e}c\\u{200b}d\\u{a}e");
  expect(quote("x".repeat(10_000))).toHaveLength(201);
});
