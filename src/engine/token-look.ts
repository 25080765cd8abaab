import { LabError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { klDivergence, mostLikely, PositionLogits, softmax } from "../metrics/position-logits.ts";
import { runModel } from "../models/model-run.ts";
import { batchWindows } from "../models/windows.ts";
import { appliedOf } from "./candidate.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import type { DeviceSet } from "./device-set.ts";
import type { DiagnosisRequest, NextToken, TokenLook } from "./diagnosis-api.ts";
import { withModels } from "./model-bench.ts";
import { ModelParameters } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { passBytesOf, passProgress } from "./passes.ts";
import { ORIGINAL } from "./variants.ts";

/** Tokens of each side. */
const TOP = 10;

/** Position of a window: what follows it is looked at. */
export interface TokenPlace {
  readonly window: number;
  readonly position: number;
}

/**
 * The most likely next tokens after one position, by the original and by a recipe.
 * @throws LabError `text/no-position`, `config/…`, `run/…`, `device/…`, `source/…`
 */
export async function lookAtToken(
  checkpoint: Checkpoint,
  plan: CheckpointPlan,
  request: DiagnosisRequest,
  at: TokenPlace,
  devices: DeviceSet,
  hooks: WorkHooks,
): Promise<TokenLook> {
  const { text, roundings, arithmetic, calibration } = request;
  const next = nextToken(text.windows, at);
  // What comes after the position is seen by nothing before it.
  const window = text.windows[at.window]?.slice(0, at.position + 1) ?? [];
  const candidates = [{ kind: "recipe" as const, plan, applied: appliedOf(roundings) }];
  const job = { checkpoint, candidates, arithmetic, calibration: calibration?.windows ?? [] };
  return withModels(job, devices, hooks, async ({ bench, graph, variants }) => {
    const models = [ORIGINAL, ...variants];
    const passBytes = passBytesOf(graph, checkpoint, [window]);
    const [original, variant] = await bench.attempt("looking at a token", async () => {
      const { device } = bench;
      const sink = new PositionLogits(device, at.position, models.length, graph.vocabularySize);
      const progress = passProgress(hooks, "looking at a token", passBytes, 1, 0, 1);
      const sources = models.map(({ source }) => source);
      const parameters = new ModelParameters(bench, checkpoint, sources, progress);
      try {
        const own = models.map((model) => model.variant);
        await runModel({ device, graph, parameters, variants: own, batch: batchWindows([window]), sink });
      } finally {
        parameters.destroy();
      }
      return sink.logits.map(softmax);
    });
    if (!original || !variant) throw new Error("two models were run");
    const token = (id: number): NextToken => ({ id, p: original[id] ?? Number.NaN, q: variant[id] ?? Number.NaN });
    return {
      kind: "token",
      scheme: plan.recipe.name,
      ...at,
      next: next === null ? null : token(next),
      original: mostLikely(original, TOP).map(token),
      variant: mostLikely(variant, TOP).map(token),
      kld: klDivergence(original, variant),
    };
  });
}

/**
 * The token after a position; null at the end of its window.
 * @throws LabError `text/no-position`
 */
export function nextToken(windows: readonly (readonly number[])[], { window, position }: TokenPlace): number | null {
  const own = windows[window];
  if (own && Number.isInteger(position) && position >= 0 && position < own.length) return own[position + 1] ?? null;
  throw new LabError({
    code: "text/no-position",
    doing: "looking at a token",
    found: `position ${position} of window ${window}`,
    allowed: own ? `positions 0 to ${own.length - 1}` : `windows 0 to ${windows.length - 1}`,
    advice: "choose a token of the text",
  });
}
