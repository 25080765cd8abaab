import { expect, test } from "vitest";
import { MADE_THEME } from "./made-theme.cases.ts";
import { drawRecovery, type RecoveryData, recoveryChart } from "./recovery-bars.ts";
import { toCsv } from "./table-text.ts";

const DATA: RecoveryData = {
  bars: [
    { name: "layer 2", recovered: 0.71, kld: 0.122 },
    { name: "layer 0", recovered: -0.12, kld: 0.47 },
    { name: "layer 1", recovered: null, kld: null },
  ],
  family: "int4",
  whole: 0.42,
  caption: { strong: "", plain: "" },
};

test("what heals goes right and is filled, what grew goes left and is hollow, what has no value is a dash", () => {
  const { shapes, marks, height } = drawRecovery(DATA, { width: 400, height: 10 }, MADE_THEME);
  const bars = shapes.filter((shape) => shape.kind === "rect");
  expect(bars.map(({ fill, stroke }) => [fill, stroke])).toEqual([
    ["int4", undefined],
    ["paper", "ink2"],
  ]);
  const [good, bad] = bars;
  expect(good?.x).toBeCloseTo((bad?.x ?? 0) + (bad?.width ?? 0), 6);
  expect(shapes.filter((shape) => shape.kind === "text" && shape.text === "–")).toHaveLength(2);
  expect(marks.map(({ sentence }) => sentence)).toEqual([
    "layer 2 put back: 71 % of the divergence removed, 0.12 nats left",
    "layer 0 put back: the divergence grew by 12 %, 0.47 nats left",
    "layer 1 put back: no finite divergence",
  ]);
  expect(height).toBeGreaterThan(3 * 24);
});

test("a long name is cut at its front, and of many parts the first are drawn, all are in the table", () => {
  const name = `model.layers.${"x".repeat(80)}.down_proj`;
  const bars = Array.from({ length: 60 }, (_, at) => ({ name: `${name} ${at}`, recovered: 1 / (at + 1), kld: 0.1 }));
  const { shapes, marks } = drawRecovery({ ...DATA, bars }, { width: 320, height: 10 }, MADE_THEME);
  expect(marks).toHaveLength(24);
  const names = shapes.filter((shape) => shape.kind === "text" && shape.isMono === true);
  for (const shape of names) if (shape.kind === "text") expect(shape.text).toMatch(/^….*down_proj \d+$/);
  expect(recoveryChart.table({ ...DATA, bars }).rows).toHaveLength(60);
  expect(toCsv(recoveryChart.table(DATA)).split("\r\n")[1]).toBe("layer 2,0.122,0.71");
});
