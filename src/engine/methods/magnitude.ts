import type { Checkpoint } from "../../formats/huggingface/checkpoint.ts";
import type { Workspace } from "../../formats/workspaces/workspace.ts";
import type { Bench } from "../bench.ts";
import type { CheckpointPlan } from "../checkpoint-plan.ts";
import { decideMask, pruned } from "../pruner.ts";
import { rowsOf } from "../tiles.ts";
import { PatchedCheckpoint } from "./patched-checkpoint.ts";
import { rewriteMatrix } from "./stage.ts";

/** A plan's weights pruned by magnitude, for the stages that come after. */
export async function pruneByMagnitude(
  bench: Bench,
  { checkpoint, matrices, pruning }: CheckpointPlan,
  workspace: Workspace,
): Promise<Checkpoint> {
  const patched = new PatchedCheckpoint(checkpoint, workspace);
  for (const matrix of pruning ? matrices : []) {
    const mask = pruning && (await decideMask(bench, matrix, pruning));
    await rewriteMatrix(bench, patched, matrix, (tile, weights) =>
      pruned(bench, matrix, mask, rowsOf(tile), weights, "method"),
    );
  }
  return patched.checkpoint;
}
