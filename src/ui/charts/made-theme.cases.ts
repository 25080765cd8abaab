import type { ChartTheme } from "./theme.ts";

/** A theme for tests: each colour bears its own name. */
export const MADE_THEME: ChartTheme = {
  paper: "paper",
  sunk: "sunk",
  beaten: "beaten",
  ink: "ink",
  ink2: "ink2",
  ink3: "ink3",
  line: "line",
  line2: "line2",
  line3: "line3",
  hatch: "hatch-colour",
  accent: "accent",
  fail: "fail",
  onNear: "on-near",
  onFar: "on-far",
  magnitude: Array.from({ length: 10 }, (_, step) => `m${step}`),
  sign: Array.from({ length: 13 }, (_, step) => `p${step}`),
  families: { orig: "orig", int4: "int4", int8: "int8" },
  sans: "sans",
  mono: "mono",
};
