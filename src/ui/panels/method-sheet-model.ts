import { quote } from "../../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../../base/format.ts";
import {
  bestSearched,
  byReason,
  clippedWords,
  gridWords,
  layerOf,
  type MatrixReport,
  type MethodReport,
  meterWords,
  outputRatioOf,
  outputWords,
  plainWords,
  relativeLosses,
  type SmoothingReport,
  type StageReport,
} from "../../engine/method-words.ts";
import type { MethodErrorColumn, MethodErrorsData } from "../charts/method-errors.ts";
import type { MethodFactorColumn, MethodFactorsData } from "../charts/method-factors.ts";
import type { MethodGridData } from "../charts/method-grid.ts";
import { listWords } from "../parts/list-words.ts";

/** More letters would run into the next column. */
const MOST_LETTERS = 2;

/** What a method ran on: `tokens.json: 4 windows; 1 024 tokens`. */
export function calibrationWords({ calibration }: MethodReport): string {
  return `${calibration.name}; ${formatCount(calibration.tokens)} tokens`;
}

/** What a figure of a stage stands on, for its mark. */
export function errorBasis({ matrices }: StageReport, { calibration }: MethodReport): string {
  const rows = matrices.flatMap(({ outputError }) => outputError?.rows ?? []);
  const [low, high] = [Math.min(...rows), Math.max(...rows)];
  const of = low === high ? formatCount(low) : `${formatCount(low)} to ${formatCount(high)}`;
  return `Measured here on ${of} rows of each matrix, over ${formatCount(calibration.tokens)} tokens of the calibration text: Σ((W − Ŵ)x)² / Σ(Wx)²`;
}

/** The matrices of a stage as columns; null where it has no output errors. `module` is the one that is open. */
export function methodErrorsOf(stage: StageReport, module: string | null): MethodErrorsData | null {
  if (stage.matrices.every(({ outputError }) => outputError === null)) return null;
  const worse = new Set(stage.worse);
  const columns = stage.matrices.map((own) => errorColumn(own, worse));
  return {
    columns: undrawnLast(columns, ({ plain, method }) => plain !== null || method !== null),
    plainName: plainWords(stage),
    methodName: stage.stage,
    chosen: module === null ? null : quote(module),
    caption: outputWords(stage),
  };
}

function errorColumn(
  { module, fallback, outputError, hessian }: MatrixReport,
  worse: ReadonlySet<string>,
): MethodErrorColumn {
  return {
    ...placeOf(module),
    ...{ module, fallback },
    plain: outputError?.plain ?? null,
    method: outputError?.method ?? null,
    ratio: outputRatioOf(outputError),
    isWorse: worse.has(module),
    rows: outputError?.rows ?? null,
    hessian: hessian && { ...hessian, words: meterWords(hessian) },
  };
}

/** `q` for `…self_attn.q_proj`, `in` for `…input_layernorm`: the beginning of what a module is called in its layer. */
function placeOf(module: string): { readonly layer: number | null; readonly letters: string } {
  const last = module.split(".").at(-1) ?? "";
  const [first = ""] = last.split("_");
  return { layer: layerOf(module), letters: first.slice(0, MOST_LETTERS) };
}

/** What is no column of the picture still has its row in the table, below the others. */
function undrawnLast<Column>(columns: readonly Column[], isDrawn: (column: Column) => boolean): readonly Column[] {
  return [...columns.filter(isDrawn), ...columns.filter((column) => !isDrawn(column))];
}

/** One figure of the open matrix. */
export interface SheetFact {
  readonly name: string;
  readonly value: string;
}

/** What a stage did to the open matrix; empty where it has none of it. */
export function matrixFactsOf(stage: StageReport, module: string | null): readonly SheetFact[] {
  const own = module === null ? undefined : stage.matrices.find((matrix) => matrix.module === quote(module));
  if (own === undefined) return [];
  const { outputError, hessian, clipped, fallback } = own;
  const share = (error: number | null): string => (error === null ? "–" : formatPercent(error));
  const ratio = outputRatioOf(outputError);
  return [
    ...(outputError === null
      ? []
      : [
          { name: `output error, ${plainWords(stage)}`, value: share(outputError.plain) },
          { name: `output error, ${stage.stage}`, value: share(outputError.method) },
          ...(ratio === null ? [] : [{ name: "of it is left", value: formatPercent(ratio) }]),
        ]),
    ...(hessian === null
      ? []
      : [
          { name: "its Hessian", value: meterWords(hessian) },
          { name: "dead channels", value: formatCount(hessian.deadChannels) },
          {
            name: "condition, at least",
            value: hessian.condition === null ? "–" : formatNumber(hessian.condition),
          },
        ]),
    ...(clipped === null
      ? []
      : [{ name: "groups clipped", value: `${formatCount(clipped.groups)} of ${formatCount(clipped.of)}` }]),
    ...(fallback === null ? [] : [{ name: "fallback", value: fallback }]),
  ];
}

/** The mapping whose search is shown: the one that was picked, else the one of the open matrix, else the one that found most. */
export function shownMapping(stage: StageReport, picked: string | null, module: string | null): SmoothingReport | null {
  const searched = stage.smoothings.filter(({ grid }) => grid !== null);
  const name = module === null ? "" : quote(module);
  return (
    searched.find((own) => own.name === picked) ??
    searched.find((own) => own.name === name || own.balance.includes(name)) ??
    bestSearched(searched)
  );
}

/** The search of a mapping as a picture. */
export function methodGridOf({ name, grid }: SmoothingReport): MethodGridData | null {
  if (grid === null) return null;
  const relative = relativeLosses(grid);
  return {
    points: grid.points.map((point, at) => ({ ...point, relative: relative[at] ?? null })),
    best: grid.best,
    caption: { strong: gridWords(grid), plain: `${name}; ${formatCount(grid.points.length)} points tried.` },
  };
}

/** The mappings of a stage as columns; null where it has none. `chosen` is the one whose search is shown. */
export function methodFactorsOf(stage: StageReport, chosen: string | null): MethodFactorsData | null {
  const { smoothings } = stage;
  if (smoothings.length === 0) return null;
  const columns = smoothings.map((own): MethodFactorColumn => {
    const { name, balance, factors, refused, grid } = own;
    const point = grid?.points[grid.best];
    const search = grid && point && { ...point, left: relativeLosses(grid)[grid.best] ?? null };
    return { ...placeOf(name), name, balance, factors, refused, search: search ?? null };
  });
  return {
    columns: undrawnLast(columns, ({ factors }) => factors !== null),
    chosen,
    caption: factorsCaption(stage),
  };
}

function factorsCaption({ stage, smoothings }: StageReport): MethodFactorsData["caption"] {
  const applied = smoothings.filter(({ factors }) => factors !== null);
  const left = smoothings.length - applied.length;
  const spans = applied.flatMap(({ name, factors }) => (factors === null ? [] : [{ name, ...factors }]));
  const alone = left === 0 ? "" : ` ${formatCount(left)} left alone.`;
  const [first] = spans;
  if (first === undefined) return { strong: `${stage} changed nothing.`, plain: alone.trim() };
  const widest = spans.reduce((most, own) => (own.max > most.max ? own : most), first);
  const low = Math.min(...spans.map(({ min }) => min));
  const strong = `${stage} scales ${applied.length === 1 ? "one place" : `${formatCount(applied.length)} places`} by ${formatNumber(low)} to ${formatNumber(widest.max)}.`;
  return { strong, plain: `The largest factor is in ${widest.name}.${alone}` };
}

/** Why parts of a stage were not done: the reason, and the first names. */
export interface LeftAlone {
  readonly reason: string;
  readonly names: string;
}

/** Most names of a reason that are written out; the tables of the pictures have all. */
const MOST_NAMES = 3;

/** Mappings that were left alone, by reason. */
export function refusedOf({ smoothings }: StageReport): readonly LeftAlone[] {
  return named(smoothings.map(({ name, refused }) => ({ name, reason: refused })));
}

/** Matrices for which the method was not possible, by reason. */
export function fallbacksOf({ matrices }: StageReport): readonly LeftAlone[] {
  return named(matrices.map(({ module, fallback }) => ({ name: module, reason: fallback })));
}

function named(parts: readonly { readonly name: string; readonly reason: string | null }[]): readonly LeftAlone[] {
  return byReason(parts).map(({ reason, names }) => ({ reason, names: listWords(names, MOST_NAMES) }));
}

/** What a stage did that no picture shows: clipping, or changes whose outputs it does not estimate. Empty: nothing. */
export function otherWords(stage: StageReport): string {
  const clipped = clippedWords(stage.matrices);
  if (clipped !== null) return clipped;
  const isShown = stage.smoothings.length > 0 || stage.matrices.some(({ outputError }) => outputError !== null);
  const done = stage.matrices.filter(({ fallback }) => fallback === null).length;
  const what = done === 1 ? "one matrix" : `${formatCount(done)} matrices`;
  return isShown ? "" : `${stage.stage} went over ${what}; it estimates no error of their outputs.`;
}
