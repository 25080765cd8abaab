import { type LabErrorData, quote } from "../../base/errors.ts";
import { formatDuration, formatNumber } from "../../base/format.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult, SchemeResult } from "../../engine/result.ts";
import { type AskedText, isSameText, textName } from "../parts/asked-text.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";
import { type Answer, calibrationWords, measurementAnswer, methodAnswer } from "./headline-words.ts";
import type { AskedRules, WeightRules } from "./panel-events.ts";

export type { Answer } from "./headline-words.ts";

/** What a measurement was, or would be, asked for. */
interface Ask {
  readonly rules: AskedRules;
  readonly text: AskedText;
  readonly against: { readonly name: string } | null;
}

/** What the page does now, or why it does nothing. */
export type Situation =
  | { readonly kind: "reading"; readonly model: string }
  /** `method` runs over the calibration text before anything can be compared; null: none does. */
  | { readonly kind: "comparing"; readonly model: string; readonly method: string | null }
  | { readonly kind: "cancelled" }
  | { readonly kind: "measuring"; readonly model: string; readonly isPreparing: boolean }
  | {
      readonly kind: "failed";
      readonly error: LabErrorData;
      readonly during: "opening" | "comparing" | "measuring" | "exporting";
    }
  | {
      readonly kind: "stale";
      readonly asked: WeightRules;
      /** What methods were calibrated on and would be now; null where it is the same or none is shown. */
      readonly texts: { readonly was: File | null; readonly now: File | null } | null;
    }
  /** A measurement that has not run to its end. */
  | { readonly kind: "halted"; readonly isByUser: boolean }
  /** What was measured is not what would be. */
  | { readonly kind: "old-text"; readonly was: Ask; readonly now: Ask }
  | { readonly kind: "finished" };

/** What can be done about it. */
export type HeadlineAction =
  | "compare"
  | "measure"
  | "reset-rules"
  | "reset-text"
  | "pick-text"
  | "bundled-text"
  | "copy-details"
  | "dismiss";

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
 * @param answer what the surface says while nothing stands in its way; null for that of the comparison
 * @param measured the measurement on screen, finished or not
 */
export function headline(
  situation: Situation,
  shown: CompareResult | null,
  chosen: SchemeResult | null,
  answer: Answer | null = null,
  measured: MeasureResult | null = null,
): Headline {
  if (answer !== null && ANSWERED.includes(situation.kind)) return { tone: "plain", ...answer, actions: [] };
  switch (situation.kind) {
    case "reading":
      return {
        tone: "plain",
        sentence: `Reading ${shortName(situation.model)}.`,
        evidence: "Sizes need the headers only and are exact at once. Nothing leaves this machine.",
        actions: [],
      };
    case "comparing":
      if (situation.method !== null)
        return { tone: "plain", ...methodAnswer(situation.method, shown !== null), actions: [] };
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
    case "measuring":
      return measuring(situation, measured);
    case "halted":
      return halted(situation, measured);
    case "old-text":
      return oldText(situation);
    case "failed":
      return failure(situation, shown, measured);
    case "stale":
      return stale(situation, shown);
    case "finished":
      return finished(shown, chosen);
  }
}

/** Where a surface with an answer of its own gives it: what a measurement waits for is the business of its own surface. */
const ANSWERED: readonly Situation["kind"][] = ["finished", "comparing", "measuring", "halted", "old-text"];

function measuring(
  { model, isPreparing }: Situation & { kind: "measuring" },
  measured: MeasureResult | null,
): Headline {
  const soFar = measured === null || measured.finished ? null : measurementAnswer(measured);
  if (soFar !== null) return { tone: "plain", ...soFar, actions: [] };
  return {
    tone: "plain",
    sentence: isPreparing
      ? `Preparing the text for ${shortName(model)}.`
      : `Running ${shortName(model)} and what each scheme makes of it over the text.`,
    evidence: "The first window brings the first figures; then one after the other narrows them.",
    actions: [],
  };
}

function halted({ isByUser }: Situation & { kind: "halted" }, measured: MeasureResult | null): Headline {
  const { doneWindows = 0, windows = 0 } = measured?.text ?? {};
  const answer = measured === null ? null : measurementAnswer(measured);
  return {
    tone: "plain",
    sentence: `Stopped${isByUser ? " by you" : ""} after ${doneWindows} of ${windows} windows; what was measured stands.`,
    evidence: `${answer === null ? "" : `So far: ${answer.sentence} `}Measured windows are kept: going on runs the others alone.`,
    actions: [{ action: "measure", words: "Go on measuring", isMain: true }],
  };
}

function oldText({ was, now }: Situation & { kind: "old-text" }): Headline {
  return {
    tone: "stale",
    ...oldWords(was, now),
    actions: [
      { action: "measure", words: "Measure again", isMain: true },
      { action: "reset-text", words: "Back to what is shown", isMain: false },
    ],
  };
}

function oldWords(was: Ask, now: Ask): Answer {
  const stands = "Sizes and errors of the weights hold; the divergence is of what is named here.";
  if (!isSameText(was.text, now.text)) {
    const [before, after] = [textName(was.text), textName(now.text)];
    const sentence =
      before === after
        ? `These divergences are of ${before} in other windows than you have chosen.`
        : `These divergences are of ${before}; you have chosen ${after}.`;
    return { sentence, evidence: stands };
  }
  const [rounded, asked] = [was.rules, now.rules].map(({ roundings, served }) => JSON.stringify([roundings, served]));
  if (rounded !== asked) {
    return { sentence: "These divergences are of other roundings than you have chosen.", evidence: stands };
  }
  if (was.rules.arithmetic !== now.rules.arithmetic) {
    const sentence = `These divergences are of ${was.rules.arithmetic} arithmetic; you have chosen ${now.rules.arithmetic}.`;
    return { sentence, evidence: stands };
  }
  const added = now.rules.schemes.filter((scheme) => !was.rules.schemes.includes(scheme));
  const evidence = "What was measured before is kept: measuring again runs what is new alone.";
  if (added.length > 0) {
    const sentence = `${namesOf(added)} ${added.length === 1 ? "has" : "have"} not run over the text yet.`;
    return { sentence, evidence };
  }
  if (was.against !== now.against) {
    const sentence =
      now.against === null
        ? "You have taken out the other checkpoint."
        : `${shortName(now.against.name)} has not run over the text yet.`;
    return { sentence, evidence };
  }
  const removed = was.rules.schemes.filter((scheme) => !now.rules.schemes.includes(scheme));
  if (removed.length > 0) return { sentence: `You have taken out ${namesOf(removed)}.`, evidence };
  if (was.rules.ignore.join("\n") === now.rules.ignore.join("\n")) {
    return { sentence: calibrationWords(was.rules.calibration, now.rules.calibration), evidence: stands };
  }
  return { sentence: "These divergences are of another list of modules left alone.", evidence: stands };
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
      sentence: `${shortName(chosen.scheme)} cannot take every matrix of ${shortName(shown.model.name)}.`,
      evidence: `${found}. ${upper(advice)}. The figures below are of the other matrices.`,
      actions: [],
    };
  }
  const others = shown.schemes.filter((scheme) => scheme !== chosen);
  const evidence = [
    `${chosen.description}${chosen.method === "rtn" && isQuantized(chosen) ? ", plain rounding" : ""}`,
    `${chosen.modules} matrices loaded back and compared`,
    `${shown.arithmetic} arithmetic`,
    `in ${formatDuration(shown.elapsedMs)}`,
    ...others.slice(0, OTHERS_NAMED).map(otherWords),
    ...(others.length > OTHERS_NAMED ? [`${others.length - OTHERS_NAMED} more in the table`] : []),
  ];
  const sentence = `${sizeWords(chosen, shown.model.name)}${errorWords(chosen)}.`;
  return { tone: "plain", sentence, evidence: evidence.join(" · "), actions: [] };
}

/** Of the schemes beside the chosen one; the table has them all. */
const OTHERS_NAMED = 3;

function otherWords(scheme: SchemeResult): string {
  const decibel = scheme.sqnrDb === undefined ? "" : `, ${formatNumber(scheme.sqnrDb.value)} dB`;
  return `${shortName(scheme.scheme)}: ${formatNumber(scheme.smaller.value)} ×${decibel}`;
}

function sizeWords(scheme: SchemeResult, model: string): string {
  const [name, recipe] = [shortName(model), shortName(scheme.scheme)];
  const times = formatNumber(scheme.smaller.value);
  if (scheme.modules === 0) return `${recipe} finds no matrix to take in ${name}`;
  if (scheme.smaller.value <= 1 || times === formatNumber(1)) return `${recipe} does not make ${name} smaller`;
  return `${recipe} makes ${name} ${times} × smaller`;
}

function errorWords({ sqnrDb }: SchemeResult): string {
  if (sqnrDb === undefined) return "";
  const { value } = sqnrDb;
  return value < 0
    ? `, and the error is ${formatNumber(-value)} dB above its weights`
    : ` and keeps its weights ${formatNumber(value)} dB above the error`;
}

/** Whether any matrix gets codes; a recipe may prune and leave it at that. */
function isQuantized(scheme: SchemeResult): boolean {
  return scheme.quantizedBitsPerWeight !== undefined;
}

function progressWords(shown: CompareResult): string {
  const { schemes } = shown;
  const [first] = schemes;
  if (schemes.length <= OTHERS_NAMED) {
    return schemes
      .map((scheme) => `${shortName(scheme.scheme)} ${scheme.layers.length} of ${scheme.modules} matrices`)
      .join(", ");
  }
  const isSame = schemes.every(
    ({ layers, modules }) => layers.length === first?.layers.length && modules === first.modules,
  );
  return isSame
    ? `${first?.layers.length} of ${first?.modules} matrices under ${schemes.length} schemes`
    : `${schemes.filter(isMeasured).length} of ${schemes.length} schemes finished`;
}

function failure(
  situation: Situation & { kind: "failed" },
  shown: CompareResult | null,
  measured: MeasureResult | null,
): Headline {
  const { error, during } = situation;
  const stands =
    shown === null
      ? "Nothing is shown yet"
      : during === "measuring"
        ? stillStands(shown, measured)
        : during === "exporting"
          ? "No file was left behind; the comparison below stands"
          : `The comparison of ${shortName(shown.model.name)} below stands`;
  const retry =
    during === "measuring"
      ? afterMeasuring(error.code)
      : during === "opening"
        ? []
        : [{ action: "compare" as const, words: "Compare again", isMain: true }];
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

function stillStands(shown: CompareResult, measured: MeasureResult | null): string {
  const weights = `the comparison of the weights of ${shortName(shown.model.name)} below stands`;
  if (measured === null) return upper(weights);
  const { doneWindows } = measured.text;
  return `The ${doneWindows === 1 ? "window" : `${doneWindows} windows`} measured before stand, and ${weights}`;
}

/** What helps where measuring failed: another text, a try, or nothing where the model itself cannot be run. */
function afterMeasuring(code: string): Headline["actions"] {
  if (code.startsWith("config/")) return [];
  if (!/^(text|tokenizer|template|json)\//.test(code)) {
    return [{ action: "measure", words: "Measure again", isMain: true }];
  }
  const words = code === "text/no-tokenizer" ? "Choose a token file" : "Choose another file";
  return [
    { action: "pick-text", words, isMain: true },
    { action: "bundled-text", words: "Use the bundled texts", isMain: false },
  ];
}

function stale(situation: Situation & { kind: "stale" }, shown: CompareResult | null): Headline {
  return {
    tone: "stale",
    ...staleWords(situation, shown),
    actions: [
      { action: "compare", words: "Compare again", isMain: true },
      { action: "reset-rules", words: "Back to what is shown", isMain: false },
    ],
  };
}

function staleWords({ asked, texts }: Situation & { kind: "stale" }, shown: CompareResult | null): Answer {
  const rows = shown?.schemes.map((row) => row.scheme) ?? [];
  const added = asked.schemes.filter((scheme) => !rows.includes(scheme));
  const removed = rows.filter((scheme) => !asked.schemes.includes(scheme));
  if (shown?.arithmetic !== asked.arithmetic) {
    return {
      sentence: `These numbers are for ${shown?.arithmetic} arithmetic; you have chosen ${asked.arithmetic}.`,
      evidence: "Sizes hold, errors may not. Compare again, or go back to what is shown.",
    };
  }
  const sameIgnore = shown.ignore.join("\n") === asked.ignore.join("\n");
  if (!sameIgnore) {
    return {
      sentence: "These numbers are for another list of modules left alone.",
      evidence: `They left alone: ${quote(shown.ignore.join(", ") || "nothing")}. Size and error both depend on it.`,
    };
  }
  if (texts !== null) {
    return {
      sentence: calibrationWords(texts.was, texts.now),
      evidence: "Plain rounding needs no calibration; what methods make of the weights depends on it.",
    };
  }
  if (added.length > 0) {
    return {
      sentence: `${namesOf(added)} ${added.length === 1 ? "is" : "are"} not measured yet.`,
      evidence: `What is shown was measured for ${namesOf(rows)}, and stands.`,
    };
  }
  return {
    sentence: `You have taken out ${namesOf(removed)}.`,
    evidence: "What is shown stands; compare again to see the rest alone.",
  };
}

/** Names of presets in a row read well; several recipes that are whole lines do not, and are counted. */
function namesOf(schemes: readonly string[]): string {
  if (schemes.length > 1 && schemes.some((scheme) => scheme.includes(" "))) return `${schemes.length} recipes`;
  return listWords(schemes.map(shortName), OTHERS_NAMED);
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
