import { quote } from "../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../base/format.ts";
import { depthWords } from "../engine/depth-words.ts";
import type { DepthResult, GenerationResult, HealResult, LayerError, TaskResult } from "../engine/diagnosis-api.ts";
import type { KernelReport } from "../engine/result.ts";
import type { Diagnosis } from "./diagnose-command.ts";
import { salientText, samplesText, strengthsText } from "./diagnose-sweeps.ts";
import { kernelsText, table } from "./printing.ts";

/** Channels of a layer that are named. */
const NAMED_CHANNELS = 6;

/** A diagnosis as tables, for people. */
export function diagnosisText(result: Diagnosis): string {
  const { model, text, activations, importance, generation, tasks } = result;
  const parts = [
    `${quote(model.name)} on ${quote(text.name)} · arithmetic: ${result.arithmetic} · ignored: ${result.ignore.map(quote).join(", ") || "nothing"}`,
    ...result.depth.map(depthText),
    ...(activations ? [activationsText(activations)] : []),
    ...(importance ? [importanceText(importance)] : []),
    ...result.healed.map(healText),
    ...(generation ? [generationText(generation)] : []),
    ...(tasks ? [tasksText(tasks)] : []),
    ...result.strengths.map(strengthsText),
    ...result.samples.map(samplesText),
    ...result.salient.map(salientText),
    kernelsText({ kernels: kernelsOf(result) }),
  ];
  return parts.join("\n\n");
}

function kernelsOf(result: Diagnosis): readonly KernelReport[] {
  const { depth, activations, healed, generation, tasks, strengths, samples, salient } = result;
  const looks = [...depth, ...healed, activations, generation, tasks, ...strengths, ...samples, ...salient];
  return looks.flatMap((look) => look?.kernels ?? []);
}

function depthText(depth: DepthResult): string {
  const share = ({ relative }: LayerError) => (relative === null ? "–" : formatPercent(relative));
  const decibels = ({ signalToNoiseDb }: LayerError) =>
    signalToNoiseDb === null ? "–" : formatNumber(signalToNoiseDb, 3);
  const rows = depth.layers.map(({ layer, inherited, fresh }) => [
    `${layer}`,
    share(inherited),
    decibels(inherited),
    share(fresh),
    decibels(fresh),
  ]);
  const words = depthWords(depth);
  return [
    `error along depth: ${quote(depth.scheme)} (${depth.rounded.map(quote).join("; ")}), ${formatCount(depth.tokens)} tokens`,
    table(["layer", "inherited ●", "dB", "fresh ●", "dB"], rows),
    [words.strong, words.plain].join(" ").trim(),
  ].join("\n");
}

function activationsText({ layers, text, tokens, origin }: NonNullable<Diagnosis["activations"]>): string {
  const rows = layers.map(({ module, absMax, meanAbs, kurtosis, outliers }) => [
    quote(module),
    formatNumber(absMax),
    formatNumber(meanAbs),
    kurtosis === null ? "–" : formatNumber(kurtosis),
    channelsText(outliers),
  ]);
  const from = origin === "file" ? "read from a file, collected" : "collected";
  return [
    `what goes into each layer of the original, ${from} on ${quote(text)}, ${formatCount(tokens)} tokens`,
    table(["layer", "largest |x| ●", "mean |x| ●", "kurtosis ●", ""], rows),
    "Last column: channels at least eight times as loud as the median channel, and how many times.",
  ].join("\n");
}

function importanceText({ layers, datasets, chunks, missing }: NonNullable<Diagnosis["importance"]>): string {
  const rows = layers.map(({ module, rows, meanSquare, outliers }) => [
    quote(module),
    formatCount(rows),
    formatNumber(meanSquare),
    channelsText(outliers),
  ]);
  const from = datasets.join(", ") || "a text without a name";
  const size = chunks ? `, ${formatCount(chunks.count)} chunks of ${formatCount(chunks.sizeTokens)} tokens` : "";
  return [
    `what an importance matrix says of each layer, collected on ${from}${size}; it does not say of which weights`,
    table(["layer", "rows §", "mean x² §", ""], rows),
    "Last column: channels whose root mean square is at least eight times the median channel's, and how many times.",
    ...(missing.length > 0 ? [`Nothing of ${missing.map(quote).join(", ")}.`] : []),
  ].join("\n");
}

function channelsText(outliers: readonly { readonly channel: number; readonly ratio: number }[]): string {
  const named = outliers
    .slice(0, NAMED_CHANNELS)
    .map(({ channel, ratio }) => `${channel} (×${formatNumber(ratio, 3)})`);
  const more = outliers.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(", ") || "none";
}

function healText({ scheme, unit, at, positions, kld, healed, parts }: HealResult): string {
  const all = `${formatCount(positions)} positions`;
  const where =
    at === null
      ? all
      : "slice" in at
        ? `${all} of ${quote(at.slice)}`
        : `position ${at.position} of window ${at.window}`;
  const value = (own: number | null) => (own === null ? "–" : formatNumber(own, 4));
  const rows = parts.map((part) => [
    quote(unit === "layer" ? `layer ${part.name}` : part.name),
    value(part.kld),
    part.recovered === null ? "–" : formatPercent(part.recovered),
  ]);
  return [
    `what heals ${quote(scheme)}, one ${unit} put back at a time: mean KLD over ${where}`,
    table(
      ["put back", "mean KLD ●", "recovered ●"],
      [["nothing", value(kld), "0 %"], ...rows, ["everything", value(healed), healed === 0 ? "100 %" : "–"]],
    ),
  ].join("\n");
}

function generationText({ prompts, promptTokens, tokens, rows }: GenerationResult): string {
  const end = (own: number | null) => (own === null ? `over ${tokens}` : formatNumber(own, 3));
  const lines = rows.map(({ scheme, median, interval, same }) => [
    quote(scheme),
    end(median),
    `${interval.low === null ? "?" : formatNumber(interval.low, 3)} … ${end(interval.high)}`,
    `${same} of ${prompts}`,
  ]);
  return [
    `greedy text of ${prompts} prompts of ${formatCount(promptTokens)} tokens, ${tokens} tokens each: how long it is the original's`,
    table(["scheme", "median tokens ●", "95 %", "never differ"], lines),
  ].join("\n");
}

function tasksText({ name, items, chance, original, rows, evidence }: TaskResult): string {
  const signed = (value: number) => `${value > 0 ? "+" : ""}${formatPercent(value)}`;
  const lines = rows.map(({ scheme, accuracy, difference, interval, lost, won }) => [
    quote(scheme),
    formatPercent(accuracy),
    signed(difference),
    interval ? `${signed(interval.low)} … ${signed(interval.high)}` : "–",
    `${lost}`,
    `${won}`,
  ]);
  return [
    `multiple choice, ${quote(name)}: ${items} items, guessing gives ${formatPercent(chance)}`,
    table(
      ["model", "right ●", "difference ●", "95 %", "lost", "won"],
      [["original", formatPercent(original), "–", "–", "–", "–"], ...lines],
    ),
    evidence,
  ].join("\n");
}
