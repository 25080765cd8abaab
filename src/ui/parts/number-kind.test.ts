import { expect, test } from "vitest";
import { assumed, computed, lookedUp, measured } from "../../base/quantity.ts";
import { describeKind, splitUnit } from "./number-kind.ts";
import { shortName } from "./safe-name.ts";

test("each kind of number says where it comes from", () => {
  expect(describeKind(measured(1, "dB", 1_048_576))).toBe("Measured here over 1\u2009048\u2009576 weights");
  expect(describeKind(measured(2e9, "bytes/s", 5, { min: 1e9, max: 3e9 }), "rounds")).toBe(
    "Measured here over 5 rounds, between 1.00 GB/s and 3.00 GB/s",
  );
  expect(describeKind(computed(1, "ratio", "a / b"))).toBe("Computed: a / b");
  expect(describeKind(lookedUp(1, "bytes", "a table, 2026-08"))).toBe("Looked up: a table, 2026-08");
  expect(describeKind(assumed(1, "tokens", "yours"))).toBe("Assumed: yours");
});

test("a unit is split from its figure, thin spaces stay", () => {
  expect(splitUnit("3\u2009672\u2009320 B")).toEqual(["3\u2009672\u2009320", "B"]);
  expect(splitUnit("–")).toEqual(["–", ""]);
});

test("a foreign name in a sentence is cut and shows its escapes", () => {
  expect(shortName("\u202Egpj.exe")).toBe("\\u{202e}gpj.exe");
  expect(shortName("x".repeat(200))).toBe(`${"x".repeat(48)}…`);
});
