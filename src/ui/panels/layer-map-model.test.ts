import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { sampleLayer, sampleScheme } from "./compare-result.cases.ts";
import { layerMap, rankWords } from "./layer-map-model.ts";

describe("the map of a scheme", () => {
  test("rows are module kinds in the order data walks, columns are layers", () => {
    const map = layerMap(sampleScheme("W4A16", 19), 2);
    expect(map.grid?.rows).toEqual(["q_proj", "down_proj", "together"]);
    expect(map.grid?.columns).toEqual(["0", "1"]);
    expect(map.list).toBeNull();
  });

  test("a flat map says so, and its ramp spans at least 3 dB so that it looks flat", () => {
    const map = layerMap(sampleScheme("W4A16", 19), 2);
    expect(map.caption.strong).toBe("No matrix stands out.");
    expect(map.caption.plain).toBe("All 4 keep 18.7 to 19.0 dB of signal over error.");
    expect(map.grid?.domain).toEqual({ good: 19, bad: 16 });
  });

  test("one outlier is named with its distance left to the reader", () => {
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", 14.7)];
    const map = layerMap({ ...scheme, layers }, 2);
    expect(map.caption.strong).toBe("One matrix stands out: down_proj of layer 1, 14.7 dB.");
    expect(map.grid?.domain.bad).toBe(14.7);
  });

  test("a steady slope names both ends", () => {
    const map = layerMap(sampleScheme("W4A16", 19, 0.8), 2);
    expect(map.caption.strong).toBe("It hurts most in down_proj of layer 1, 16.6 dB.");
    expect(map.caption.plain).toBe("The best, q_proj of layer 0, keeps 19.0 dB.");
  });

  test("what is not measured yet waits in its place and has no value", () => {
    const scheme = sampleScheme("W4A16", 19);
    const map = layerMap({ ...scheme, layers: scheme.layers.slice(0, 3) }, 2);
    const waiting = map.grid?.cells.filter((cell) => cell.state === "waiting" && cell.row < 2) ?? [];
    expect(waiting.map((cell) => [cell.sentence, cell.value])).toEqual([
      ["down_proj of layer 1: not measured yet", null],
    ]);
    expect(map.caption.strong).toMatch(/^Worst so far/);
  });

  test("before the first figure the layers of the config already wait", () => {
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers: [] }, 30);
    expect(map.grid?.columns).toHaveLength(30);
    expect(map.grid?.cells.every((cell) => cell.state === "waiting")).toBe(true);
  });

  test("names without layers fall back to a list", () => {
    const layers = [sampleLayer(null, "encoder.proj", 19), sampleLayer(null, "head", 18)];
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 2 }, null);
    expect(map.grid).toBeNull();
    expect(map.list?.rows).toEqual(["encoder.proj", "head"]);
  });

  test("experts that share a place stand there by their worst", () => {
    const layers = [
      sampleLayer(0, "up_proj", 19, { module: "model.layers.0.mlp.experts.0.up_proj" }),
      sampleLayer(0, "up_proj", 15, { module: "model.layers.0.mlp.experts.1.up_proj" }),
    ];
    const [cell] = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 2 }, 1).grid?.cells ?? [];
    expect(cell?.key).toBe("model.layers.0.mlp.experts.1.up_proj");
    expect(cell?.sentence).toBe("up_proj of layer 0, worst of 2 here: 15.0 dB, worst of 2");
  });

  test("a failed matrix is marked and the others stand", () => {
    const error = new LabError({ code: "kernel/lost", doing: "a", found: "b", allowed: "c", advice: "d" }).toData();
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", null, { error })];
    const map = layerMap({ ...scheme, layers }, 2);
    expect(map.grid?.cells[3]?.state).toBe("failed");
    expect(map.caption.plain).toContain("1 could not be measured; the others stand.");
  });

  test("a matrix that cannot take the scheme has a dash and is no failure", () => {
    const error = new LabError({ code: "scheme/x", doing: "a", found: "b", allowed: "c", advice: "d" }).toData();
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", null, { error })];
    const map = layerMap({ ...scheme, layers }, 2);
    expect(map.grid?.cells[3]).toMatchObject({ state: "refused", label: "–" });
    expect(map.caption.plain).toContain("1 cannot take this scheme.");
  });

  test("a matrix that is not finite has a dash, not a colour", () => {
    const scheme = sampleScheme("W4A16", 19);
    const layers = [...scheme.layers.slice(0, 3), sampleLayer(1, "down_proj", null, { mse: null })];
    const cell = layerMap({ ...scheme, layers }, 2).grid?.cells[3];
    expect([cell?.label, cell?.value]).toEqual(["–", null]);
  });

  test("each decoder layer as a whole stands beneath, and waits until all is measured", () => {
    const scheme = sampleScheme("W4A16", 19);
    const totals = (map: ReturnType<typeof layerMap>) => map.grid?.cells.filter((cell) => cell.row === 2) ?? [];
    const finished = layerMap(scheme, 2);
    expect(finished.grid?.hasTotals).toBe(true);
    expect(totals(finished).map((cell) => cell.sentence)).toEqual([
      "layer 0 together: 18.9 dB, over 320 weights",
      "layer 1 together: 18.8 dB, over 320 weights",
    ]);
    const running = layerMap({ ...scheme, layers: scheme.layers.slice(0, 3) }, 2);
    expect(totals(running).map((cell) => cell.state)).toEqual(["waiting", "waiting"]);
  });

  test("where a layer has one matrix, its whole is not said twice", () => {
    const layers = [sampleLayer(0, "q_proj", 19), sampleLayer(1, "q_proj", 18)];
    expect(layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 2 }, 2).grid?.hasTotals).toBe(false);
  });

  test("a mixed recipe says of each matrix what applies to it", () => {
    const layers = [
      sampleLayer(0, "up_proj", 19),
      sampleLayer(0, "down_proj", 42, { scheme: "W8A16" }),
      sampleLayer(0, "o_proj", 9, { scheme: null }),
    ];
    const map = layerMap({ ...sampleScheme("W8A16@re:.*down_proj; W4A16", 19), layers, modules: 3 }, 1);
    const said = map.grid?.cells.slice(0, 3).map((cell) => cell.sentence);
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
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 3 }, 1);
    const [alone, shared] = map.grid?.cells ?? [];
    expect([alone?.isNotched, alone?.sentence]).toEqual([
      true,
      "q_proj of layer 0: 19.0 dB, best of 3. 3 groups all zero",
    ]);
    expect([shared?.isNotched, shared?.sentence]).toEqual([
      true,
      "up_proj of layer 0, worst of 2 here: 15.0 dB, worst of 3. 1 of the others here has unusual scales",
    ]);
    expect(map.notches).toBe("2 matrices have groups with unusual scales: each says which");
    expect(layerMap(sampleScheme("W4A16", 19), 2).notches).toBeNull();
  });

  test("a hostile name is shown with its escapes", () => {
    const layers = [sampleLayer(null, "\u202Eevil\u0000", 19)];
    const map = layerMap({ ...sampleScheme("W4A16", 19), layers, modules: 1 }, null);
    expect(map.list?.rows[0]).toBe("\\u{202e}evil\\u{0}");
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
