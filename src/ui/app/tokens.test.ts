import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Of a mark against what lies beneath it. Source: WCAG 2.2, success criterion 1.4.11. */
const MARK_CONTRAST = 3;

const CSS = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const WIDTHS = [2, 3, 4, 5, 6, 7, 8] as const;
const GROUNDS = ["--paper", "--sunk", "--beaten", "--float"] as const;

/** `L C H` of a token in one theme. */
function oklch(token: string, theme: "light" | "dark"): readonly [number, number, number] {
  const both = new RegExp(`${token}: light-dark\\(oklch\\(([^)]*)\\), oklch\\(([^)]*)\\)\\)`).exec(CSS);
  const [l = Number.NaN, c = Number.NaN, h = Number.NaN] = (both?.[theme === "light" ? 1 : 2] ?? "")
    .split(" ")
    .map(Number);
  return [l, c, h];
}

/** Relative luminance. Source: CSS Color 4, sample code `OKLab_to_XYZ`; y of XYZ is the luminance. */
function luminance(token: string, theme: "light" | "dark"): number {
  const [l, c, h] = oklch(token, theme);
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const long = (l + 0.3963377773761749 * a + 0.2158037573099136 * b) ** 3;
  const medium = (l - 0.1055613458156586 * a - 0.0638541728258133 * b) ** 3;
  const short = (l - 0.0894841775298119 * a - 1.2914855480194092 * b) ** 3;
  return -0.0405757452148008 * long + 1.112286803280317 * medium - 0.0717110580655164 * short;
}

function contrast(one: string, other: string, theme: "light" | "dark"): number {
  const [low = 0, high = 0] = [luminance(one, theme), luminance(other, theme)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

test("white on black is the largest contrast there is", () => {
  expect(contrast("--ink", "--paper", "light")).toBeGreaterThan(14);
  expect(luminance("--float", "light")).toBeCloseTo(1, 3);
});

describe.each(["light", "dark"] as const)("integers on %s paper", (theme) => {
  test.each(WIDTHS)("int%i is seen on every ground", (bits) => {
    for (const ground of GROUNDS) expect(contrast(`--int${bits}`, ground, theme)).toBeGreaterThan(MARK_CONTRAST);
  });

  test("more bits stand further from the paper, each step a visible one", () => {
    const lightness = WIDTHS.map((bits) => oklch(`--int${bits}`, theme)[0]);
    const away = theme === "light" ? lightness.map((l) => -l) : lightness;
    for (const [at, value] of away.slice(1).entries()) expect(value - (away[at] ?? 0)).toBeGreaterThan(0.025);
  });
});
