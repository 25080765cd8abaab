import { LabError, quote } from "../base/errors.ts";
import { formatCount, formatNumber } from "../base/format.ts";
import { sha256 } from "../base/sha256.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { readTaskFile } from "../formats/tasks/task-file.ts";
import { leastTellingLoss, likeliestChoice, pairAnswers, pairedDifferenceInterval } from "../metrics/choice-scores.ts";
import type { TokenScores } from "../metrics/token-scores.ts";
import { appliedOf, type Candidate } from "./candidate.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { decoderOf } from "./decoder-of.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import type { TaskRequest, TaskResult, TaskRow } from "./diagnosis-api.ts";
import { measureDivergence, NOTHING_KNOWN, type WindowScores } from "./measure-divergence.ts";
import { modelKernels } from "./model-kernels.ts";
import type { WorkHooks } from "./pace.ts";
import { type ChoiceWindow, choiceWindows } from "./tasks-windows.ts";
import type { TextHost } from "./text-api.ts";

const BUNDLED = "tasks/continuations.jsonl";

/** What is answered with. */
export interface TaskWork {
  readonly checkpoint: Checkpoint;
  /** Of the request's schemes. */
  readonly plans: readonly CheckpointPlan[];
  readonly request: TaskRequest;
}

/**
 * The items of a task file.
 * @param file null: the bundled ones
 * @throws LabError `tasks/…`, `source/…`
 */
export async function readTasks(
  file: ByteSource | null,
  host: Pick<TextHost, "openBundled">,
): Promise<TaskRequest["tasks"]> {
  const source = file ?? (await host.openBundled(BUNDLED));
  const items = await readTaskFile(source);
  const hash = await sha256(await source.read(0, source.sizeBytes));
  return { name: file ? quote(file.name) : "continuations of the bundled texts", hash, items };
}

/**
 * Multiple choice by likelihood: original and variants give each choice, after its context, the sum of ln p of its tokens,
 * and answer with the largest, the first where several are. That is lm-evaluation-harness's `acc`.
 * @throws LabError `tasks/…`, `text/no-tokenizer`, `text/id-outside-vocabulary`, `tokenizer/…`, `config/…`, `run/cancelled`,
 *   `run/no-calibration`, `device/…`, `source/…`
 */
export async function answerTasks(
  { checkpoint, plans, request }: TaskWork,
  devices: DeviceSet,
  host: TextHost,
  hooks: WorkHooks,
): Promise<TaskResult> {
  const graph = decoderOf(checkpoint);
  const { name, items } = request.tasks;
  if (items.length === 0) throw noItems();
  const limits = { maxPositions: graph.maxPositions, vocabularySize: graph.vocabularySize };
  const choices = await choiceWindows(checkpoint, items, limits, host.startThread, hooks.signal);
  const applied = appliedOf(request.roundings);
  const recipes = plans.map((plan): Candidate => ({ kind: "recipe", plan, applied }));
  // The original's own scores come beside those of another model.
  const candidates: readonly Candidate[] = recipes.length > 0 ? recipes : [{ kind: "rounded" }];
  const windows = choices.flat();
  const { scores, used } = await measureDivergence(
    {
      ...{ checkpoint, candidates, arithmetic: request.arithmetic },
      windows: windows.map(({ ids }) => ids),
      scored: windows.map(({ scored }) => scored),
      calibration: request.calibration?.windows ?? [],
    },
    devices,
    { ...hooks, onProgress: (progress) => hooks.onProgress?.({ ...progress, phase: "answering" }) },
    NOTHING_KNOWN,
    () => {},
  );
  const answersOf = (own: WindowScores, side: "nll" | "nllBase") => {
    const sums = own.map((score) => logLikelihood(score[side]));
    let first = 0;
    return choices.map((group) => {
      first += group.length;
      return likeliestChoice(sums.slice(first - group.length, first));
    });
  };
  const isRight = (answers: readonly (number | null)[]) => items.map(({ answer }, item) => answers[item] === answer);
  const original = isRight(answersOf(scores[0] ?? [], "nllBase"));
  const answers = plans.map((_, index) => answersOf(scores[index] ?? [], "nll"));
  return {
    kind: "tasks",
    name,
    items: items.length,
    chance: items.reduce((sum, item) => sum + 1 / item.choices.length, 0) / items.length,
    original: shareOf(original),
    rows: plans.map((plan, index) => rowOf(plan.recipe.name, isRight(answers[index] ?? []), original)),
    evidence: evidenceOf(original, choices, answers.flat().filter((answer) => answer === null).length),
    kernels: used.flatMap((pick) => modelKernels(graph, candidates).map((kernel) => kernelReport(pick, kernel))),
  };
}

function logLikelihood(nll: TokenScores["nll"]): number {
  return -nll.reduce((sum, own) => sum + own, 0);
}

function rowOf(scheme: string, right: readonly boolean[], original: readonly boolean[]): TaskRow {
  const paired = pairAnswers(right, original);
  const [won, lost] = [paired.onlyFirst, paired.onlySecond];
  return {
    scheme,
    accuracy: shareOf(right),
    difference: (won - lost) / right.length,
    interval: pairedDifferenceInterval(paired),
    lost,
    won,
  };
}

function shareOf(right: readonly boolean[]): number {
  return right.filter(Boolean).length / right.length;
}

/** What so many items can tell, and what was done to them. */
function evidenceOf(
  original: readonly boolean[],
  choices: readonly (readonly ChoiceWindow[])[],
  unanswered: number,
): string {
  const items = original.length;
  const lost = leastTellingLoss(original.filter(Boolean).length, items);
  const many = `${formatCount(items)} ${items === 1 ? "item" : "items"}`;
  const points = formatNumber((100 * (lost ?? 0)) / items);
  const sentences = [
    lost === null
      ? `So few as ${many} cannot tell a loss from chance, however large.`
      : `Of ${many} a scheme must lose ${formatCount(lost)} (${points} points) and win none before its loss is more than chance; more where it wins some.`,
  ];
  const cut = choices.filter((group) => group.some(({ isCut }) => isCut)).length;
  if (cut > 0) sentences.push(`Contexts cut from the left to the model's positions: ${formatCount(cut)}.`);
  if (unanswered > 0) {
    sentences.push(
      `Answers that are missing, since logits are no finite numbers, and count as wrong: ${formatCount(unanswered)}.`,
    );
  }
  return sentences.join(" ");
}

function noItems(): LabError {
  return new LabError({
    code: "tasks/empty",
    doing: "answering tasks",
    found: "no item",
    allowed: "one item or more",
    advice: "give another file",
  });
}
