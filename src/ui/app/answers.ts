import { formatBytes, formatCount, formatParameters } from "../../base/format.ts";
import type { ModelSummary } from "../../engine/result.ts";
import type { Answer } from "../panels/headline-model.ts";
import { measurementAnswer } from "../panels/headline-words.ts";
import { layerMapAnswer } from "../panels/layer-map-words.ts";
import type { Surface } from "../panels/panel-events.ts";
import { WORDS_QUESTION, wordsAnswer } from "../panels/word-text-words.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";
import { chosenScheme, isMeasurementOld, isStale, type LabState } from "./lab-state.ts";
import { schemeWords } from "./words-state.ts";

/** What an empty surface will answer. */
const QUESTIONS: Readonly<Record<Surface, string>> = {
  model: "Open a model to see what is in its file, and whether it is sound.",
  measure: "Open a model to see which scheme to take.",
  layers: "Open a model to see where quantizing hurts it.",
  words: "Open a model to see what quantizing does to its words.",
};

const NOWHERE = "A folder you open is read on this machine and goes nowhere. What you see dimmed is quantlab-4m.";

/** What the surface answers; null where the comparison itself is the answer, or nothing is open. */
export function answerOf(state: LabState): Answer | null {
  const { surface, model, job } = state;
  if (job?.kind === "opening") return null;
  if (model === null) return { sentence: QUESTIONS[surface], evidence: NOWHERE };
  switch (surface) {
    case "model":
      return modelAnswer(model);
    case "measure":
      return measureAnswer(state);
    case "layers": {
      const chosen = chosenScheme(state);
      return chosen === null ? null : layerMapAnswer(chosen, model.name);
    }
    case "words":
      return wordsOf(state);
  }
}

/** What the words say; the headline itself speaks of a measurement that was stopped, has nothing yet, or is old. */
function wordsOf(state: LabState): Answer | null {
  const { words, measured, job } = state;
  const isMeasuring = job?.kind === "measuring";
  if (words.measured === null) return measured === null && !isMeasuring ? WORDS_QUESTION : null;
  if (isMeasurementOld(state) || (!isMeasuring && measured?.result.finished === false)) return null;
  const { tokens, text, rules } = words.measured;
  const own = schemeWords(words, chosenScheme(state)?.scheme ?? state.scheme);
  if (own === null) return null;
  const { scheme, figures } = own;
  const [doneWindows, windows] = [tokens.doneWindows, text.windows.length];
  return wordsAnswer({ scheme, figures, source: text.source, doneWindows, windows, roundings: rules.roundings });
}

/** What was measured to its end, as long as it is of what is asked for; the headline itself speaks of all else. */
function measureAnswer(state: LabState): Answer | null {
  const { measured, job } = state;
  if (measured === null || job !== null || !measured.result.finished) return null;
  return isMeasurementOld(state) || isStale(state) ? null : measurementAnswer(measured.result);
}

function modelAnswer(model: ModelSummary): Answer {
  const { parameters, fileBytes, tensors, shards, dtypes, modelType, notices } = model;
  const types = listWords(
    dtypes.map(({ dtype }) => dtype.toLowerCase()),
    3,
  );
  const warnings = notices.filter((notice) => notice.severity === "warning").length;
  const sound =
    warnings === 0
      ? "nothing in its headers or config stands in the way"
      : warnings === 1
        ? "one thing needs a look"
        : `${warnings} things need a look`;
  const files = shards === 1 ? "one file" : `${formatCount(shards)} files`;
  return {
    sentence: `${shortName(model.name)} holds ${formatParameters(parameters.value)} weights in ${formatBytes(fileBytes.value)}; ${sound}.`,
    evidence: [
      `${formatCount(tensors)} tensors in ${files}`,
      ...(types === "" ? [] : [types]),
      ...(modelType === null ? [] : [modelType]),
      "read from headers and config.json alone",
    ].join(" · "),
  };
}
