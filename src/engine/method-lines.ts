import { quote } from "../base/errors.ts";
import { formatCount, formatDuration, formatNumber } from "../base/format.ts";
import { parseRunRecipe, plainTwin } from "../schemes/recipe.ts";
import type { MethodGain } from "./measure-result.ts";
import { plainWords } from "./method-words.ts";
import type { MethodReport, StageReport } from "./methods/method-report.ts";
import type { SchemeResult } from "./result.ts";

/** What a method was calibrated on, and what each of its passes came to and took, a line each. */
export function methodLines(report: MethodReport): readonly string[] {
  return [calibratedWords(report), ...report.stages.map(stageLine)];
}

/** `calibrated on calibration: 64 windows, 16 384 tokens`. */
export function calibratedWords({ calibration }: MethodReport): string {
  return `calibrated on ${quote(calibration.name)}, ${formatCount(calibration.tokens)} tokens`;
}

/** `GPTQ: outputs' error × 0.52 of that of plain rounding, 28 matrices; in 3.11 s`. */
export function stageLine(report: StageReport): string {
  const ratio = ratioWords(report);
  return [`${report.stage}: `, ratio, ratio && "; ", `in ${formatDuration(report.elapsedMs)}`].join("");
}

function ratioWords(report: StageReport): string {
  const { outputRatio, smoothings } = report;
  if (outputRatio !== null) {
    const matrices = outputRatio.matrices === 1 ? "1 matrix" : `${formatCount(outputRatio.matrices)} matrices`;
    return `outputs' error × ${formatNumber(outputRatio.value)} of that of ${plainWords(report)}, ${matrices}`;
  }
  const smoothed = smoothings.filter(({ refused }) => refused === null).length;
  return smoothings.length === 0 ? "" : `factors at ${smoothed} of ${smoothings.length} places`;
}

/**
 * All of that about a row of a comparison, in sentences: how to read the errors of its weights, what its method came to, on which
 * text. Empty where it has no method.
 */
export function methodNote(row: SchemeResult, rows: readonly SchemeResult[]): string {
  if (row.methodRun === null) return "";
  const sentences = [weightErrorWords(row, rows), ...[...methodLines(row.methodRun)].reverse().map(sentence)];
  return sentences.filter(Boolean).join(" ");
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** `0.004 … 0.012`. */
export function intervalWords({ low, high }: NonNullable<MethodGain["interval"]>): string {
  return `${formatNumber(low, 2)} … ${formatNumber(high, 2)}`;
}

/**
 * How to read the errors of a row's weights where a method has been through them; empty where there is nothing to it. Methods
 * that compensate move errors to where the outputs feel them least, so that those of the weights grow.
 * @param rows the comparison, in which the plain twin may stand
 */
export function weightErrorWords(row: SchemeResult, rows: readonly SchemeResult[]): string {
  if (row.methodRun === null) return "";
  const { method, pruning } = parseRunRecipe(row.scheme);
  const own = plainTwin(row.scheme);
  const twin = rows.find(({ scheme }) => scheme === own);
  const mover = method.rounding.kind === "gptq" ? "GPTQ" : pruning?.criterion === "sparsegpt" ? "SparseGPT" : null;
  const isWorse = (row.relativeMse?.value ?? 0) > (twin?.relativeMse?.value ?? Number.POSITIVE_INFINITY);
  const sentences: string[] = [];
  if (mover !== null && isWorse) {
    sentences.push(
      `The weights err more than under ${quote(own ?? "")}: ${mover} moves errors on purpose, look at the outputs.`,
    );
  }
  if (method.transforms.length > 0) {
    sentences.push("Its errors are of the smoothed weights, which are not those of the rows without.");
  }
  return sentences.join(" ");
}
