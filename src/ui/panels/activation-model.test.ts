import { describe, expect, test } from "vitest";
import type { ActivationReport, LayerActivations } from "../../engine/diagnosis-api.ts";
import {
  ACTIVATION_COLUMNS,
  activationRows,
  LOUDEST_FIRST,
  MODULE_COLUMN,
  nextActivationSort,
  reportCaption,
  rowOf,
  sortedActivations,
  spectrumOf,
  stripOf,
} from "./activation-model.ts";

/** A layer whose channels are 1, but for the loud ones. */
function layer(module: string, kurtosis: number | null, loud: Readonly<Record<number, number>> = {}): LayerActivations {
  const channelAbsMax = Float64Array.from({ length: 16 }, (_, channel) => loud[channel] ?? 1);
  return {
    ...{ module, channels: 16, absMax: Math.max(...channelAbsMax), min: -1, max: 1, meanAbs: 0.5, meanSquare: 0.4 },
    ...{ kurtosis, channelAbsMax },
    outliers: Object.entries(loud)
      .map(([channel, absMax]) => ({ channel: Number(channel), absMax, ratio: absMax }))
      .sort((a, b) => b.ratio - a.ratio),
  };
}

const LOUD = { 3: 64, 9: 32 };
const report = (...layers: readonly LayerActivations[]): ActivationReport => ({
  ...{ kind: "activations", model: "tiny", modelHash: "", text: "scripture: 4 windows", textHash: "", tokens: 1024 },
  ...{ layers, origin: "measured", kernels: [] },
});
const whole = report(
  layer("model.layers.0.self_attn.q_proj", 3),
  layer("model.layers.0.self_attn.k_proj", 3),
  layer("model.layers.0.self_attn.o_proj", 22),
  layer("model.layers.1.self_attn.q_proj", 410, LOUD),
  layer("model.layers.1.self_attn.k_proj", 410, LOUD),
  layer("model.layers.1.self_attn.v_proj", 410, LOUD),
  layer("model.layers.1.mlp.down_proj", null, { 1: 90 }),
);
const rows = activationRows(whole);
const names = (own: typeof rows) => own.map(({ name }) => name);

describe("inputs of a model", () => {
  test("layers of one block that are fed the same are one row", () => {
    expect(rows.map(({ name, others }) => [name, ...others])).toEqual([
      ["layers.0.self_attn.q_proj", "k_proj"],
      ["layers.0.self_attn.o_proj"],
      ["layers.1.self_attn.q_proj", "k_proj", "v_proj"],
      ["layers.1.mlp.down_proj"],
    ]);
    expect(rowOf(rows, "model.layers.1.self_attn.v_proj")).toBe(rows[2]);
    expect(rowOf(rows, null)).toBeNull();
  });

  test("one channel that differs, or another block, is another input", () => {
    const one = layer("a.q_proj", 3);
    const other = {
      ...layer("a.k_proj", 3),
      channelAbsMax: Float64Array.from({ length: 16 }, (_, at) => (at ? 1 : 2)),
    };
    expect(activationRows(report(one, other))).toHaveLength(2);
    expect(activationRows(report(one, layer("b.k_proj", 3)))).toHaveLength(2);
  });

  test("the loudest come first, without outliers those with the heaviest tails", () => {
    expect(names(sortedActivations(rows, LOUDEST_FIRST))).toEqual([
      "layers.1.mlp.down_proj",
      "layers.1.self_attn.q_proj",
      "layers.0.self_attn.o_proj",
      "layers.0.self_attn.q_proj",
    ]);
  });

  test("any column sorts both ways, what has no figure last; names as the model has them", () => {
    const by = (column: string, direction: "ascending" | "descending") =>
      names(sortedActivations(rows, { column, direction }));
    expect(by("kurtosis", "descending").at(-1)).toBe("layers.1.mlp.down_proj");
    expect(by("kurtosis", "ascending").at(-1)).toBe("layers.1.mlp.down_proj");
    expect(by("kurtosis", "ascending")[0]).toBe("layers.0.self_attn.q_proj");
    expect(by(MODULE_COLUMN, "ascending")).toEqual(names(rows));
    expect(by(MODULE_COLUMN, "descending")).toEqual(names(rows).reverse());
    const first = nextActivationSort(LOUDEST_FIRST, "kurtosis");
    expect(first).toEqual({ column: "kurtosis", direction: "descending" });
    expect(nextActivationSort(first, "kurtosis").direction).toBe("ascending");
    expect(nextActivationSort(first, MODULE_COLUMN).direction).toBe("ascending");
  });

  test("cells say none and dashes where there is nothing", () => {
    const said = (at: number) => ACTIVATION_COLUMNS.map(({ text }) => text(rows[at]?.layer ?? layer("", null)));
    expect(said(2)).toEqual(["64.0", "0.500", "410", "2", "64.0 ×"]);
    expect(said(1)).toEqual(["1.00", "0.500", "22.0", "none", "–"]);
    expect(said(3)[2]).toBe("–");
  });

  test("the caption names the loudest channels, or says that none stands out", () => {
    expect(reportCaption(report(...whole.layers.slice(0, 6)))).toEqual({
      strong:
        "Outliers in 1 of 3 inputs; most of all in layers.1.self_attn.q_proj: channels 3 and 9 tower, up to 64.0 times the median channel.",
      plain: "scripture: 4 windows, 1\u2009024 tokens, measured here.",
    });
    const calm = { ...report(...whole.layers.slice(0, 3)), origin: "file" as const };
    expect(reportCaption(calm)).toEqual({
      strong: "No channel stands out in any of 2 inputs.",
      plain: "scripture: 4 windows, 1\u2009024 tokens, from a file.",
    });
  });
});

describe("the pictures of one input", () => {
  const loud = rows[2] ?? rows[0];
  if (loud === undefined) throw new Error("no row");

  test("the spectrum marks its outliers and says what they do", () => {
    const data = spectrumOf(loud);
    expect(data.channels.slice(0, 3).map(({ channel, ratio }) => [channel, ratio])).toEqual([
      [3, 64],
      [9, 32],
      [0, null],
    ]);
    expect(data).toMatchObject({ median: 1, threshold: 8 });
    expect(data.caption).toEqual({
      strong: "Channels 3 and 9 set the scale of layers.1.self_attn.q_proj.",
      plain: "A scale that fits them leaves the other 14 few of its levels.",
    });
  });

  test("what is not finite is said", () => {
    const broken = { ...loud, layer: layer("model.x", 3, { 2: Number.NaN }) };
    expect(spectrumOf(broken).caption.strong).toBe(
      "One channel of layers.1.self_attn.q_proj holds numbers that are not finite.",
    );
  });

  test("the strip has its sentence, its ramp and the channels worth a name", () => {
    const values = Float32Array.from({ length: 8 * 16 }, (_, at) => (at % 16 === 3 ? 64 : 1));
    const data = stripOf({ module: "m", window: 2, tokens: 8, channels: 16, channelsPerCell: 1, values });
    expect(data.caption.strong).toBe("Channel 3 is loud at every token.");
    expect(data.named.map(({ start }) => start)).toEqual([3]);
    expect(data.ramp).toEqual({ from: 1, to: 64 });
  });
});
