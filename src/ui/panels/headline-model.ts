import { type LabErrorData, quote } from "../../base/errors.ts";
import { formatDuration, formatNumber } from "../../base/format.ts";
import type { CompareResult, SchemeResult } from "../../engine/result.ts";
import type { AskedRules } from "./panel-events.ts";

/** What the page does now, or why it does nothing. */
export type Situation =
  | { readonly kind: "reading"; readonly model: string }
  | { readonly kind: "comparing"; readonly model: string }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: LabErrorData; readonly during: "opening" | "comparing" | "exporting" }
  | { readonly kind: "stale"; readonly asked: AskedRules }
  | { readonly kind: "finished" };

/** What can be done about it. */
export type HeadlineAction = "compare" | "reset-rules" | "copy-details" | "dismiss";

/** One sentence, one line of evidence, and the buttons that follow from them. */
export interface Headline {
  readonly tone: "plain" | "failed" | "stale";
  readonly sentence: string;
  readonly evidence: string;
  readonly actions: readonly { readonly action: HeadlineAction; readonly words: string; readonly isMain: boolean }[];
}

/**
 * The answer of the page as it stands.
 * @param shown the comparison on screen, finished or not
 * @param chosen the scheme that all pictures follow
 */
export function headline(situation: Situation, shown: CompareResult | null, chosen: SchemeResult | null): Headline {
  switch (situation.kind) {
    case "reading":
      return {
        tone: "plain",
        sentence: `Reading ${shortName(situation.model)}.`,
        evidence: "Sizes need the headers only and are exact at once. Nothing leaves this machine.",
        actions: [],
      };
    case "comparing":
      if (shown !== null && chosen !== null && shown.schemes.every(isMeasured)) {
        return { ...finished(shown, chosen), evidence: "Every matrix is measured; the kernels are being timed." };
      }
      return {
        tone: "plain",
        sentence:
          chosen === null || chosen.error !== undefined
            ? `Comparing ${shortName(situation.model)}.`
            : `${sizeWords(chosen, situation.model)}; its error is being measured.`,
        evidence:
          shown === null
            ? "Sizes are exact already: they need the headers only. Each hatched place waits for its error."
            : `${progressWords(shown)}. Sizes are exact already; each hatched place waits for its error.`,
        actions: [],
      };
    case "cancelled":
      return {
        tone: "plain",
        sentence: shown === null ? "Stopped before anything was measured." : `Stopped by you: ${progressWords(shown)}.`,
        evidence:
          shown === null
            ? "Compare again to see its error."
            : "What is measured stands. A comparison begins anew when it is started again.",
        actions: [{ action: "compare", words: "Compare again", isMain: true }],
      };
    case "failed":
      return failure(situation, shown);
    case "stale":
      return stale(situation.asked, shown);
    case "finished":
      return finished(shown, chosen);
  }
}

function isMeasured(scheme: SchemeResult): boolean {
  return scheme.layers.length === scheme.modules;
}

function finished(shown: CompareResult | null, chosen: SchemeResult | null): Headline {
  if (shown === null || chosen === null) {
    return {
      tone: "plain",
      sentence: "Open a model to see what quantizing does to it.",
      evidence: "A folder you open is read on this machine and goes nowhere.",
      actions: [],
    };
  }
  if (chosen.error !== undefined) {
    const { found, advice } = chosen.error;
    return {
      tone: "plain",
      sentence: `${chosen.scheme} cannot take every matrix of ${shortName(shown.model.name)}.`,
      evidence: `${found}. ${upper(advice)}. The figures below are of the other matrices.`,
      actions: [],
    };
  }
  const size = sizeWords(chosen, shown.model.name);
  const error =
    chosen.sqnrDb === undefined ? "" : ` and keeps its weights ${formatNumber(chosen.sqnrDb.value)} dB above the error`;
  const others = shown.schemes
    .filter((scheme) => scheme !== chosen)
    .map((scheme) => {
      const decibel = scheme.sqnrDb === undefined ? "" : `, ${formatNumber(scheme.sqnrDb.value)} dB`;
      return `${scheme.scheme}: ${formatNumber(scheme.smaller.value)} ×${decibel}`;
    });
  const evidence = [
    `${chosen.description}, plain rounding`,
    `${chosen.modules} matrices loaded back and compared`,
    `${shown.arithmetic} arithmetic`,
    `in ${formatDuration(shown.elapsedMs)}`,
    ...others,
  ];
  return { tone: "plain", sentence: `${size}${error}.`, evidence: evidence.join(" · "), actions: [] };
}

function sizeWords(scheme: SchemeResult, model: string): string {
  const name = shortName(model);
  if (scheme.modules === 0) return `${scheme.scheme} finds nothing to quantize in ${name}`;
  if (scheme.smaller.value <= 1) return `${scheme.scheme} does not make ${name} smaller`;
  return `${scheme.scheme} makes ${name} ${formatNumber(scheme.smaller.value)} × smaller`;
}

function progressWords(shown: CompareResult): string {
  return shown.schemes
    .map((scheme) => `${scheme.scheme} ${scheme.layers.length} of ${scheme.modules} matrices`)
    .join(", ");
}

function failure(situation: Situation & { kind: "failed" }, shown: CompareResult | null): Headline {
  const { error, during } = situation;
  const stands =
    shown === null
      ? "Nothing is shown yet"
      : during === "exporting"
        ? "No file was left behind; the comparison below stands"
        : `The comparison of ${shortName(shown.model.name)} below stands`;
  const retry = during === "opening" ? [] : [{ action: "compare" as const, words: "Compare again", isMain: true }];
  return {
    tone: "failed",
    sentence: `${upper(error.doing)}: ${error.found}.`,
    evidence: `Allowed: ${error.allowed}. ${upper(error.advice)}. ${stands}.`,
    actions: [
      ...retry,
      { action: "copy-details", words: "Copy details", isMain: false },
      { action: "dismiss", words: "Close", isMain: false },
    ],
  };
}

function stale(asked: AskedRules, shown: CompareResult | null): Headline {
  const sameArithmetic = shown?.arithmetic === asked.arithmetic;
  const sentence = sameArithmetic
    ? "These numbers are for another list of modules left alone."
    : `These numbers are for ${shown?.arithmetic} arithmetic; you have chosen ${asked.arithmetic}.`;
  return {
    tone: "stale",
    sentence,
    evidence: sameArithmetic
      ? `They left alone: ${quote(shown?.ignore.join(", ") || "nothing")}. Size and error both depend on it.`
      : "Sizes hold, errors may not. Compare again, or go back to what is shown.",
    actions: [
      { action: "compare", words: "Compare again", isMain: true },
      { action: "reset-rules", words: "Back to what is shown", isMain: false },
    ],
  };
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A headline has room for the name of a model, not for one of two hundred characters. */
const LONGEST_NAME = 48;

function shortName(name: string): string {
  return quote(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}
