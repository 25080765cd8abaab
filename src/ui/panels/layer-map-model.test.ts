import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { sampleLayer, sampleScheme } from "./compare-result.cases.ts";
import { layerMap } from "./layer-map-model.ts";
import { layerMapAnswer, rankWords } from "./layer-map-words.ts";

describe("the map of a scheme", () => {
  test("rows are module kinds in the order data walks, columns are layers", () => {
    const map = layerMap(sampleScheme("W4A16", 19), 2, null);
    expect(map.data.rows).toEqual(["q_proj", "down_proj"]);
    expect(map.data.columns).toEqual(["0", "1"]);
    expect(map.data.loners).toEqual([]);
  });

  test("a flat map says so, and its ramp spans at least 3 dB so that it looks flat", () => {
    const map = layerMap(sampleScheme("W4A16", 19), 2, null);
    const answer = layerMapAnswer(sampleScheme("W4A16", 19), "tiny");
    expect(answer.sentence).toBe("W4A16: no matrix stands out.");
    expect(answer.evidence).toMatch(/^All 4 keep 18\.7 to 19\.0 dB of signal over error\. · tiny · /);
    expect(map.data.caption.strong).toMatch(/^The largest shares of the error are in layer \d and \w+\.$/);
    expect(map.data.domain).toEqual({ good: 19, bad: 16 });
  });

  test("one outlier is named with its distance left to the reader", () => {
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", 14.7)];
    const map = layerMap({ ...scheme, layers }, 2, null);
    expect(layerMapAnswer({ ...scheme, layers }, "tiny").sentence).toBe(
      "W4A16: one matrix stands out: down_proj of layer 1, 14.7 dB.",
    );
    expect(map.data.domain.bad).toBe(14.7);
  });

  test("a steady slope names both ends", () => {
    const { sentence, evidence } = layerMapAnswer(sampleScheme("W4A16", 19, 0.8), "tiny");
    expect(sentence).toBe("W4A16: it hurts most in down_proj of layer 1, 16.6 dB.");
    expect(evidence).toMatch(/^The best, q_proj of layer 0, keeps 19\.0 dB\. · tiny · /);
  });

  test("what is not measured yet waits in its place and has no value", () => {
    const scheme = sampleScheme("W4A16", 19);
    const map = layerMap({ ...scheme, layers: scheme.layers.slice(0, 3) }, 2, null);
    const waiting = map.data.cells.filter((cell) => cell.state === "waiting" && cell.row < 2) ?? [];
    expect(waiting.map((cell) => [cell.sentence, cell.value])).toEqual([
      ["down_proj of layer 1: not measured yet", null],
    ]);
    expect(map.data.caption.strong).toMatch(/^Worst so far/);
  });

  test("before the first figure the layers of the config already wait", () => {
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers: [] }, 30, null);
    expect(map.data.columns).toHaveLength(30);
    expect(map.data.cells.every((cell) => cell.state === "waiting")).toBe(true);
  });

  test("names without layers fall back to a list", () => {
    const layers = [sampleLayer(null, "encoder.proj", 19), sampleLayer(null, "head", 18)];
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 2 }, null, null);
    expect(map.data.rows).toEqual([]);
    expect(map.data.loners.map(({ name }) => name)).toEqual(["encoder.proj", "head"]);
  });

  test("experts that share a place stand there by their worst", () => {
    const layers = [
      sampleLayer(0, "up_proj", 19, { module: "model.layers.0.mlp.experts.0.up_proj" }),
      sampleLayer(0, "up_proj", 15, { module: "model.layers.0.mlp.experts.1.up_proj" }),
    ];
    const [cell] = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 2 }, 1, null).data.cells ?? [];
    expect(cell?.key).toBe("model.layers.0.mlp.experts.1.up_proj");
    expect(cell?.sentence).toBe("up_proj of layer 0, worst of 2 here: 15.0 dB, worst of 2");
  });

  test("a failed matrix is marked and the others stand", () => {
    const error = new LabError({ code: "kernel/lost", doing: "a", found: "b", allowed: "c", advice: "d" }).toData();
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", null, { error })];
    const map = layerMap({ ...scheme, layers }, 2, null);
    expect(map.data.cells[3]?.state).toBe("failed");
    expect(map.data.caption.plain).toContain("1 could not be measured; the others stand.");
  });

  test("a matrix that cannot take the scheme has a dash and is no failure", () => {
    const error = new LabError({ code: "scheme/x", doing: "a", found: "b", allowed: "c", advice: "d" }).toData();
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", null, { error })];
    const map = layerMap({ ...scheme, layers }, 2, null);
    expect(map.data.cells[3]).toMatchObject({ state: "refused", label: "–" });
    expect(map.data.caption.plain).toContain("1 cannot take this scheme.");
  });

  test("a matrix that is not finite has a dash, not a colour", () => {
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", null, { mse: null })];
    const cell = layerMap({ ...scheme, layers }, 2, null).data.cells[3];
    expect([cell?.label, cell?.value]).toEqual(["–", null]);
  });

  test("each decoder layer and each kind as a whole stands at the edge, and waits until all is measured", () => {
    const scheme = sampleScheme("W4A16", 19);
    const { data } = layerMap(scheme, 2, null);
    expect(data.columnTotals[0]?.sentence).toMatch(
      /^layer 0 together: \d+\.\d % of all squared error, 18\.9 dB over 320 weights$/,
    );
    expect(data.rowTotals[1]?.sentence).toMatch(/^down_proj of all layers: \d+\.\d % of all squared error$/);
    expect(data.columnTotals.reduce((sum, { share }) => sum + (share ?? 0), 0)).toBeCloseTo(1, 12);
    const running = layerMap({ ...scheme, layers: scheme.layers.slice(0, 3) }, 2, null).data;
    expect(running.columnTotals.map(({ share }) => share)).toEqual([null, null]);
    expect(running.rowTotals[0]?.sentence).toBe("q_proj of all layers: not measured yet");
  });

  test("where a layer has one matrix, its whole is not said twice", () => {
    const layers = [sampleLayer(0, "q_proj", 19), sampleLayer(1, "q_proj", 18)];
    const { data } = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 2 }, 2, null);
    expect([data.columnTotals, data.rowTotals]).toEqual([[], []]);
  });

  test("a mixed recipe says of each matrix what applies to it", () => {
    const layers = [
      sampleLayer(0, "up_proj", 19),
      sampleLayer(0, "down_proj", 42, { scheme: "W8A16" }),
      sampleLayer(0, "o_proj", 9, { scheme: null }),
    ];
    const map = layerMap({ ...sampleScheme("W8A16@re:.*down_proj; W4A16", 19), layers, modules: 3 }, 1, null);
    const said = map.data.cells.slice(0, 3).map((cell) => cell.sentence);
    expect(said).toEqual([
      "o_proj of layer 0: 9.00 dB, only pruned, worst of 3",
      "up_proj of layer 0: 19.0 dB, W4A16, 2nd worst of 3",
      "down_proj of layer 0: 42.0 dB, W8A16, best of 3",
    ]);
  });

  test("unusual scales are notched and said, in their own cell and where another hides them", () => {
    const corners = [{ corner: "allZero", groups: 3 }] as const;
    const layers = [
      sampleLayer(0, "q_proj", 19, { corners }),
      sampleLayer(0, "up_proj", 15, { module: "model.layers.0.mlp.experts.0.up_proj" }),
      sampleLayer(0, "up_proj", 17, { module: "model.layers.0.mlp.experts.1.up_proj", corners }),
    ];
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 3 }, 1, null);
    const [alone, shared] = map.data.cells ?? [];
    expect([alone?.isNotched, alone?.sentence]).toEqual([
      true,
      "q_proj of layer 0: 19.0 dB, best of 3. 3 groups all zero",
    ]);
    expect([shared?.isNotched, shared?.sentence]).toEqual([
      true,
      "up_proj of layer 0, worst of 2 here: 15.0 dB, worst of 3. 1 of the others here has unusual scales",
    ]);
    expect(map.notches).toBe("2 matrices have groups with unusual scales: each says which");
    expect(layerMap(sampleScheme("W4A16", 19), 2, null).notches).toBeNull();
  });

  test("a hostile name is shown with its escapes", () => {
    const layers = [sampleLayer(null, "\u202Eevil\u0000", 19)];
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 1 }, null, null);
    expect(map.data.loners[0]?.name).toBe("\\u{202e}evil\\u{0}");
  });
});

test("ranks are said as people say them", () => {
  expect([1, 2, 3, 4, 11, 22, 28].map((rank) => rankWords(rank, 28))).toEqual([
    "worst of 28",
    "2nd worst of 28",
    "3rd worst of 28",
    "4th worst of 28",
    "11th worst of 28",
    "22nd worst of 28",
    "best of 28",
  ]);
});
