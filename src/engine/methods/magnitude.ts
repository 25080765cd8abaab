import type { Checkpoint } from "../../formats/huggingface/checkpoint.ts";
import type { Workspace } from "../../formats/workspaces/workspace.ts";
import type { Bench } from "../bench.ts";
import type { CheckpointPlan } from "../checkpoint-plan.ts";
import { decideMask, pruned } from "../pruner.ts";
import { rowBytesOf, rowsOf } from "../tiles.ts";
import { PatchedCheckpoint } from "./patched-checkpoint.ts";

/** A plan's weights pruned by magnitude, for the stages that come after. */
export async function pruneByMagnitude(
  bench: Bench,
  { checkpoint, matrices, pruning }: CheckpointPlan,
  workspace: Workspace,
): Promise<Checkpoint> {
  const patched = new PatchedCheckpoint(checkpoint, workspace);
  for (const matrix of pruning ? matrices : []) {
    const mask = pruning && (await decideMask(bench, matrix, pruning));
    const rows = { start: 0, end: matrix.rows };
    const walk = { matrix, rowMultiple: 1, rows, mostBytes: Number.POSITIVE_INFINITY };
    await bench.streamTiles(walk, async (tile, bytes) => {
      const weights = bench.scratch.filled("weights", bytes);
      const target = pruned(bench, matrix, mask, rowsOf(tile), weights, "method");
      const kept = await bench.device.read(target, tile.rows * rowBytesOf(matrix));
      await patched.write(matrix.tensor.name, tile.row * rowBytesOf(matrix), kept);
    });
  }
  return patched.checkpoint;
}
