import { LabError, quote } from "../../base/errors.ts";
import type { Checkpoint } from "../../formats/huggingface/checkpoint.ts";
import type { Workspace } from "../../formats/workspaces/workspace.ts";
import { needsMethodRun, type Recipe } from "../../schemes/recipe.ts";
import type { Arithmetic } from "../../schemes/scheme.ts";
import { MAX_RECIPES } from "../api.ts";
import { type CheckpointPlan, planCheckpoint } from "../checkpoint-plan.ts";
import type { DeviceSet } from "../device-set.ts";
import type { WorkHooks } from "../pace.ts";
import type { PreparedText } from "../text-api.ts";
import { type MethodOutcome, runMethod } from "./method-run.ts";

/**
 * Plans recipes, and runs their methods. What was run of the open checkpoint last, of as many recipes as one job takes, is not run
 * again.
 */
export class Methods {
  readonly #devices: DeviceSet;
  readonly #workspaceOf: () => Workspace;
  readonly #now: () => number;
  readonly #known = new Map<string, MethodOutcome>();

  constructor(devices: DeviceSet, workspaceOf: () => Workspace, now: () => number) {
    this.#devices = devices;
    this.#workspaceOf = workspaceOf;
    this.#now = now;
  }

  /**
   * @throws LabError `run/no-calibration` where one is needed, and those of `planCheckpoint` and `runMethod`
   */
  async plan(
    checkpoint: Checkpoint,
    recipe: Recipe,
    rules: {
      readonly ignore: readonly string[];
      readonly arithmetic: Arithmetic;
      readonly calibration?: PreparedText | null;
    },
    hooks: WorkHooks,
  ): Promise<CheckpointPlan> {
    if (!needsMethodRun(recipe)) return planCheckpoint(checkpoint, recipe, rules.ignore);
    const { calibration } = rules;
    if (!calibration?.windows.length) throw noCalibration(recipe);
    const key = [recipe.name, rules.arithmetic, calibration.hash, ...rules.ignore].join("\n");
    const job = { ...rules, checkpoint, recipe, calibration };
    const outcome = this.#known.get(key) ?? (await runMethod(job, this.#devices, this.#workspaceOf, this.#now, hooks));
    // The newest comes last.
    this.#known.delete(key);
    this.#known.set(key, outcome);
    for (const [oldest, { workspace }] of this.#known) {
      if (this.#known.size <= MAX_RECIPES) break;
      this.#known.delete(oldest);
      await workspace.close();
    }
    return outcome.plan;
  }

  /** Lets go of what was run: another checkpoint is open. */
  async clear(): Promise<void> {
    const outcomes = [...this.#known.values()];
    this.#known.clear();
    for (const { workspace } of outcomes) await workspace.close();
  }
}

function noCalibration(recipe: Recipe): LabError {
  return new LabError({
    code: "run/no-calibration",
    doing: `preparing ${quote(recipe.name)}`,
    found: "no calibration text",
    allowed: "a text that stands for what the model will read; not the one that it is measured on",
    advice: "give --calibration, or choose rtn, which needs none",
    fields: { recipe: quote(recipe.name) },
  });
}
