import { quote } from "../../base/errors.ts";
import { formatCount, formatNumber } from "../../base/format.ts";
import { activationSpectrum } from "../../engine/activation-spectrum.ts";
import type { ActivationReport, ActivationStrip, LayerActivations } from "../../engine/diagnosis-api.ts";
import { stripFindings, stripWords } from "../../engine/strip-words.ts";
import type { ActivationSpectrumData } from "../charts/activation-spectrum.ts";
import type { ActivationStripData } from "../charts/activation-strip.ts";
import type { Caption } from "../charts/chart.ts";
import { listWords } from "../parts/list-words.ts";

/** One input: what goes into one linear layer, or into several that are fed the same. */
export interface ActivationRow {
  /** In the order of the model. */
  readonly modules: readonly string[];
  /** Its name without the prefix that all share: `layers.1.self_attn.q_proj`, and what else reads it: `k_proj`, `v_proj`. */
  readonly name: string;
  readonly others: readonly string[];
  readonly layer: LayerActivations;
}

/** The inputs of a report. Neighbours of one block whose statistics are the same to the bit read the same input. */
export function activationRows({ layers }: Pick<ActivationReport, "layers">): readonly ActivationRow[] {
  const groups: LayerActivations[][] = [];
  for (const layer of layers) {
    const before = groups.at(-1);
    if (before?.[0] !== undefined && isSameInput(before[0], layer)) before.push(layer);
    else groups.push([layer]);
  }
  return groups.flatMap((group): ActivationRow[] => {
    const [first] = group;
    if (first === undefined) return [];
    const modules = group.map(({ module }) => module);
    const others = modules.slice(1).map((module) => quote(module.slice(module.lastIndexOf(".") + 1)));
    return [{ modules, name: shortModule(first.module), others, layer: first }];
  });
}

function isSameInput(one: LayerActivations, other: LayerActivations): boolean {
  const block = ({ module }: LayerActivations): string => module.slice(0, module.lastIndexOf("."));
  return (
    block(one) === block(other) &&
    one.channels === other.channels &&
    one.meanSquare === other.meanSquare &&
    one.kurtosis === other.kurtosis &&
    one.channelAbsMax.every((value, channel) => Object.is(value, other.channelAbsMax[channel]))
  );
}

/** `layers.1.self_attn.q_proj`. */
export function shortModule(module: string): string {
  return quote(module.replace(/^model\./, ""));
}

/** The row that a module belongs to; null where the report has none. */
export function rowOf(rows: readonly ActivationRow[], module: string | null): ActivationRow | null {
  return rows.find(({ modules }) => module !== null && modules.includes(module)) ?? null;
}

/** A column of figures. */
export interface ActivationColumn {
  readonly name: string;
  readonly unit: string;
  /** What it is, for people. */
  readonly about: string;
  readonly amount: (layer: LayerActivations) => number | null;
  readonly text: (layer: LayerActivations) => string;
}

const finite = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && Number.isFinite(value) ? value : null;
const written = (value: number | null | undefined): string => (finite(value) === null ? "–" : formatNumber(value ?? 0));

/** By how loud its loudest outlier is. */
export const RATIO_COLUMN = "loudest";

export const ACTIVATION_COLUMNS: readonly ActivationColumn[] = [
  {
    ...{ name: "largest |x|", unit: "", about: "The largest magnitude of all tokens and channels" },
    amount: ({ absMax }) => finite(absMax),
    text: ({ absMax }) => written(absMax),
  },
  {
    ...{ name: "mean |x|", unit: "", about: "The mean magnitude of all tokens and channels" },
    amount: ({ meanAbs }) => finite(meanAbs),
    text: ({ meanAbs }) => written(meanAbs),
  },
  {
    ...{
      name: "kurtosis",
      unit: "normal: 3",
      about: "How heavy the tails are: E(x − mean)⁴ over the variance squared",
    },
    amount: ({ kurtosis }) => finite(kurtosis),
    text: ({ kurtosis }) => written(kurtosis),
  },
  {
    ...{
      name: "outliers",
      unit: "channels",
      about: "Channels that reach at least eight times what the median channel does",
    },
    amount: ({ outliers }) => outliers.length,
    text: ({ outliers }) => (outliers.length === 0 ? "none" : formatCount(outliers.length)),
  },
  {
    ...{
      name: RATIO_COLUMN,
      unit: "channel · ×",
      about: "The loudest outlier, and how many times the median channel it reaches",
    },
    amount: ({ outliers }) => finite(outliers[0]?.ratio),
    text: ({ outliers: [first] }) => (first === undefined ? "–" : `${formatNumber(first.ratio)} ×`),
  },
];

/** By which column the rows are sorted, and which way. */
export interface ActivationSort {
  readonly column: string;
  readonly direction: "ascending" | "descending";
}

/** The loudest first: what one scale a token has to serve. */
export const LOUDEST_FIRST: ActivationSort = { column: RATIO_COLUMN, direction: "descending" };

/** The name column is in the order of the model. */
export const MODULE_COLUMN = "goes into";

/** What a press on a head does: largest first, then smallest first; the names: as the model has them, and back. */
export function nextActivationSort(current: ActivationSort, column: string): ActivationSort {
  const first = column === MODULE_COLUMN ? "ascending" : "descending";
  if (current.column !== column) return { column, direction: first };
  return { column, direction: current.direction === "ascending" ? "descending" : "ascending" };
}

/** Rows in their order; what has no figure there last, equals by kurtosis, largest first, then as the model has them. */
export function sortedActivations(rows: readonly ActivationRow[], sort: ActivationSort): readonly ActivationRow[] {
  const sign = sort.direction === "ascending" ? 1 : -1;
  const by = ACTIVATION_COLUMNS.find(({ name }) => name === sort.column);
  if (by === undefined) return sign === 1 ? rows : rows.toReversed();
  const kurtosis = ({ layer }: ActivationRow): number => finite(layer.kurtosis) ?? Number.NEGATIVE_INFINITY;
  return rows.toSorted((a, b) => {
    const [one, other] = [by.amount(a.layer), by.amount(b.layer)];
    if (one !== other && (one === null || other === null)) return one === null ? 1 : -1;
    const difference = one === null || other === null ? 0 : sign * (one - other);
    return difference || kurtosis(b) - kurtosis(a) || 0;
  });
}

/** What a report says as a whole. */
export function reportCaption(report: ActivationReport): Caption {
  const rows = activationRows(report);
  const loud = sortedActivations(
    rows.filter(({ layer }) => layer.outliers.length > 0),
    LOUDEST_FIRST,
  );
  const [first] = loud;
  const plain = `${quote(report.text)}, ${formatCount(report.tokens)} tokens, ${report.origin === "measured" ? "measured here" : "from a file"}.`;
  if (first === undefined) {
    return { strong: `No channel stands out in any of ${formatCount(rows.length)} inputs.`, plain };
  }
  const { outliers } = first.layer;
  const who = listWords(
    outliers.map(({ channel }) => formatCount(channel)),
    3,
  );
  const some = outliers.length === 1 ? `channel ${who} towers` : `channels ${who} tower`;
  const strong = `Outliers in ${formatCount(loud.length)} of ${formatCount(rows.length)} inputs; most of all in ${first.name}: ${some}, up to ${formatNumber(outliers[0]?.ratio ?? 0)} times the median channel.`;
  return { strong, plain };
}

/** The sorted channels of one input. */
export function spectrumOf({ layer, name }: ActivationRow): ActivationSpectrumData {
  const { channels, median, threshold, notFinite } = activationSpectrum(layer);
  const ratios = new Map(layer.outliers.map(({ channel, ratio }) => [channel, ratio]));
  const caption: Caption =
    notFinite > 0
      ? {
          strong: `${notFinite === 1 ? "One channel" : `${formatCount(notFinite)} channels`} of ${name} ${notFinite === 1 ? "holds" : "hold"} numbers that are not finite.`,
          plain: "What is not finite has no place on the curve.",
        }
      : spectrumCaption(layer, name);
  return {
    channels: channels.map(({ channel, absMax }) => ({ channel, value: absMax, ratio: ratios.get(channel) ?? null })),
    ...{ median, threshold, caption },
  };
}

function spectrumCaption({ outliers, channels }: LayerActivations, name: string): Caption {
  const [first] = outliers;
  if (first === undefined) {
    return { strong: `No channel of ${name} stands out.`, plain: "One scale serves all of them." };
  }
  const others = formatCount(channels - outliers.length);
  const who = listWords(
    outliers.map(({ channel }) => formatCount(channel)),
    4,
  );
  const strong = `${outliers.length === 1 ? `Channel ${who} sets` : `Channels ${who} set`} the scale of ${name}.`;
  return { strong, plain: `A scale that fits them leaves the other ${others} few of its levels.` };
}

/** Laid out once each: they are as large as their pictures. */
const known = new WeakMap<ActivationStrip, ActivationStripData>();

/** The strip of one module: its picture and its sentence. */
export function stripOf(strip: ActivationStrip): ActivationStripData {
  const before = known.get(strip);
  if (before !== undefined) return before;
  const findings = stripFindings(strip);
  const { strong, plain } = stripWords(strip, findings);
  const data: ActivationStripData = {
    tokens: strip.tokens,
    columns: findings.cells,
    values: strip.values,
    named: findings.notable,
    ramp: findings.ramp,
    caption: { strong, plain },
  };
  known.set(strip, data);
  return data;
}

/** Rows of quantlab-4m-loud over four windows of scripture, dimmed before anything is collected. */
export const EXAMPLE_ROWS: readonly (readonly [name: string, ...figures: readonly string[]])[] = [
  ["layers.1.self_attn.q_proj", "369", "1.30", "410", "2", "30 · 144 ×"],
  ["layers.2.mlp.gate_proj", "354", "1.46", "415", "3", "5 · 114 ×"],
  ["layers.1.mlp.down_proj", "214", "0.215", "59\u2009710", "1", "210 · 54.5 ×"],
  ["layers.0.mlp.down_proj", "36.1", "0.420", "110", "none", "–"],
];
